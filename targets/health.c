/* SPDX-License-Identifier: Apache-2.0
 * The health of one target: thresholds, states and reasons. */
#include "targets/health.h"

#include <stddef.h>

static const struct {
    const char *code, *text;
} reasons[HEALTH_N_REASONS] = {
#define REASON(id, code, description) [HEALTH_REASON_##id] = { code, description },
#include "targets/health_reasons.def"
#undef REASON
};

const char *health_state_name(enum health_state state)
{
    static const char *const names[HEALTH_N_STATES] = {
        [HEALTH_INITIAL] = "initial",         [HEALTH_HEALTHY] = "healthy",
        [HEALTH_UNHEALTHY] = "unhealthy",     [HEALTH_UNHEALTHY_DRAINING] = "unhealthy.draining",
        [HEALTH_DRAINING] = "draining",       [HEALTH_UNUSED] = "unused",
        [HEALTH_UNAVAILABLE] = "unavailable",
    };

    return names[state];
}

const char *health_reason_code(enum health_reason reason)
{
    return reasons[reason].code;
}

const char *health_reason_text(enum health_reason reason)
{
    return reasons[reason].text;
}

static bool become(struct health *h, enum health_state state, enum health_reason reason,
                   uint64_t until_us)
{
    bool changed = h->state != state || h->reason != reason;

    h->until_us = until_us;
    h->state = state;
    h->reason = reason;
    return changed;
}

bool health_register(struct health *h)
{
    bool fresh = h->state == HEALTH_INITIAL && h->reason == HEALTH_REASON_NONE;

    if (!fresh && health_is_registered(h->state))
        return false;
    *h = (struct health){ .state = h->state, .reason = h->reason };
    return become(h, HEALTH_INITIAL, HEALTH_REASON_REGISTRATION, 0);
}

bool health_checking(struct health *h)
{
    if (h->state != HEALTH_INITIAL)
        return false;
    return become(h, HEALTH_INITIAL, HEALTH_REASON_INITIAL_CHECKS, 0);
}

static bool passed(struct health *h, const struct health_rules *rules)
{
    h->failed = h->broken = 0;
    h->passed++;
    if (h->state == HEALTH_HEALTHY)
        return false;
    /* A new target, and one that could not be checked, needs no more than one. Source: NLB guide,
     * "Target groups", "Registered targets". */
    if (health_is_unhealthy(h->state) && h->passed < rules->healthy_threshold)
        return false;
    return become(h, HEALTH_HEALTHY, HEALTH_REASON_NONE, 0);
}

static bool failed(struct health *h, const struct health_rules *rules, uint64_t now_us)
{
    h->passed = h->broken = 0;
    h->failed++;
    if (health_is_unhealthy(h->state) || h->failed < rules->unhealthy_threshold)
        return false;
    if (!rules->unhealthy_terminates && rules->unhealthy_draining_us > 0)
        return become(h, HEALTH_UNHEALTHY_DRAINING, HEALTH_REASON_FAILED_CHECKS,
                      now_us + rules->unhealthy_draining_us);
    return become(h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS, 0);
}

/* A check that we could not make says nothing about the target; only when there is no other news
 * for as long as it takes to call a target unhealthy is its state unknown. */
static bool broken(struct health *h, const struct health_rules *rules)
{
    h->broken++;
    if (health_is_unhealthy(h->state) || h->broken < rules->unhealthy_threshold)
        return false;
    h->passed = h->failed = 0;
    return become(h, HEALTH_UNAVAILABLE, HEALTH_REASON_INTERNAL_ERROR, 0);
}

bool health_checked(struct health *h, const struct health_rules *rules, enum check_result result,
                    uint64_t now_us)
{
    if (!health_is_registered(h->state))
        return false;
    switch (result) {
    case CHECK_PASSED:
        return passed(h, rules);
    case CHECK_FAILED:
        return failed(h, rules, now_us);
    case CHECK_BROKEN:
        break;
    }
    return broken(h, rules);
}

bool health_not_in_use(struct health *h)
{
    return become(h, HEALTH_UNUSED, HEALTH_REASON_NOT_IN_USE, 0);
}

bool health_deregister(struct health *h, const struct health_rules *rules, uint64_t now_us)
{
    if (h->state == HEALTH_DRAINING)
        return false;
    /* One that had no traffic has nothing to drain. */
    if (h->state == HEALTH_UNUSED || rules->deregistration_us == 0)
        return become(h, HEALTH_UNUSED, HEALTH_REASON_NOT_REGISTERED, 0);
    return become(h, HEALTH_DRAINING, HEALTH_REASON_DEREGISTRATION,
                  now_us + rules->deregistration_us);
}

bool health_tick(struct health *h, uint64_t now_us)
{
    if (h->until_us == 0 || now_us < h->until_us)
        return false;
    if (h->state == HEALTH_DRAINING)
        return become(h, HEALTH_UNUSED, HEALTH_REASON_NOT_REGISTERED, 0);
    return become(h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS, 0);
}
