/* SPDX-License-Identifier: Apache-2.0
 * The relay inside the kernel: bytes go from socket to socket through a pipe, never into user
 * space. Pipes are few and shared: one is borrowed while bytes are inside. */
#ifndef FLOW_SPLICE_H
#define FLOW_SPLICE_H

#include "flow/flow_impl.h"

enum relay_result {
    RELAY_MOVED,
    RELAY_BLOCKED, /* until a socket becomes ready */
    RELAY_AGAIN,   /* more could be done; others come first */
    RELAY_ENDED,   /* the source has ended */
    RELAY_FROM_FAILED,
    RELAY_TO_FAILED,
};

struct pipe_pool *pipe_pool_new(void);
void pipe_pool_free(struct pipe_pool *p);

/* Both hops are plain sockets? */
bool splice_possible(struct hop *a, struct hop *b);
/* One round: into the pipe, out of the pipe. */
enum relay_result splice_once(struct flow *f, struct flow_dir *dir, struct flow_side *from,
                              struct flow_side *to);
/* Give the pipe back; one with bytes inside is closed instead. */
void splice_release(struct flow *f, struct flow_dir *dir);

#endif
