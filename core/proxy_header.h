/* SPDX-License-Identifier: Apache-2.0
 * PROXY protocol headers, version 1 and 2, read from the first bytes of a connection.
 * Source: "The PROXY protocol", versions 1 & 2 (haproxy.org, proxy-protocol.txt). */
#ifndef CORE_PROXY_HEADER_H
#define CORE_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define PROXY_HEADER_MAX 4096 /* a longer one is malformed; version 1 ends by itself after 107 */
#define PROXY_TLVS_MAX   32

enum proxy_progress {
    PROXY_NONE,      /* the bytes are no PROXY header */
    PROXY_MORE,      /* they may become one */
    PROXY_HEADER,    /* a whole one: `size` */
    PROXY_MALFORMED, /* it began as one: `why` */
};

struct proxy_tlv {
    uint8_t type;
    const uint8_t *value; /* into the bytes that were read */
    size_t n;
};

struct proxy_header {
    unsigned version;   /* 1 or 2 */
    bool local;         /* version 2 LOCAL: a health check of the proxy itself */
    const char *family; /* "TCP4", "TCP6", "UNKNOWN" and version 2's other families; static */
    struct addr source, destination; /* len 0 for UNKNOWN and LOCAL */
    struct proxy_tlv tlvs[PROXY_TLVS_MAX];
    size_t n_tlvs;
    size_t size;     /* bytes of the whole header */
    const char *why; /* static; what is malformed */
};

/* Look at the first `n` bytes of a connection, again with more of them after PROXY_MORE. */
enum proxy_progress proxy_header_read(struct proxy_header *h, const void *data, size_t n);
/* CRC-32C (Castagnoli), as RFC 3720 has it. */
uint32_t proxy_crc32c(const uint8_t *data, size_t n);
/* "AUTHORITY", "CRC32C", "AWS" ...; NULL for a type without a name. */
const char *proxy_tlv_name(uint8_t type);

#endif
