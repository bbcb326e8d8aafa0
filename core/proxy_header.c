/* SPDX-License-Identifier: Apache-2.0
 * PROXY protocol headers, version 1 and 2. */
#include "core/proxy_header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/cfg_key.h"

#define TLV_CRC32C 0x03
#define V1_MAX     107 /* proxy-protocol.txt 2.1: with CRLF */

static const char v1_sign[] = "PROXY ";
static const uint8_t v2_sign[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                   0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

static enum proxy_progress malformed(struct proxy_header *h, const char *why)
{
    h->why = why;
    return PROXY_MALFORMED;
}

static bool address_of(struct addr *a, int family, const void *ip, uint16_t port)
{
    memset(a, 0, sizeof *a);
    if (family == AF_INET) {
        memcpy(&a->u.in4.sin_addr, ip, 4);
        a->len = sizeof a->u.in4;
    } else {
        memcpy(&a->u.in6.sin6_addr, ip, 16);
        a->len = sizeof a->u.in6;
    }
    a->u.sa.sa_family = (sa_family_t)family;
    addr_set_port(a, port);
    return true;
}

/* --- version 1: a line of text --- */
static bool text_addr(struct addr *a, int family, const char *host, const char *port)
{
    uint8_t ip[16];
    uint64_t number;

    return inet_pton(family, host, ip) == 1 && cfg_parse_uint(port, 0, 65535, &number) == 0 &&
           address_of(a, family, ip, (uint16_t)number);
}

static enum proxy_progress read_v1(struct proxy_header *h, const char *data, size_t n)
{
    const char *end = memmem(data, n < V1_MAX ? n : V1_MAX, "\r\n", 2);
    char line[V1_MAX + 1], *words[8], *at = line, *save;
    size_t n_words = 0;
    int family;

    h->version = 1;
    if (end == NULL)
        return n < V1_MAX ? PROXY_MORE : malformed(h, "no end of line within 107 bytes");
    memcpy(line, data, (size_t)(end - data));
    line[end - data] = '\0';
    h->size = (size_t)(end - data) + 2;
    for (char *word; n_words < 8 && (word = strtok_r(at, " ", &save)) != NULL; at = NULL)
        words[n_words++] = word;
    if (n_words >= 2 && strcmp(words[1], "UNKNOWN") == 0) {
        h->family = "UNKNOWN";
        return PROXY_HEADER;
    }
    if (n_words != 6)
        return malformed(h, "not six words");
    if (strcmp(words[1], "TCP4") != 0 && strcmp(words[1], "TCP6") != 0)
        return malformed(h, "a family other than TCP4, TCP6 and UNKNOWN");
    family = words[1][3] == '4' ? AF_INET : AF_INET6;
    h->family = family == AF_INET ? "TCP4" : "TCP6";
    if (!text_addr(&h->source, family, words[2], words[4]) ||
        !text_addr(&h->destination, family, words[3], words[5]))
        return malformed(h, "an address or port that is none");
    return PROXY_HEADER;
}

/* --- version 2: binary --- */
static const struct family {
    uint8_t code;
    const char *name;
    int af; /* 0: addresses are skipped */
    size_t bytes;
} families[] = {
    { 0x00, "UNKNOWN", 0, 0 },      { 0x11, "TCP4", AF_INET, 12 },  { 0x12, "UDP4", AF_INET, 12 },
    { 0x21, "TCP6", AF_INET6, 36 }, { 0x22, "UDP6", AF_INET6, 36 }, { 0x31, "UNIX_STREAM", 0, 216 },
    { 0x32, "UNIX_DGRAM", 0, 216 },
};

static const struct family *family_find(uint8_t code)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (families[i].code == code)
            return &families[i];
    }
    return NULL;
}

uint32_t proxy_crc32c(const uint8_t *data, size_t n)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82f63b78U & (0U - (crc & 1)));
    }
    return ~crc;
}

static bool has_crc(const struct proxy_header *h)
{
    for (size_t i = 0; i < h->n_tlvs; i++) {
        if (h->tlvs[i].type == TLV_CRC32C && h->tlvs[i].n == 4)
            return true;
    }
    return false;
}

/* A checksum that is there must fit; it was made with zeros in its place
 * (proxy-protocol.txt 2.2.3). */
static bool crc_fits(const struct proxy_header *h, const uint8_t *data)
{
    uint8_t copy[PROXY_HEADER_MAX];

    for (size_t i = 0; i < h->n_tlvs; i++) {
        const uint8_t *v = h->tlvs[i].value;

        if (h->tlvs[i].type != TLV_CRC32C)
            continue;
        if (h->tlvs[i].n != 4)
            return false;
        memcpy(copy, data, h->size);
        memset(copy + (v - data), 0, 4);
        return proxy_crc32c(copy, h->size) ==
               ((uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3]);
    }
    return true;
}

static enum proxy_progress read_addresses(struct proxy_header *h, const struct family *f,
                                          struct bytes *b)
{
    struct bytes addresses = bytes_take(b, f->bytes);
    const uint8_t *at = addresses.at;
    size_t ip = f->af == AF_INET ? 4 : 16;

    if (addresses.bad)
        return malformed(h, "too short for its addresses");
    if (f->af == 0)
        return PROXY_HEADER;
    address_of(&h->source, f->af, at, (uint16_t)(at[2 * ip] << 8 | at[2 * ip + 1]));
    address_of(&h->destination, f->af, at + ip, (uint16_t)(at[2 * ip + 2] << 8 | at[2 * ip + 3]));
    return PROXY_HEADER;
}

static enum proxy_progress read_tlvs(struct proxy_header *h, struct bytes *b)
{
    while (b->left > 0) {
        uint8_t type = bytes_u8(b);
        struct bytes value = bytes_vec(b, 2);

        if (b->bad || value.bad)
            return malformed(h, "a TLV that goes past the end");
        if (h->n_tlvs == PROXY_TLVS_MAX)
            return malformed(h, "more than 32 TLVs");
        h->tlvs[h->n_tlvs++] = (struct proxy_tlv){ type, value.at, value.left };
    }
    return PROXY_HEADER;
}

/* What follows LOCAL is to be skipped (proxy-protocol.txt 2.2). NLB's health checks name a family
 * and leave its addresses out, others fill them; TLVs are kept where they can be found. */
static void read_local(struct proxy_header *h, const struct family *f, const struct bytes *body)
{
    struct bytes b = *body;

    if (read_tlvs(h, &b) == PROXY_HEADER && (f->bytes == 0 || has_crc(h)))
        return;
    h->n_tlvs = 0;
    b = *body;
    (void)bytes_take(&b, f->bytes);
    if (b.bad || read_tlvs(h, &b) != PROXY_HEADER)
        h->n_tlvs = 0;
    h->why = NULL;
}

static enum proxy_progress read_v2(struct proxy_header *h, const uint8_t *data, size_t n)
{
    struct bytes b = bytes_of(data, n), body;
    const struct family *family;
    uint8_t command, code;
    size_t len;

    h->version = 2;
    if (n < 16)
        return PROXY_MORE;
    (void)bytes_take(&b, sizeof v2_sign);
    command = bytes_u8(&b);
    code = bytes_u8(&b);
    len = bytes_u16(&b);
    h->size = 16 + len;
    h->local = command == 0x20;
    family = family_find(code);
    if (command != 0x20 && command != 0x21)
        return malformed(h, "a version or command that is none");
    if (family == NULL)
        return malformed(h, "an address family that is none");
    if (h->size > PROXY_HEADER_MAX)
        return malformed(h, "longer than 4096 bytes");
    if (n < h->size)
        return PROXY_MORE;
    h->family = family->name;
    body = bytes_take(&b, len);
    if (h->local)
        read_local(h, family, &body);
    else if (read_addresses(h, family, &body) != PROXY_HEADER ||
             read_tlvs(h, &body) != PROXY_HEADER)
        return PROXY_MALFORMED;
    return crc_fits(h, data) ? PROXY_HEADER : malformed(h, "a CRC32C that does not fit");
}

static bool begins(const void *data, size_t n, const void *sign, size_t sign_n)
{
    return memcmp(data, sign, n < sign_n ? n : sign_n) == 0;
}

enum proxy_progress proxy_header_read(struct proxy_header *h, const void *data, size_t n)
{
    memset(h, 0, sizeof *h);
    if (n == 0)
        return PROXY_MORE;
    if (begins(data, n, v1_sign, sizeof v1_sign - 1))
        return n < sizeof v1_sign - 1 ? PROXY_MORE : read_v1(h, data, n);
    if (begins(data, n, v2_sign, sizeof v2_sign))
        return n < sizeof v2_sign ? PROXY_MORE : read_v2(h, data, n);
    return PROXY_NONE;
}

/* proxy-protocol.txt 2.2; AWS's own type: facts about NLB, "PP2_TYPE_AWS". */
const char *proxy_tlv_name(uint8_t type)
{
    switch (type) {
    case 0x01:
        return "ALPN";
    case 0x02:
        return "AUTHORITY";
    case 0x03:
        return "CRC32C";
    case 0x04:
        return "NOOP";
    case 0x05:
        return "UNIQUE_ID";
    case 0x20:
        return "SSL";
    case 0x30:
        return "NETNS";
    case 0xea:
        return "AWS";
    default:
        return NULL;
    }
}
