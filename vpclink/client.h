/* SPDX-License-Identifier: Apache-2.0
 * API Gateway's HTTP client on an event loop: calls that connect, speak TLS, judge, send and read
 * without ever waiting; connections are kept between calls. link.h waits for those who have no
 * loop. */
#ifndef VPCLINK_CLIENT_H
#define VPCLINK_CLIENT_H

#include "vpclink/gateway.h"

struct event_base;

/* What the calls to one endpoint share: the TLS configuration and the kept connections. Belongs to
 * one base and its thread; any number of calls may be in progress. */
struct gateway_client;
/* One call in progress. */
struct gateway_call;

/* `task` is read for what concerns TLS, and `task->keep_idle_ms`; what it borrows must outlive the
 * client. NULL with the reason in `err`. tls_init() must have been called. */
struct gateway_client *gateway_client_new(struct event_base *base, const struct gateway_task *task,
                                          struct err *err);
/* Close what is kept, in order (the far side sees close_notify and FIN), and free. No call may be
 * in progress. NULL is fine. */
void gateway_client_free(struct gateway_client *client);
/* Close the kept connections. */
void gateway_client_close_kept(struct gateway_client *client);
/* Are all the connections of calls that are over closed to the end, too? Those of a broken
 * handshake take a moment longer than their call, so that the alert is read. */
bool gateway_client_quiet(const struct gateway_client *client);

/* The call is over and gone; `out` is complete. On the loop, never inside gateway_call_start(). */
typedef void (*gateway_done_cb)(void *arg, struct gateway_result *out);

/*
 * Begin a call that takes at most task->timeout_ms.
 *   task  to the client's endpoint; borrowed until the call is over
 *   out   cleared, then filled; the caller frees it (gateway_result_clear)
 * A connection that an answer left usable serves a later call. When the far side has dropped it
 * meanwhile, that call fails as a connection in use fails (catalogue C27, C28): whether API Gateway
 * tries again is unknown.
 * returns  NULL without memory; then there is no callback
 */
struct gateway_call *gateway_call_start(struct gateway_client *client,
                                        const struct gateway_task *task, struct gateway_result *out,
                                        gateway_done_cb done, void *arg);
/* End it without a callback. */
void gateway_call_cancel(struct gateway_call *call);

#endif
