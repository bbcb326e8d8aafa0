/* SPDX-License-Identifier: Apache-2.0
 * The last word on a call: which hop decided, whose certificate was looked at by whom, what is
 * wrong and what to change. */
#ifndef VPCLINK_VERDICT_H
#define VPCLINK_VERDICT_H

#include "vpclink/far_side.h"
#include "vpclink/texts.h"

/* Bring our own view and the load balancer's event together, before the result is worded: a
 * connection that the simulated listener had to accept and then drop for want of a target was, at
 * AWS, no connection (docs/probe.md). */
void gateway_join(struct gateway_result *r, const struct far_side *far);

/* "caller", "listener", "target", "network", "none"; NULL: it is the hop that terminates TLS, but
 * nobody said whether the listener is TLS or TCP. */
const char *gateway_hop(const struct gateway_task *task, const struct gateway_result *r,
                        const struct far_side *far);

/* The verdict in words, allocated (free); NULL without memory. */
char *gateway_verdict(const struct gateway_task *task, const struct gateway_result *r,
                      const struct gateway_outcome *outcome, const struct far_side *far);

/* "API Gateway sent …" about the stage's client certificate; "" when there is nothing to say.
 * Allocated; part of gateway_verdict(). */
char *gateway_client_cert_note(const struct gateway_task *task, const struct gateway_result *r,
                               const struct far_side *far);

#endif
