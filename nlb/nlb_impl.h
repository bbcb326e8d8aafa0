/* SPDX-License-Identifier: Apache-2.0
 * The load balancer's parts, for nlb/nlb.c and nlb/nlb_view.c, and what the read-only pages may ask
 * of it (any thread, between nlb_start() and nlb_stop()). */
#ifndef NLB_NLB_IMPL_H
#define NLB_NLB_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "flow/view.h"
#include "nlb/generation.h"
#include "nlb/nlb.h"
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
    const struct nlb_config *started; /* one reference; its [nlb] process keys are in effect */
    struct generation *generation;    /* in effect; one reference */
    struct registry *registry;
    struct checker *checker; /* runs on the first worker */
    pthread_mutex_t lock;    /* guards `generation` against readers on other threads */
    struct admin *admin;
    atomic_bool draining;
    struct worker **workers;
    size_t n_workers;
    struct worker_outputs outputs;
    struct socket_slot slots[WORKER_SLOTS];
    size_t slot_of[WORKER_SLOTS]; /* listener of the configuration to slot */
    struct worker_drain drain;
    struct signposts *signposts; /* NULL: it works without */
};

/* The configuration in effect; one reference for the caller. */
struct generation *nlb_generation_ref(struct nlb *nlb);
/* Counters of all workers, with the rows that are sums. */
void nlb_gather(const struct nlb *nlb, struct metrics_view *view);
/* Copy up to `max` live flows of all workers; asked by message. 0, or -1 when a worker does not
 * answer in time. */
int nlb_flows(struct nlb *nlb, struct flow_view *out, size_t max, size_t *n);
struct recent_events *nlb_recent(const struct nlb *nlb);
bool nlb_draining(const struct nlb *nlb);

/* Are there listeners of several zones? Counters are not kept per zone. */
bool nlb_has_zones(const struct nlb_config *config);
/* The Availability Zone of the (first) node: its listeners', or, where they name none, the region
 * and "a". */
#define NLB_ZONE_TEXT 72
void nlb_zone(const struct generation *g, char out[NLB_ZONE_TEXT]);

#endif
