/* SPDX-License-Identifier: Apache-2.0
 * The transition table of a flow. */
#include "flow/actions.h"

/* clang-format off */
#define MAY_END                                                                                    \
    [ON_FAILED]  = { FLOW_CLOSED, flow_finish },                                                   \
    [ON_TIMEOUT] = { FLOW_CLOSED, flow_finish }

const struct flow_rule flow_rules[FLOW_N_STATES][FLOW_N_EVENTS] = {
    [FLOW_ACCEPTED]        = { [ON_START]     = { FLOW_FRONT_HANDSHAKE, flow_begin_front },      MAY_END },
    [FLOW_FRONT_HANDSHAKE] = { [ON_SECURED]   = { FLOW_CONNECTING,      flow_pick_and_connect },
                               [ON_HELD]      = { FLOW_CONNECTING,      flow_pick_and_connect },
                               [ON_READY]     = { FLOW_RELAYING,        flow_begin_relay },      MAY_END },
    [FLOW_CONNECTING]      = { [ON_CONNECTED] = { FLOW_BACK_HANDSHAKE,  flow_begin_back },       MAY_END },
    [FLOW_BACK_HANDSHAKE]  = { [ON_READY]     = { FLOW_RELAYING,        flow_begin_relay },
                               [ON_RESUME]    = { FLOW_FRONT_HANDSHAKE, flow_resume_front },     MAY_END },
    [FLOW_RELAYING]        = { [ON_EOF]       = { FLOW_HALF_CLOSED,     flow_pass_eof },
                               [ON_IDLE]      = { FLOW_EXPIRED,         flow_expire },
                               [ON_LOST]      = { FLOW_EXPIRED,         flow_target_lost },             MAY_END },
    [FLOW_HALF_CLOSED]     = { [ON_DRAINED]   = { FLOW_CLOSED,          flow_finish },
                               [ON_IDLE]      = { FLOW_EXPIRED,         flow_expire },
                               [ON_LOST]      = { FLOW_EXPIRED,         flow_target_lost },             MAY_END },
    [FLOW_EXPIRED]         = { [ON_DRAINED]   = { FLOW_CLOSED,          flow_finish },           MAY_END },
};
/* clang-format on */
