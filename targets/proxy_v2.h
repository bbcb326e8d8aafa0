/* SPDX-License-Identifier: Apache-2.0
 * PROXY protocol version 2 headers as NLB writes them.
 *   source  a test vector of AWS's own library (facts: nlb.md, section 8); what NLB adds without
 *           PrivateLink, for IPv6 and on health checks is unknown (docs/differences.md) */
#ifndef TARGETS_PROXY_V2_H
#define TARGETS_PROXY_V2_H

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define PROXY_V2_MAX          160
#define PROXY_V2_ENDPOINT_MAX 64 /* bytes of an endpoint ID */

/*
 * The header of a connection.
 *   source, destination  the client, and the address that it connected to; of one family
 *   endpoint             "vpce-…", for the AWS TLV; NULL: none
 *   returns              bytes written, at most PROXY_V2_MAX
 */
size_t proxy_v2_write(uint8_t *out, const struct addr *source, const struct addr *destination,
                      const char *endpoint);
/* The header of a health check: command LOCAL, without addresses. */
size_t proxy_v2_write_local(uint8_t *out);
/* CRC-32C (Castagnoli), as RFC 3720 has it. */
uint32_t proxy_v2_crc32c(const uint8_t *data, size_t n);

#endif
