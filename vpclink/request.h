/* SPDX-License-Identifier: Apache-2.0
 * Pieces of the request that both the wire and the execution log show. */
#ifndef VPCLINK_REQUEST_H
#define VPCLINK_REQUEST_H

#include "vpclink/gateway.h"

/* Did the caller give this header (case does not count)? Then API Gateway adds none of its own. */
bool gateway_has_header(const struct gateway_task *task, const char *name);
/* The value of the Host header: the URI's host (API Gateway guide, "Set up HTTP integrations"). */
const char *gateway_host_header(const struct gateway_task *task, char *out, size_t size);

/* The request's head as it goes over the wire, in an allocated text (free); NULL without memory. */
char *gateway_request_head(const struct gateway_task *task);

#endif
