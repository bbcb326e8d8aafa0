/* SPDX-License-Identifier: Apache-2.0
 * Calls for those who have no event loop: each function runs one of its own until all is done. */
#ifndef VPCLINK_LINK_H
#define VPCLINK_LINK_H

#include "vpclink/gateway.h"

/* A client (vpclink/client.h) with a loop, for one thread and one call at a time. */
struct gateway_link;

/* As gateway_client_new(). */
struct gateway_link *gateway_link_new(const struct gateway_task *task, struct err *err);
/* NULL is fine. */
void gateway_link_free(struct gateway_link *link);
/* Make one call and wait for its end; as gateway_call_start(). */
void gateway_link_call(struct gateway_link *link, struct gateway_result *out);
/* Close the kept connection, if there is one. */
void gateway_link_close(struct gateway_link *link);

/* Many calls of one client: `at_once` callers, of which each waits `pause_ms` between its own. */
struct gateway_many {
    const struct gateway_task *task;
    unsigned count, at_once;
    uint64_t pause_ms;
    struct gateway_result *(*result)(void *arg, unsigned i); /* where the call i, from 0, goes */
    void *arg;
};
/* Make them all. 0, or -1 with the reason. */
int gateway_call_many(const struct gateway_many *many, struct err *err);

#endif
