/* SPDX-License-Identifier: Apache-2.0
 * Our own view of a call and the load balancer's, brought together. */
#include <stdio.h>

#include "vpclink/call_facts.h"

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
