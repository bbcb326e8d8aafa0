/* SPDX-License-Identifier: Apache-2.0
 * The names of a flow's states and events. */
#include "flow/flow_impl.h"

const char *flow_state_name(enum flow_state s)
{
    static const char *const names[FLOW_N_STATES] = {
        [FLOW_ACCEPTED] = "accepted",     [FLOW_FRONT_HANDSHAKE] = "front_handshake",
        [FLOW_CONNECTING] = "connecting", [FLOW_BACK_HANDSHAKE] = "back_handshake",
        [FLOW_RELAYING] = "relaying",     [FLOW_HALF_CLOSED] = "half_closed",
        [FLOW_EXPIRED] = "expired",       [FLOW_CLOSED] = "closed",
    };

    return names[s];
}

const char *flow_event_name(enum flow_event e)
{
    static const char *const names[FLOW_N_EVENTS] = {
        [ON_NOTHING] = "nothing",     [ON_START] = "start",   [ON_HELD] = "held",
        [ON_SECURED] = "secured",     [ON_RESUME] = "resume", [ON_READY] = "ready",
        [ON_CONNECTED] = "connected", [ON_EOF] = "eof",       [ON_DRAINED] = "drained",
        [ON_IDLE] = "idle",           [ON_LOST] = "lost",     [ON_FAILED] = "failed",
        [ON_TIMEOUT] = "timeout",
    };

    return names[e];
}
