/* SPDX-License-Identifier: Apache-2.0
 * PROXY protocol version 2 headers as NLB writes them.
 *   source  a test vector of AWS's own library
 *           (https://github.com/aws/elastic-load-balancing-tools/tree/master/proprot), and a
 * recorded health check; what NLB adds without PrivateLink and for IPv6 is unknown
 *           (docs/differences.md) */
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
/* The header of a health check: command LOCAL, family TCP over IPv4 but no address block, a
 * checksum and padding: 100 bytes, always the same. Source: recorded from an NLB,
 * https://github.com/kubernetes/kubernetes/issues/57250,
 * https://github.com/pires/go-proxyproto/issues/12 */
size_t proxy_v2_write_local(uint8_t *out);

#endif
