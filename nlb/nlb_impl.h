/* SPDX-License-Identifier: Apache-2.0
 * The load balancer's parts, for nlb/nlb.c and nlb/nlb_view.c. */
#ifndef NLB_NLB_IMPL_H
#define NLB_NLB_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "nlb/generation.h"
#include "nlb/worker.h"
#include "observe/recent.h"

struct admin;
struct signposts;

/* One listening address, with a socket on each worker. It outlives configuration generations. */
struct socket_slot {
    bool used;
    char name[64];         /* listener, for those with port 0 */
    struct addr requested; /* as configured */
    struct addr bound;
    int lock_fd;
};

struct nlb {
    const struct nlb_config *started; /* kept, not loaded; its [nlb] process keys are in effect */
    struct generation *generation;    /* in effect; one reference */
    struct registry *registry;
    struct checker *checker; /* runs on the first worker */
    pthread_mutex_t lock;    /* guards `generation` against readers on other threads */
    struct admin *admin;
    atomic_bool draining;
    struct worker **workers;
    size_t n_workers;
    struct worker_outputs outputs;
    struct crowd *crowd;
    struct socket_slot slots[WORKER_SLOTS];
    size_t slot_of[WORKER_SLOTS]; /* listener of the configuration to slot */
    struct worker_drain drain;
    struct signposts *signposts; /* NULL: it works without */
};

#endif
