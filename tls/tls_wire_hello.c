/* SPDX-License-Identifier: Apache-2.0
 * The first bytes of a connection: put a ClientHello together from records, or say what came
 * instead. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "tls/tls_wire.h"

enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_MAX = 16384 };

/* What speaks first on a port that expects TLS. Shortest first bytes that are proof enough. */
static const struct greeting {
    const char *bytes;
    size_t n;
    enum tls_first verdict;
} greetings[] = {
    { "GET ", 4, TLS_FIRST_HTTP },
    { "HEAD ", 5, TLS_FIRST_HTTP },
    { "POST ", 5, TLS_FIRST_HTTP },
    { "PUT ", 4, TLS_FIRST_HTTP },
    { "DELETE ", 7, TLS_FIRST_HTTP },
    { "OPTIONS ", 8, TLS_FIRST_HTTP },
    { "PATCH ", 6, TLS_FIRST_HTTP },
    { "CONNECT ", 8, TLS_FIRST_HTTP },
    { "TRACE ", 6, TLS_FIRST_HTTP },
    { "PRI * HTTP/2.0", 14, TLS_FIRST_HTTP },           /* RFC 9113 3.4 */
    { "PROXY ", 6, TLS_FIRST_PROXY_V1 },                /* HAProxy's proxy-protocol.txt 2.1 */
    { "\r\n\r\n\0\r\nQUIT\n", 12, TLS_FIRST_PROXY_V2 }, /* the same, 2.2 */
};

void tls_hello_reader_init(struct tls_hello_reader *r)
{
    memset(r, 0, sizeof *r);
    r->max = TLS_HELLO_MAX;
}

void tls_hello_reader_clear(struct tls_hello_reader *r)
{
    const size_t max = r->max;

    free(r->heap);
    memset(r, 0, sizeof *r);
    r->max = max;
}

static enum tls_first malformed(struct tls_hello_reader *r, const char *why)
{
    r->why = why;
    return TLS_FIRST_MALFORMED;
}

/* The first bytes are no TLS record: what are they? MORE while two answers are possible. */
static enum tls_first name_greeting(const struct tls_hello_reader *r)
{
    const uint8_t *p = r->prefix;
    size_t n = r->prefix_len;

    for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
        size_t both = n < greetings[i].n ? n : greetings[i].n;

        if (memcmp(p, greetings[i].bytes, both) == 0)
            return n >= greetings[i].n ? greetings[i].verdict : TLS_FIRST_MORE;
    }
    /* SSLv2: two length bytes with the high bit, CLIENT-HELLO (1), version 0.2 or 3.x (RFC 5246
     * E.2). */
    if ((p[0] & 0x80) != 0) {
        if (n < 4)
            return n < 3 || p[2] == 1 ? TLS_FIRST_MORE : TLS_FIRST_NOT_TLS;
        if (p[2] == 1 && (p[3] == 0 || p[3] == 3))
            return TLS_FIRST_SSLV2;
    }
    return TLS_FIRST_NOT_TLS;
}

/* Take bytes until `need` of them are in `to`; true when they are. */
static bool gather(uint8_t *to, uint8_t *have, uint8_t need, struct bytes *in)
{
    while (*have < need && in->left > 0)
        to[(*have)++] = bytes_u8(in);
    return *have == need;
}

static enum tls_first begin(struct tls_hello_reader *r, struct bytes *in)
{
    enum tls_first verdict = TLS_FIRST_MORE;

    if (r->prefix_len == 0 && (in->at[0] == RECORD_HANDSHAKE || in->at[0] == RECORD_ALERT)) {
        r->is_tls = true;
        return TLS_FIRST_MORE;
    }
    while (verdict == TLS_FIRST_MORE && in->left > 0 && r->prefix_len < sizeof r->prefix) {
        r->prefix[r->prefix_len++] = bytes_u8(in);
        verdict = name_greeting(r);
    }
    return verdict;
}

static enum tls_first begin_hello_record(struct tls_hello_reader *r)
{
    struct bytes h = bytes_of(r->header, sizeof r->header);
    uint8_t type = bytes_u8(&h);
    uint16_t version = bytes_u16(&h);

    r->record_left = bytes_u16(&h);
    if (r->records == 0)
        r->record_version = version;
    if (version >> 8 != 3)
        return r->records == 0 ? TLS_FIRST_NOT_TLS : malformed(r, "record version");
    if (type == RECORD_ALERT)
        return r->record_left == 2 ? TLS_FIRST_MORE : malformed(r, "length of an alert record");
    if (type != RECORD_HANDSHAKE)
        return malformed(r, "a record of another type inside the ClientHello");
    if (r->record_left == 0)
        return malformed(r, "an empty handshake record"); /* RFC 8446 5.1 */
    if (r->record_left > RECORD_MAX)
        return malformed(r, "record longer than 16384 bytes");
    if (r->records < UINT16_MAX)
        r->records++;
    return TLS_FIRST_MORE;
}

static enum tls_first read_hello_alert(struct tls_hello_reader *r, struct bytes *in)
{
    while (r->record_left > 0 && in->left > 0) {
        uint8_t byte = bytes_u8(in);

        if (r->record_left-- == 2)
            r->alert_level = byte;
        else
            r->alert_number = byte;
    }
    return r->record_left == 0 ? TLS_FIRST_ALERT : TLS_FIRST_MORE;
}

static size_t message_size(const struct tls_hello_reader *r)
{
    struct bytes h = bytes_of(r->msg_header, sizeof r->msg_header);

    bytes_u8(&h);
    return bytes_u24(&h);
}

static enum tls_first append(struct tls_hello_reader *r, struct bytes part)
{
    if (r->heap_len + part.left > r->heap_cap) {
        /* Grow with what has come, not with what was announced: a peer pays for our memory. */
        size_t cap = r->heap_cap == 0 ? 1024 : r->heap_cap * 2;
        uint8_t *heap;

        while (cap < r->heap_len + part.left)
            cap *= 2;
        heap = realloc(r->heap, cap);
        if (heap == NULL)
            return malformed(r, "out of memory");
        r->heap = heap;
        r->heap_cap = cap;
    }
    memcpy(r->heap + r->heap_len, part.at, part.left);
    r->heap_len += part.left;
    return TLS_FIRST_MORE;
}

/* `past`: bytes of this piece of the record beyond the hello; `in` stands behind the piece. */
static enum tls_first whole(struct tls_hello_reader *r, const uint8_t *body, size_t size,
                            size_t past, const struct bytes *in)
{
    r->body = body;
    r->body_len = size;
    r->rest = in->at - past;
    r->rest_len = in->left + past;
    r->in_record = past + r->record_left;
    return TLS_FIRST_HELLO;
}

/* One piece of a handshake record. */
static enum tls_first read_hello_handshake(struct tls_hello_reader *r, struct bytes *in)
{
    struct bytes part = bytes_take(in, in->left < r->record_left ? in->left : r->record_left);
    enum tls_first verdict;
    size_t size, past = 0;

    r->record_left = (uint16_t)(r->record_left - part.left);
    if (!gather(r->msg_header, &r->msg_header_len, sizeof r->msg_header, &part))
        return TLS_FIRST_MORE;
    if (r->msg_header[0] != TLS_HANDSHAKE_client_hello)
        return malformed(r, "the first handshake message is no ClientHello");
    size = message_size(r);
    if (size > r->max)
        return TLS_FIRST_TOO_LARGE;
    if (r->heap_len == 0 && part.left >= size) /* all here: nothing to copy */
        return whole(r, part.at, size, part.left - size, in);
    if (part.left > size - r->heap_len) {
        past = part.left - (size - r->heap_len);
        part.left -= past;
    }
    verdict = part.left == 0 ? TLS_FIRST_MORE : append(r, part);
    if (verdict == TLS_FIRST_MORE && r->heap_len == size)
        return whole(r, r->heap, size, past, in);
    return verdict;
}

static enum tls_first read_record(struct tls_hello_reader *r, struct bytes *in)
{
    enum tls_first verdict = TLS_FIRST_MORE;

    if (r->header_len < sizeof r->header) {
        if (!gather(r->header, &r->header_len, sizeof r->header, in))
            return TLS_FIRST_MORE;
        verdict = begin_hello_record(r);
    }
    if (verdict == TLS_FIRST_MORE && in->left > 0)
        verdict =
            r->header[0] == RECORD_ALERT ? read_hello_alert(r, in) : read_hello_handshake(r, in);
    if (verdict == TLS_FIRST_MORE && r->record_left == 0)
        r->header_len = 0;
    return verdict;
}

enum tls_first tls_hello_reader_feed(struct tls_hello_reader *r, const void *data, size_t n)
{
    struct bytes in = bytes_of(data, n);

    while (r->verdict == TLS_FIRST_MORE && in.left > 0)
        r->verdict = r->is_tls ? read_record(r, &in) : begin(r, &in);
    return r->verdict;
}

const char *tls_first_text(enum tls_first verdict)
{
    switch (verdict) {
    case TLS_FIRST_MORE:
        return "incomplete ClientHello";
    case TLS_FIRST_HELLO:
        return "ClientHello";
    case TLS_FIRST_HTTP:
        return "plain HTTP request";
    case TLS_FIRST_SSLV2:
        return "SSLv2 ClientHello";
    case TLS_FIRST_PROXY_V1:
        return "PROXY protocol version 1 header";
    case TLS_FIRST_PROXY_V2:
        return "PROXY protocol version 2 header";
    case TLS_FIRST_ALERT:
        return "TLS alert instead of a ClientHello";
    case TLS_FIRST_NOT_TLS:
        return "no TLS record";
    case TLS_FIRST_MALFORMED:
        return "malformed ClientHello";
    case TLS_FIRST_TOO_LARGE:
        return "ClientHello too large";
    }
    return "no TLS record";
}
