/* SPDX-License-Identifier: Apache-2.0
 * Close a socket so that what was sent last is read by the peer: FIN, then read and drop until the
 * peer closes too. A close(2) with unread data would make the kernel send RST, which can overtake
 * an alert. */
#ifndef FLOW_LINGER_H
#define FLOW_LINGER_H

#include "flow/flow.h"

/* Takes `fd`. Ends by itself after a second or a mebibyte. */
void linger_start(struct flow_env *env, int fd);
/* Close all of them now. */
void linger_clear(struct flow_env *env);

#endif
