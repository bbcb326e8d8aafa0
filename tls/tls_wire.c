/* SPDX-License-Identifier: Apache-2.0
 * One direction of a TLS connection as it passes: struct tls_sniffer. */
#include "tls/tls_wire.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

enum { RECORD_CCS = 20, RECORD_ALERT, RECORD_HANDSHAKE, RECORD_DATA, RECORD_HEARTBEAT };
enum { RECORD_MAX = 16384 + 2048 }; /* RFC 5246 6.2.3: the longest encrypted record */
enum { NAMED_CURVE = 3 };           /* RFC 8422 5.4: ServerKeyExchange, ECCurveType */

void tls_sniffer_init(struct tls_sniffer *s)
{
    memset(s, 0, sizeof *s);
}

void tls_sniffer_pair(struct tls_sniffer *a, struct tls_sniffer *b)
{
    a->peer = b;
    b->peer = a;
}

void tls_sniffer_clear(struct tls_sniffer *s)
{
    if (s->peer != NULL)
        s->peer->peer = NULL;
    free(s->msg);
    free(s->chain);
    memset(s, 0, sizeof *s);
}

/* --- messages --- */

static void note_alpn(struct tls_sniffer *s, struct bytes body)
{
    struct bytes list = bytes_vec(&body, 2);
    struct bytes name = bytes_vec(&list, 1);

    if (list.bad)
        return;
    if (name.left > sizeof s->alpn - 1)
        name.left = sizeof s->alpn - 1;
    memcpy(s->alpn, name.at, name.left);
    s->alpn_len = (uint8_t)name.left;
    s->alpn[name.left] = '\0';
}

static void note_hello_extension(struct tls_sniffer *s, uint16_t type, struct bytes body,
                                 uint16_t *version, uint16_t *group)
{
    switch (type) {
    case TLS_EXT_supported_versions:
        *version = bytes_u16(&body);
        break;
    case TLS_EXT_key_share:
        *group = bytes_u16(&body);
        break;
    case TLS_EXT_pre_shared_key:
        s->psk_accepted = true;
        break;
    case TLS_EXT_extended_master_secret:
        s->extended_master_secret = true;
        break;
    case TLS_EXT_renegotiation_info:
        s->secure_renegotiation = true;
        break;
    case TLS_EXT_application_layer_protocol_negotiation:
        note_alpn(s, body);
        break;
    default:
        break;
    }
}

static void set_version(struct tls_sniffer *s, uint16_t version)
{
    s->version = version;
    if (s->peer != NULL)
        s->peer->version = version;
}

static unsigned read_server_hello(struct tls_sniffer *s, struct bytes b)
{
    /* RFC 8446 4.1.3: the random of a HelloRetryRequest, and the ends that warn of a downgrade. */
    static const uint8_t retry[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                       0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                       0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                       0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };
    static const char sentinel[] = "DOWNGRD";
    uint16_t version = bytes_u16(&b), suite, group = 0;
    struct bytes random = bytes_take(&b, 32), list;
    bool is_retry = bytes_eq(random, retry, sizeof retry);

    bytes_vec(&b, 1); /* session id */
    suite = bytes_u16(&b);
    bytes_u8(&b); /* compression */
    if (b.bad)
        return TLS_SAW_MALFORMED;
    list = bytes_vec(&b, 2); /* RFC 5246: may be absent, then it is empty */
    while (list.left > 0) {
        uint16_t type = bytes_u16(&list);
        struct bytes body = bytes_vec(&list, 2);

        if (list.bad)
            return TLS_SAW_MALFORMED;
        note_hello_extension(s, type, body, &version, &group);
    }
    set_version(s, version);
    s->suite = suite;
    if (is_retry) {
        s->retry_group = group;
        return TLS_SAW_RETRY;
    }
    s->group = group;
    s->downgrade_sentinel = memcmp(random.at + 24, sentinel, 7) == 0;
    return TLS_SAW_SERVER_HELLO;
}

/* Keep a message for good: takes it over from the gathering buffer when it is there. */
static bool keep_message(struct tls_sniffer *s, struct bytes b, uint8_t **to, uint32_t *to_len)
{
    uint8_t *copy = s->msg;

    free(*to);
    *to = NULL;
    *to_len = 0;
    if (copy != NULL) {
        s->msg = NULL;
    } else {
        copy = malloc(b.left + 1);
        if (copy == NULL)
            return false;
        memcpy(copy, b.at, b.left);
    }
    *to = copy;
    *to_len = (uint32_t)b.left;
    return true;
}

static unsigned read_key_exchange(struct tls_sniffer *s, struct bytes b)
{
    if (bytes_u8(&b) == NAMED_CURVE)
        s->group = bytes_u16(&b);
    return TLS_SAW_KEY_EXCHANGE;
}

/* A whole message (of a key exchange only the first bytes). */
static unsigned read_message(struct tls_sniffer *s, uint8_t type, struct bytes b)
{
    switch (type) {
    case TLS_HANDSHAKE_server_hello:
        return read_server_hello(s, b);
    case TLS_HANDSHAKE_certificate:
        return keep_message(s, b, &s->chain, &s->chain_len) ? TLS_SAW_CERTIFICATE
                                                            : TLS_SAW_OTHER_HANDSHAKE;
    case TLS_HANDSHAKE_certificate_request:
        return TLS_SAW_CERT_REQUEST;
    case TLS_HANDSHAKE_server_key_exchange:
        return read_key_exchange(s, b);
    default:
        return TLS_SAW_OTHER_HANDSHAKE;
    }
}

/* How many bytes of a message are worth keeping; 0: only that it came. */
static uint32_t wanted(uint8_t type, uint32_t len)
{
    uint32_t most = 0;

    switch (type) {
    case TLS_HANDSHAKE_server_hello:
        most = TLS_SNIFF_HELLO_MAX;
        break;
    case TLS_HANDSHAKE_certificate:
        most = TLS_SNIFF_CHAIN_MAX;
        break;
    case TLS_HANDSHAKE_certificate_request: /* that it came is enough */
        return len < 1 ? len : 1;
    case TLS_HANDSHAKE_server_key_exchange:
        return len < 3 ? len : 3;
    default:
        break;
    }
    return len <= most ? len : 0; /* half a chain would mislead: all or nothing */
}

/* A message whose body tells nothing here. */
static unsigned note_type(uint8_t type)
{
    switch (type) {
    case TLS_HANDSHAKE_client_hello:
        return TLS_SAW_CLIENT_HELLO;
    case TLS_HANDSHAKE_server_hello_done:
        return TLS_SAW_HELLO_DONE;
    case TLS_HANDSHAKE_certificate_verify:
        return TLS_SAW_CERT_VERIFY;
    case TLS_HANDSHAKE_new_session_ticket:
        return TLS_SAW_TICKET;
    default:
        return TLS_SAW_OTHER_HANDSHAKE;
    }
}

/* Gather the wanted start of a message over records; true when it is there (in *whole). */
static bool gather_message(struct tls_sniffer *s, struct bytes part, uint32_t want,
                           struct bytes *whole)
{
    if (s->msg == NULL && s->msg_got == 0 && part.left >= want) {
        *whole = bytes_of(part.at, want); /* all in this chunk: nothing to copy */
        s->msg_got = want;
        return true;
    }
    if (part.left > want - s->msg_got)
        part.left = want - s->msg_got;
    if (s->msg_got + part.left > s->msg_cap || s->msg == NULL) {
        /* Grow with what has come: an announced length costs nothing. */
        uint32_t cap = s->msg_got + (uint32_t)part.left;
        uint8_t *grown;

        cap = cap < 512 ? 512 : cap > want / 2 ? want : cap * 2;
        grown = realloc(s->msg, cap);
        if (grown == NULL) {
            s->msg_got = want; /* lost: the rest of this message is passed over */
            return false;
        }
        s->msg = grown;
        s->msg_cap = cap;
    }
    if (part.left > 0)
        memcpy(s->msg + s->msg_got, part.at, part.left);
    s->msg_got += (uint32_t)part.left;
    *whole = bytes_of(s->msg, want);
    return s->msg_got == want;
}

static void end_message(struct tls_sniffer *s)
{
    free(s->msg);
    s->msg = NULL;
    s->msg_got = s->msg_cap = 0;
    s->msg_header_len = 0;
}

/* Plaintext handshake bytes: any number of messages, or a part of one. */
static unsigned read_handshake(struct tls_sniffer *s, struct bytes in)
{
    unsigned saw = 0;

    while (in.left > 0) {
        struct bytes part, whole;
        uint32_t want;

        if (s->msg_header_len < sizeof s->msg_header) {
            s->msg_header[s->msg_header_len++] = bytes_u8(&in);
            if (s->msg_header_len < sizeof s->msg_header)
                continue;
            s->msg_len = (uint32_t)s->msg_header[1] << 16 | (uint32_t)s->msg_header[2] << 8 |
                         s->msg_header[3];
            s->msg_left = s->msg_len;
            if (wanted(s->msg_header[0], s->msg_len) == 0)
                saw |= note_type(s->msg_header[0]);
        }
        part = bytes_take(&in, in.left < s->msg_left ? in.left : s->msg_left);
        s->msg_left -= (uint32_t)part.left;
        want = wanted(s->msg_header[0], s->msg_len);
        if (s->msg_got < want && gather_message(s, part, want, &whole))
            saw |= read_message(s, s->msg_header[0], whole);
        if (s->msg_left == 0)
            end_message(s);
    }
    return saw;
}

/* --- records --- */

/* Alert records are two bytes in the clear and longer when encrypted, in every version: that is
 * how the plaintext alert of an OpenSSL client inside an encrypted TLS 1.3 handshake is told. */
static unsigned read_alert(struct tls_sniffer *s, struct bytes in)
{
    while (in.left > 0) {
        s->alert_buf[s->alert_len++] = bytes_u8(&in);
        if (s->alert_len < sizeof s->alert_buf)
            continue;
        s->alert_len = 0;
        s->last_alert_level = s->alert_buf[0];
        s->last_alert_number = s->alert_buf[1];
        if (s->alerts++ == 0) {
            s->alert_level = s->alert_buf[0];
            s->alert_number = s->alert_buf[1];
        }
        return TLS_SAW_ALERT;
    }
    return 0;
}

static bool record_is_plain(const struct tls_sniffer *s)
{
    switch (s->type) {
    case RECORD_ALERT:
        return s->record_len == 2;
    case RECORD_HANDSHAKE:
        /* TLS 1.3 hides what is encrypted behind application_data; ChangeCipherSpec means nothing
         * there, and after a HelloRetryRequest plain hellos follow it. */
        return !s->encrypted || s->version == TLS_1_3;
    default:
        return false;
    }
}

static unsigned begin_record(struct tls_sniffer *s)
{
    struct bytes h = bytes_of(s->header, sizeof s->header);
    unsigned saw = 0;
    uint8_t major;

    s->type = bytes_u8(&h);
    major = bytes_u8(&h);
    bytes_u8(&h);
    s->record_len = s->record_left = bytes_u16(&h);
    if (s->type < RECORD_CCS || s->type > RECORD_HEARTBEAT || major != 3 ||
        s->record_len > RECORD_MAX)
        return TLS_SAW_NOT_TLS;
    s->records++;
    s->plain = record_is_plain(s); /* once: a hello inside must not change how the rest is read */
    if (s->type == RECORD_CCS) {
        saw = TLS_SAW_CCS;
        if ((s->seen & TLS_SAW_SERVER_HELLO) != 0 && (s->seen & TLS_SAW_CERTIFICATE) == 0 &&
            s->version != TLS_1_3)
            s->session_resumed_hint = true;
        s->encrypted = true;
    } else if (s->type == RECORD_DATA) {
        saw = TLS_SAW_APP_DATA | TLS_SAW_ENCRYPTED;
    } else if (s->type == RECORD_HANDSHAKE) {
        s->handshake_bytes += s->record_len;
        saw = s->plain ? 0 : TLS_SAW_ENCRYPTED;
    } else if (s->type == RECORD_ALERT && s->record_len != 2) {
        s->encrypted_alerts++;
        saw = TLS_SAW_ENCRYPTED_ALERT;
    }
    if ((saw & (TLS_SAW_ENCRYPTED | TLS_SAW_ENCRYPTED_ALERT)) != 0 && s->first_encrypted_len == 0) {
        s->first_encrypted_len = s->record_len;
        s->first_encrypted_end = s->octets + s->record_len;
    }
    s->alert_len = 0;
    return saw;
}

unsigned tls_sniffer_feed(struct tls_sniffer *s, const void *data, size_t n)
{
    struct bytes in = bytes_of(data, n);
    unsigned saw = 0;

    while (in.left > 0 && ((s->seen | saw) & TLS_SAW_NOT_TLS) == 0) {
        struct bytes part;

        if (s->header_len < sizeof s->header) {
            s->header[s->header_len++] = bytes_u8(&in);
            s->octets++;
            if (s->header_len < sizeof s->header)
                continue;
            saw |= begin_record(s);
            s->seen |= saw;
            if ((saw & TLS_SAW_NOT_TLS) != 0)
                break;
        }
        part = bytes_take(&in, in.left < s->record_left ? in.left : s->record_left);
        s->record_left = (uint16_t)(s->record_left - part.left);
        s->octets += part.left;
        if (part.left > 0 && s->plain) {
            saw |= s->type == RECORD_ALERT ? read_alert(s, part) : read_handshake(s, part);
            s->seen |= saw;
        }
        if (s->record_left == 0)
            s->header_len = 0;
    }
    s->seen |= saw;
    return saw;
}

/* --- what was kept --- */

/* Entry `i` of a list of vectors. */
static const uint8_t *entry(struct bytes list, unsigned width, size_t i, size_t *len)
{
    while (list.left > 0) {
        struct bytes one = bytes_vec(&list, width);

        if (one.bad)
            return NULL;
        if (i-- == 0) {
            *len = one.left;
            return one.at;
        }
    }
    return NULL;
}

const uint8_t *tls_sniffer_cert(const struct tls_sniffer *s, size_t i, size_t *len)
{
    struct bytes b = bytes_of(s->chain, s->chain_len);

    return entry(bytes_vec(&b, 3), 3, i, len);
}
