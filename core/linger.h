/* SPDX-License-Identifier: Apache-2.0
 * Close a socket so that what was sent last is read by the peer: FIN, then read and drop until the
 * peer closes too. A close(2) with unread data would make the kernel send RST, which can overtake
 * an alert. */
#ifndef CORE_LINGER_H
#define CORE_LINGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct event_base;

/* The sockets of one event base that are being closed. */
struct lingerers {
    struct event_base *base;
    uint64_t limit_us; /* a peer that does not close is not waited for longer */
    LIST_HEAD(, lingerer) all;
};

void lingerers_init(struct lingerers *all, struct event_base *base, uint64_t limit_us);
/* Takes `fd`. Ends by itself in time, or after a mebibyte. */
void linger_start(struct lingerers *all, int fd);
/* Is every one of them closed? */
bool linger_over(const struct lingerers *all);
/* Close all of them now. */
void linger_clear(struct lingerers *all);

#endif
