/* SPDX-License-Identifier: Apache-2.0
 * Which hop decided a call, from our own view and the load balancer's. */
#include <stdio.h>
#include <string.h>

#include "vpclink/verdict.h"

static bool unanswered(const struct gateway_result *r)
{
    return r->broke == BREAK_CLOSED || r->broke == BREAK_RESET ||
           r->broke == BREAK_HANDSHAKE_CLOSED || r->broke == BREAK_HANDSHAKE_RESET ||
           r->broke == BREAK_CLOSE_NOTIFY;
}

void gateway_join(struct gateway_result *r, const struct far_side *far)
{
    static const enum flow_end nobody[] = { END_NO_TARGET, END_TARGET_REFUSED,
                                            END_TARGET_UNREACHABLE, END_TARGET_CONNECT_TIMEOUT,
                                            END_NO_SOURCE_PORT };

    if (far->joined && far->end == END_SIMULATOR_LIMIT && r->broke != BREAK_NONE) {
        r->broke = BREAK_NOT_SIMULATED;
        snprintf(r->why, sizeof r->why, "behind listener %.63s it lacks %.200s", far->listener,
                 far->lacking);
        return;
    }
    if (!far->joined || !unanswered(r) || r->answered_us != 0)
        return;
    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++) {
        if (far->end == nobody[i]) {
            r->broke = BREAK_UNREACHABLE;
            snprintf(r->why, sizeof r->why, "%s", far->end_text);
        }
    }
}

/* --- which hop --- */
/* The hop that terminates TLS. */
static const char *tls_hop(const struct gateway_task *task, const struct far_side *far)
{
    if (far->protocol == PROTOCOL_TLS)
        return "listener";
    if (far->protocol == PROTOCOL_TCP || task->connect == NULL)
        return "target";
    return NULL;
}

/* Did the flow end on its way to the target, or there? */
static bool at_target(enum flow_end end)
{
    static const enum flow_end ends[] = { END_TARGET_RESET,       END_TARGET_REFUSED,
                                          END_TARGET_UNREACHABLE, END_TARGET_CONNECT_TIMEOUT,
                                          END_TARGET_TLS_REFUSED, END_TARGET_TLS_CLOSED,
                                          END_TARGET_TLS_FAILED,  END_TARGET_TLS_TIMEOUT,
                                          END_TARGET_TLS_BROKEN,  END_TARGET_UNHEALTHY,
                                          END_TARGET_DEREGISTERED };

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends[i] == end)
            return true;
    }
    return false;
}

/* Who broke a connection that was in use. */
static const char *breaker(const struct gateway_task *task, const struct gateway_result *r,
                           const struct far_side *far)
{
    if (!task->uri.tls && far->protocol == PROTOCOL_TLS)
        return "listener"; /* plaintext on a TLS port */
    if (far->joined && at_target(far->end))
        return "target";
    if (far->joined && strcmp(far->end_party, "none") != 0 && strcmp(far->end_party, "client") != 0)
        return far->end_party;
    /* The load balancer passes on what its target does. */
    return far->protocol != 0 || task->connect == NULL || r->stage == GATEWAY_ANSWER ? "target"
                                                                                     : "network";
}

const char *gateway_hop(const struct gateway_task *task, const struct gateway_result *r,
                        const struct far_side *far)
{
    const char *hop;

    switch (r->broke) {
    case BREAK_NONE: /* whose certificate was found to be in order */
        hop = task->uri.tls ? tls_hop(task, far) : NULL;
        return hop == NULL ? "none" : hop;
    case BREAK_NO_MEMORY:
    case BREAK_NOT_SIMULATED:
    case BREAK_N:
        return "none";
    case BREAK_BAD_ENDPOINT:
    case BREAK_UNREACHABLE:
    case BREAK_LINK_ERROR:
    case BREAK_HANDSHAKE_TIMEOUT:
    case BREAK_ANSWER_TIMEOUT:
        return "network";
    case BREAK_NOT_TLS: /* no TLS listener answers so */
        return "target";
    case BREAK_CERTIFICATE:
    case BREAK_HOST_NAME:
    case BREAK_ALERT:
    case BREAK_ALERT_CANCELED:
    case BREAK_ALERT_UNKNOWN:
    case BREAK_WARNING:
    case BREAK_CLOSE_NOTIFY:
    case BREAK_HANDSHAKE_CLOSED:
    case BREAK_HANDSHAKE_RESET:
    case BREAK_VERSION:
    case BREAK_RECORD:
    case BREAK_TLS_FAILED:
        return tls_hop(task, far);
    case BREAK_CLOSED:
    case BREAK_RESET:
    case BREAK_ALERT_IN_USE:
    case BREAK_BAD_ANSWER:
        return breaker(task, r, far);
    }
    return "none";
}
