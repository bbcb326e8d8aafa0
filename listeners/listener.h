/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets: open, accept, back off. A socket outlives configuration generations: closing
 * one of several SO_REUSEPORT sockets would reset the connections queued on it
 * (docs/libraries.md). */
#ifndef LISTENERS_LISTENER_H
#define LISTENERS_LISTENER_H

#include <event2/event_struct.h>

#include "core/addr.h"
#include "core/err.h"
#include "flow/flow.h"
#include "listeners/front.h"

/*
 * Open one listening socket (SO_REUSEPORT, so that each worker has its own).
 *   addr     port 0: a free one is picked and written back
 *   returns  the descriptor, or -1 with a sentence that names the address
 */
int listener_open(struct addr *addr, struct err *err);
/* Two processes can share a port silently with SO_REUSEPORT: hold a lock, named by the address, as
 * long as the process listens. Returns its descriptor, -1 when another process holds it. */
int listener_lock(const struct addr *addr, struct err *err);

/* One socket on one worker. */
struct listener {
    struct flow_env *env;
    const struct front *front;
    struct flow_keeper keeper;
    struct addr local;
    bool any_address; /* bound to 0.0.0.0 or ::, so the local address differs per connection */
    int fd;           /* owned */
    struct event accept_event, retry_event;
    bool accepting;
    unsigned batch;        /* connections to take per turn */
    bool waited;           /* for other workers to give descriptors up, since the last accept */
    uint64_t full_said_us; /* when the log last said that resources are out; 0: never */
};
/* Takes `fd`. Begins to accept. 0, or -1. */
int listener_start(struct listener *l, struct flow_env *env, const struct front *front,
                   const struct flow_keeper *keeper, int fd);
/* From now on new connections get this. */
void listener_adopt(struct listener *l, const struct front *front,
                    const struct flow_keeper *keeper);
/* Accept no more; the socket is closed. */
void listener_stop(struct listener *l);

#endif
