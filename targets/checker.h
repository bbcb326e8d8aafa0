/* SPDX-License-Identifier: Apache-2.0
 * Runs the health checks of every registered target, on the loop of one thread: the first
 * worker's. Its findings stand in the registrations, where all workers read them. */
#ifndef TARGETS_CHECKER_H
#define TARGETS_CHECKER_H

#include <stddef.h>

#include "core/err.h"
#include "targets/health.h"
#include "targets/target_group.h"
#include "tls/tls_can.h"

struct event_base;
struct checker;

/* One target group of the configuration that takes effect. */
struct checker_group {
    const struct target_group *group;
    bool in_use;      /* some listener forwards to it */
    bool tests;       /* each check is preceded by a connection without data */
    struct addr node; /* of the first of those listeners, with its port: the Host of checks */
};
struct checker_plan {
    const struct checker_group *groups;
    size_t n_groups;
    /* Zones that have a listener; none: all zones are enabled. */
    const char *const *zones;
    size_t n_zones;
    double time_scale;
    /* How long the data plane does not hear of a deregistered target, and of one that turned
     * unhealthy. */
    uint64_t deregistration_lag_ms, health_lag_ms;
};

/* `lost_cb` is called on the checker's thread when flows of some target shall end
 * (registration_flows()): each worker then looks through its own. */
struct checker *checker_new(void (*lost_cb)(void *arg), void *arg, enum tls_use tls_use,
                            struct err *err);
/* After checker_halt(). NULL is fine. */
void checker_free(struct checker *c);
/*
 * Take over a plan; on the checker's thread. A target that stays keeps its state, a new one begins
 * as initial and is checked at once, one that is gone drains.
 *   base  the loop of that thread, the same every time
 *   plan  what it points to lives until the next checker_apply() or checker_halt() has returned
 */
void checker_apply(struct checker *c, struct event_base *base, const struct checker_plan *plan);
/* End every check; on the checker's thread. */
void checker_halt(struct checker *c);

/* One target as DescribeTargetHealth shows it. */
struct health_row {
    char group[64];
    char zone[64]; /* empty: none given */
    struct addr addr;
    enum health_state state;
    enum health_reason reason;
    int64_t since_utc_us;   /* of the state */
    int64_t checked_utc_us; /* end of the last check; 0: none yet */
    uint64_t checks;        /* made so far */
    char detail[160];       /* what the last check saw, for people; empty when it passed */
};
/*
 * A picture of all targets, also of those that drain; from any thread.
 *   rows     an array to free(); NULL when there is none or memory is out
 *   returns  its length
 */
size_t checker_snapshot(struct checker *c, struct health_row **rows);

#endif
