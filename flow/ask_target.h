/* SPDX-License-Identifier: Apache-2.0
 * Whose fault is a handshake that the target refused: would it have answered all that AWS offers?
 */
#ifndef FLOW_ASK_TARGET_H
#define FLOW_ASK_TARGET_H

#include "flow/flow_impl.h"

#define ASK_TARGET_WAIT_US 2000000U

/* The handshake with the target has failed and is noted as such. Where our own side broke off for
 * want of something, the end becomes END_SIMULATOR_LIMIT. Where the target refused, and the TLS
 * library had offered less than AWS does, the target is asked once more, with AWS's whole
 * ClientHello on a connection of its own; if it answers that one, the end becomes
 * END_SIMULATOR_LIMIT, too. True: the flow has to wait for that (at most ASK_TARGET_WAIT_US). */
bool ask_target(struct flow *f);
/* Is the answer still out? When it has come, or never will, the back hop's event is activated. */
bool ask_target_waits(const struct flow *f);
/* Give the question up. */
void ask_target_end(struct flow *f);

#endif
