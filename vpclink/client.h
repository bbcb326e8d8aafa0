/* SPDX-License-Identifier: Apache-2.0
 * API Gateway's HTTP client: connect, TLS, judge, send, read; connections are kept between calls.
 */
#ifndef VPCLINK_CLIENT_H
#define VPCLINK_CLIENT_H

#include "vpclink/gateway.h"

/* One client with at most one kept connection, for one thread. */
struct gateway_link;

/* `task` is borrowed. NULL with the reason in `err`. tls_init() must have been called. */
struct gateway_link *gateway_link_new(const struct gateway_task *task, struct err *err);
/* Close in order (the far side sees close_notify and FIN) and free. NULL is fine. */
void gateway_link_free(struct gateway_link *link);

/*
 * Make one call, waiting at most task->timeout_ms.
 *   out  cleared and filled; the caller frees it (gateway_result_clear)
 * A connection that the answer left usable serves the next call. When the far side has dropped it
 * meanwhile, that call fails as a connection in use fails (catalogue C27, C28): whether API Gateway
 * tries again is unknown.
 */
void gateway_call(struct gateway_link *link, struct gateway_result *out);
/* Close the kept connection, if there is one. */
void gateway_link_close(struct gateway_link *link);

/* The request's head as it goes over the wire, in an allocated text (free); NULL without memory. */
char *gateway_request_head(const struct gateway_task *task);

#endif
