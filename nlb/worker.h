/* SPDX-License-Identifier: Apache-2.0
 * One worker: a thread with its own event base, its own listening sockets and its own flows. Others
 * talk to it by messages only. */
#ifndef NLB_WORKER_H
#define NLB_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/err.h"
#include "flow/view.h"
#include "nlb/generation.h"
#include "observe/accesslog.h"
#include "observe/event_watch.h"
#include "observe/events.h"
#include "observe/metrics.h"
#include "observe/recent.h"

#define WORKER_SLOTS 64 /* listening sockets; AWS allows 50 listeners per load balancer */

/* What shall be true after a change, slot by slot. */
struct worker_slot {
    const struct front *front; /* NULL: no listener in this slot (any more) */
    int fd;                    /* a socket to begin with, taken; -1: keep the one that is there */
};
struct worker_change {
    struct generation *generation; /* one reference, taken */
    struct worker_slot slots[WORKER_SLOTS];
    struct checker *checker; /* for the worker that runs the health checks, else NULL; borrowed */
};

struct worker;
/* Where what flows leave behind goes; shared by all workers. NULL: nowhere. */
struct worker_outputs {
    struct event_sink *events;
    struct access_log *access_log;
    struct recent_events *recent;
    struct event_watch *watch;
};
/* Shared by all workers: how many have not drained yet; the last one writes 1 to the eventfd. */
struct worker_drain {
    atomic_size_t left;
    int fd;
};
/* Starts the thread. `number` from 0, of `n_workers`; `outputs` is copied, the others are borrowed.
 * NULL with the reason in `err`. */
struct worker *worker_start(unsigned number, unsigned n_workers,
                            const struct worker_outputs *outputs, struct worker_drain *drain,
                            struct crowd *crowd, struct err *err);
/* Messages; taken in order. worker_apply() returns once the worker has applied it. */
void worker_apply(struct worker *w, const struct worker_change *change);
void worker_drain(struct worker *w);
/* Give up what flow_env_give_up() does; returns at once, from any thread. */
void worker_give_up(struct worker *w);
/* Look for flows whose target is lost; returns at once, from any thread. */
void worker_sweep(struct worker *w);
/* End what is left, join the thread, free. */
void worker_stop(struct worker *w);
/* Copy up to `max` live flows; any thread. 0, or -1 when the worker does not answer within a
 * second. */
int worker_flows(struct worker *w, struct flow_view *out, size_t max, size_t *n);
const struct metrics *worker_metrics(const struct worker *w);

#endif
