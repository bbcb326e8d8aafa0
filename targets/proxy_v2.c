/* SPDX-License-Identifier: Apache-2.0
 * PROXY protocol version 2 headers as NLB writes them. */
#include "targets/proxy_v2.h"

#include <string.h>

#include "core/proxy_header.h"

#define HEAD_BYTES 16
/* AWS's vector is padded to this length; where the address family or the endpoint leave less room
 * than a TLV needs there is no padding. */
#define PADDED_BYTES 100

#define COMMAND_LOCAL 0x20
#define COMMAND_PROXY 0x21
#define FAMILY_TCP4   0x11
#define FAMILY_TCP6   0x21

#define TLV_CRC32C  0x03
#define TLV_NOOP    0x04
#define TLV_AWS     0xea
#define AWS_VPCE_ID 0x01
#define TLV_HEAD    3

static const uint8_t signature[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                     0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* A header being written, and where its checksum stands. */
struct header {
    uint8_t *at;
    size_t n, crc_at;
};

static void put(struct header *h, const void *data, size_t n)
{
    memcpy(h->at + h->n, data, n);
    h->n += n;
}

static void put_u8(struct header *h, uint8_t v)
{
    h->at[h->n++] = v;
}

static void put_u16(struct header *h, size_t v)
{
    put_u8(h, (uint8_t)(v >> 8));
    put_u8(h, (uint8_t)v);
}

static void put_tlv(struct header *h, uint8_t type, size_t n)
{
    put_u8(h, type);
    put_u16(h, n);
}

static void begin(struct header *h, uint8_t *out, uint8_t command, uint8_t family)
{
    *h = (struct header){ .at = out };
    put(h, signature, sizeof signature);
    put_u8(h, command);
    put_u8(h, family);
    put_u16(h, 0); /* the length, once it is known */
}

static void put_crc(struct header *h)
{
    put_tlv(h, TLV_CRC32C, 4);
    h->crc_at = h->n;
    put(h, (uint8_t[4]){ 0 }, 4);
}

static void put_endpoint(struct header *h, const char *endpoint)
{
    size_t n = strnlen(endpoint, PROXY_V2_ENDPOINT_MAX);

    put_tlv(h, TLV_AWS, n + 1);
    put_u8(h, AWS_VPCE_ID);
    put(h, endpoint, n);
}

static void put_padding(struct header *h)
{
    if (h->n + TLV_HEAD > PADDED_BYTES)
        return;
    put_tlv(h, TLV_NOOP, PADDED_BYTES - h->n - TLV_HEAD);
    memset(h->at + h->n, 0, PADDED_BYTES - h->n);
    h->n = PADDED_BYTES;
}

/* The checksum is made over the whole header with zeros in its place (proxy-protocol.txt 2.2.3). */
static size_t finish(struct header *h)
{
    uint32_t crc;

    h->at[14] = (uint8_t)((h->n - HEAD_BYTES) >> 8);
    h->at[15] = (uint8_t)(h->n - HEAD_BYTES);
    crc = proxy_crc32c(h->at, h->n);
    for (size_t i = 0; i < 4; i++)
        h->at[h->crc_at + i] = (uint8_t)(crc >> (24 - 8 * i));
    return h->n;
}

static void put_addresses(struct header *h, const struct addr *s, const struct addr *d)
{
    if (s->u.sa.sa_family == AF_INET6) {
        put(h, &s->u.in6.sin6_addr, 16);
        put(h, &d->u.in6.sin6_addr, 16);
    } else {
        put(h, &s->u.in4.sin_addr, 4);
        put(h, &d->u.in4.sin_addr, 4);
    }
    put_u16(h, addr_port(s));
    put_u16(h, addr_port(d));
}

size_t proxy_v2_write(uint8_t *out, const struct addr *source, const struct addr *destination,
                      const char *endpoint)
{
    bool six = source->u.sa.sa_family == AF_INET6;
    struct header h;

    begin(&h, out, COMMAND_PROXY, six ? FAMILY_TCP6 : FAMILY_TCP4);
    put_addresses(&h, source, destination);
    put_crc(&h);
    if (endpoint != NULL)
        put_endpoint(&h, endpoint);
    put_padding(&h);
    return finish(&h);
}

size_t proxy_v2_write_local(uint8_t *out)
{
    struct header h;

    begin(&h, out, COMMAND_LOCAL, FAMILY_TCP4);
    put_crc(&h);
    put_padding(&h);
    return finish(&h);
}
