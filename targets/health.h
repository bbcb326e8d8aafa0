/* SPDX-License-Identifier: Apache-2.0
 * The health of one target: thresholds, states and reasons, as plain data moved by events and by
 * time. No socket, no loop, no clock of its own: who calls hands the time in, so tests need not
 * wait.
 *   source  NLB guide, "Health checks for Network Load Balancer target groups" and "Edit target
 *           group attributes" */
#ifndef TARGETS_HEALTH_H
#define TARGETS_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum health_state {
    HEALTH_INITIAL,
    HEALTH_HEALTHY,
    HEALTH_UNHEALTHY,
    HEALTH_UNHEALTHY_DRAINING,
    HEALTH_DRAINING,
    HEALTH_UNUSED,
    HEALTH_UNAVAILABLE,
    HEALTH_N_STATES
};
/* AWS's word: "unhealthy.draining". */
const char *health_state_name(enum health_state state);

enum health_reason {
    HEALTH_REASON_NONE,
#define REASON(id, code, description) HEALTH_REASON_##id,
#include "targets/health_reasons.def"
#undef REASON
    HEALTH_N_REASONS
};
/* AWS's code and description; NULL for HEALTH_REASON_NONE. */
const char *health_reason_code(enum health_reason reason);
const char *health_reason_text(enum health_reason reason);

enum check_result {
    CHECK_PASSED,
    CHECK_FAILED,
    CHECK_BROKEN, /* the check could not be made for want of something of ours */
};

/* What the target group's settings say; times are real microseconds (time_scale is applied). */
struct health_rules {
    uint64_t healthy_threshold, unhealthy_threshold;
    bool unhealthy_terminates;
    uint64_t unhealthy_draining_us; /* 0: no such state */
    uint64_t deregistration_us;
};

struct health {
    enum health_state state;
    enum health_reason reason;
    uint64_t passed, failed, broken; /* results in a row */
    uint64_t until_us;               /* the state lasts until then; 0: no limit */
};

/* Each returns true when state or reason has changed. */

/* Registered (again) with a group that is used: initial, and its first passing check makes it
 * healthy whatever the threshold. Nothing changes for one that is registered already. */
bool health_register(struct health *h);
/* A check begins. */
bool health_checking(struct health *h);
bool health_checked(struct health *h, const struct health_rules *rules, enum check_result result,
                    uint64_t now_us);
/* Its group is used by no listener, or its zone has none: not checked, no traffic. */
bool health_not_in_use(struct health *h);
/* No longer registered: draining, for the delay of the rules. */
bool health_deregister(struct health *h, const struct health_rules *rules, uint64_t now_us);
/* Time has passed. */
bool health_tick(struct health *h, uint64_t now_us);

/* Does a target in this state get new flows while the group does not fail open? */
static inline bool health_is_healthy(enum health_state state)
{
    return state == HEALTH_HEALTHY;
}
/* Is it registered and in use, so that it gets new flows when the group fails open? */
static inline bool health_is_registered(enum health_state state)
{
    return state != HEALTH_DRAINING && state != HEALTH_UNUSED;
}
/* "Target turned unhealthy", with or without a grace period? */
static inline bool health_is_unhealthy(enum health_state state)
{
    return state == HEALTH_UNHEALTHY || state == HEALTH_UNHEALTHY_DRAINING;
}

#endif
