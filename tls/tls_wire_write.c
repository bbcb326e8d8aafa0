/* SPDX-License-Identifier: Apache-2.0
 * A ClientHello written by hand, and a look at what came back. */
#include "tls/tls_wire_write.h"

#include <stdio.h>
#include <string.h>

#include "tls/tls_can.h"
#include "tls/tls_wire.h"

struct writer {
    uint8_t *at;
    size_t n;
    bool full;
};

static void put(struct writer *w, const void *data, size_t n)
{
    if (w->n + n > TLS_HELLO_WRITE_MAX) {
        w->full = true;
        return;
    }
    memcpy(w->at + w->n, data, n);
    w->n += n;
}

static void put_u8(struct writer *w, unsigned v)
{
    put(w, &(uint8_t){ (uint8_t)v }, 1);
}

static void put_u16(struct writer *w, unsigned v)
{
    put(w, (uint8_t[2]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

/* Leave room for a length of `width` bytes; length_end() fills it in. */
static size_t length_begin(struct writer *w, size_t width)
{
    put(w, (uint8_t[3]){ 0 }, width);
    return w->n;
}

static void length_end(struct writer *w, size_t begin, size_t width)
{
    size_t n = w->n - begin;

    for (size_t i = 0; i < width && !w->full; i++)
        w->at[begin - 1 - i] = (uint8_t)(n >> (8 * i));
}

static void put_list(struct writer *w, struct tls_list list)
{
    for (size_t i = 0; i < list.count; i++)
        put_u16(w, list.at[i]);
}

static void put_list_extension(struct writer *w, unsigned type, struct tls_list list)
{
    if (list.count == 0)
        return;
    put_u16(w, type);
    put_u16(w, (unsigned)(2 * list.count + 2));
    put_u16(w, (unsigned)(2 * list.count));
    put_list(w, list);
}

static void put_sni(struct writer *w, const char *name)
{
    size_t n = strlen(name);

    put_u16(w, TLS_EXT_server_name);
    put_u16(w, (unsigned)(n + 5));
    put_u16(w, (unsigned)(n + 3));
    put_u8(w, 0); /* a host name */
    put_u16(w, (unsigned)n);
    put(w, name, n);
}

/* Any point of the group will do: nobody has, or needs, the key to it. X25519: 9; P-256: the
 * curve's generator (RFC 7748; SEC 2). A server that likes neither asks for another, which is an
 * answer. */
static void put_key_share(struct writer *w, struct tls_list groups)
{
    static const uint8_t nine[32] = { 9 };
    static const uint8_t generator[65] = {
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
        0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
        0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
        0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
        0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
    };
    size_t body, list, key;

    put_u16(w, TLS_EXT_key_share);
    body = length_begin(w, 2);
    list = length_begin(w, 2);
    if (tls_list_has(groups, TLS_GROUP_secp256r1)) {
        put_u16(w, TLS_GROUP_secp256r1);
        key = length_begin(w, 2);
        put(w, generator, sizeof generator);
        length_end(w, key, 2);
    }
    if (tls_list_has(groups, TLS_GROUP_x25519)) {
        put_u16(w, TLS_GROUP_x25519);
        key = length_begin(w, 2);
        put(w, nine, sizeof nine);
        length_end(w, key, 2);
    }
    length_end(w, list, 2);
    length_end(w, body, 2);
}

static void put_extensions(struct writer *w, const struct tls_full_offer *o)
{
    size_t all = length_begin(w, 2);

    if (o->sni != NULL)
        put_sni(w, o->sni);
    put_list_extension(w, TLS_EXT_supported_groups, o->groups);
    put_u16(w, TLS_EXT_ec_point_formats);
    put(w, (uint8_t[4]){ 0, 2, 1, 0 }, 4);
    put_list_extension(w, TLS_EXT_signature_algorithms, o->sigs);
    put_u16(w, TLS_EXT_extended_master_secret);
    put_u16(w, 0);
    if (tls_list_has(o->versions, TLS_1_3)) {
        put_u16(w, TLS_EXT_supported_versions);
        put_u16(w, (unsigned)(2 * o->versions.count + 1));
        put_u8(w, (unsigned)(2 * o->versions.count));
        put_list(w, o->versions);
        put_u16(w, TLS_EXT_psk_key_exchange_modes);
        put(w, (uint8_t[4]){ 0, 2, 1, 1 }, 4);
        put_key_share(w, o->groups);
    }
    length_end(w, all, 2);
}

size_t tls_hello_write(const struct tls_full_offer *o, uint8_t out[TLS_HELLO_WRITE_MAX])
{
    static const uint8_t random[32] = "nlbsim asks: would you answer?";
    struct writer w = { .at = out };
    uint16_t newest = o->versions.count == 0 ? TLS_1_2 : o->versions.at[0];
    size_t record, message;

    put_u8(&w, 22); /* handshake */
    put_u16(&w, 0x0301);
    record = length_begin(&w, 2);
    put_u8(&w, TLS_HANDSHAKE_client_hello);
    message = length_begin(&w, 3);
    put_u16(&w, newest > TLS_1_2 ? TLS_1_2 : newest);
    put(&w, random, sizeof random);
    put_u8(&w, sizeof random); /* a session id, as TLS 1.3 clients send for old middleboxes */
    put(&w, random, sizeof random);
    put_u16(&w, (unsigned)(2 * o->suites.count + 2));
    put_list(&w, o->suites);
    put_u16(&w, TLS_SCSV_RENEGOTIATION);
    put(&w, (uint8_t[2]){ 1, 0 }, 2); /* no compression */
    put_extensions(&w, o);
    length_end(&w, message, 3);
    length_end(&w, record, 2);
    return w.full ? 0 : w.n;
}

bool tls_offer_is_more_than_ours(const struct tls_full_offer *o)
{
    for (size_t i = 0; i < o->versions.count; i++) {
        if (!tls_can_version(o->library, o->versions.at[i]))
            return true;
    }
    for (size_t i = 0; i < o->suites.count; i++) {
        if (!tls_can_suite(o->library, o->suites.at[i]))
            return true;
    }
    for (size_t i = 0; i < o->groups.count; i++) {
        if (!tls_can_group(o->library, o->groups.at[i]))
            return true;
    }
    for (size_t i = 0; i < o->sigs.count; i++) {
        if (!tls_can_sig(o->library, o->sigs.at[i], TLS_1_2))
            return true;
    }
    return false;
}

bool tls_hello_answer_read(struct tls_hello_answer *a, const uint8_t *data, size_t n)
{
    struct tls_sniffer s;
    unsigned seen;

    memset(a, 0, sizeof *a);
    tls_sniffer_init(&s);
    (void)tls_sniffer_feed(&s, data, n);
    seen = s.seen;
    a->answered = (seen & (TLS_SAW_SERVER_HELLO | TLS_SAW_RETRY)) != 0;
    a->version = s.version;
    a->suite = s.suite;
    tls_sniffer_clear(&s);
    return a->answered || (seen & (TLS_SAW_ALERT | TLS_SAW_NOT_TLS | TLS_SAW_MALFORMED)) != 0;
}

const char *tls_hello_answer_lacking(const struct tls_hello_answer *a, enum tls_library library,
                                     char *out, size_t size)
{
    char name[TLS_NAME_MAX];

    if (a->version != 0 && !tls_can_version(library, a->version))
        snprintf(out, size, "%s", tls_version_text(a->version, name));
    else if (a->suite != 0 && !tls_can_suite(library, a->suite))
        snprintf(out, size, "%s", tls_suite_text(a->suite, name));
    else
        snprintf(out, size,
                 "RSA-PSS or Edwards-curve keys, RSA-PSS signatures in TLS 1.2, or a group");
    return out;
}
