/* SPDX-License-Identifier: Apache-2.0
 * Kept connections to one endpoint: the one that was used last serves next, as Apache HttpCore's
 * pool does (httpcore, org.apache.http.pool.RouteSpecificPool).
 *
 * How many API Gateway keeps, for how long, and whether it looks before it uses one again is
 * unknown. Logs of its users show "Connection is closed" and "Connection reset by peer" where a
 * far side had dropped what was kept, so nothing is looked at here: the call finds out. */
#ifndef VPCLINK_POOL_H
#define VPCLINK_POOL_H

#include <stdint.h>

struct event_base;
struct hop;
struct pool;

/* `idle_ms`: a connection that served nobody for so long is closed; 0: never. NULL: no memory. */
struct pool *pool_new(struct event_base *base, uint64_t idle_ms);
/* Close all in order and free; NULL is fine. */
void pool_free(struct pool *p);
/* Keep `hop` (taken). `number` comes back with it. */
void pool_keep(struct pool *p, struct hop *hop, unsigned number);
/* A kept connection, the caller's now; NULL: there is none. */
struct hop *pool_take(struct pool *p, unsigned *number);
/* Close all of them, in order. */
void pool_close(struct pool *p);

#endif
