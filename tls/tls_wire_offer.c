/* SPDX-License-Identifier: Apache-2.0
 * One ClientHello as plain facts: struct tls_offer. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "tls/tls_wire.h"

/* What the first pass finds; lists still as they are on the wire. */
struct found {
    struct bytes suites, versions, groups, sigs, sigs_cert, key_shares, alpn, sni;
    struct bytes extensions;
};

static void note_broken(struct tls_offer *o, const char *what)
{
    if (o->malformed == NULL)
        o->malformed = what;
}

/* A vector that must fill its extension, of two-byte entries when `pairs`. */
static struct bytes whole_vec(struct tls_offer *o, struct bytes body, unsigned width, bool pairs,
                              const char *what)
{
    struct bytes list = bytes_vec(&body, width);

    if (body.bad || body.left != 0 || list.left == 0 || (pairs && list.left % 2 != 0)) {
        note_broken(o, what);
        return bytes_of(NULL, 0);
    }
    return list;
}

static void check_key_shares(struct tls_offer *o, struct bytes list)
{
    while (list.left > 0) {
        bytes_u16(&list);
        bytes_vec(&list, 2);
        if (list.bad)
            note_broken(o, "key_share");
    }
}

static void check_alpn(struct tls_offer *o, struct found *f)
{
    struct bytes list = f->alpn;
    size_t fits = 0;

    while (list.left > 0) {
        struct bytes name = bytes_vec(&list, 1);

        if (list.bad || name.left == 0) {
            note_broken(o, "ALPN");
            break;
        }
        if (f->alpn.left - list.left > TLS_OFFER_ALPN_MAX) {
            o->truncated = true;
            break;
        }
        fits = f->alpn.left - list.left;
        if (o->alpn_count < UINT8_MAX)
            o->alpn_count++;
    }
    f->alpn.left = fits;
}

/* RFC 6066 3: a list of names by type; only host_name (0) exists. */
static void find_sni(struct tls_offer *o, struct bytes body, struct found *f)
{
    struct bytes list = bytes_vec(&body, 2);

    o->sni_state = TLS_SNI_MALFORMED;
    if (body.bad || body.left != 0)
        return;
    while (list.left > 0) {
        uint8_t type = bytes_u8(&list);
        struct bytes name = bytes_vec(&list, 2);

        if (list.bad)
            return;
        if (type != 0)
            continue;
        if (name.left == 0 || memchr(name.at, 0, name.left) != NULL)
            return;
        o->sni_state = name.left > TLS_OFFER_SNI_MAX ? TLS_SNI_TOO_LONG : TLS_SNI_NAME;
        if (name.left > TLS_OFFER_SNI_MAX)
            name.left = TLS_OFFER_SNI_MAX;
        f->sni = name;
        return;
    }
}

static void find_list(struct tls_offer *o, uint16_t type, struct bytes body, struct found *f)
{
    switch (type) {
    case TLS_EXT_supported_versions:
        f->versions = whole_vec(o, body, 1, true, "supported_versions");
        break;
    case TLS_EXT_supported_groups:
        f->groups = whole_vec(o, body, 2, true, "supported_groups");
        break;
    case TLS_EXT_signature_algorithms:
        f->sigs = whole_vec(o, body, 2, true, "signature_algorithms");
        break;
    case TLS_EXT_signature_algorithms_cert:
        f->sigs_cert = whole_vec(o, body, 2, true, "signature_algorithms_cert");
        break;
    case TLS_EXT_application_layer_protocol_negotiation:
        o->has_alpn = true;
        f->alpn = whole_vec(o, body, 2, false, "ALPN");
        check_alpn(o, f);
        break;
    case TLS_EXT_key_share:
        f->key_shares = bytes_vec(&body, 2); /* may be empty: a retry is asked for (RFC 8446) */
        if (body.bad || body.left != 0)
            note_broken(o, "key_share");
        check_key_shares(o, f->key_shares);
        break;
    case TLS_EXT_server_name:
        find_sni(o, body, f);
        break;
    default:
        break;
    }
}

static void note_flag(struct tls_offer *o, uint16_t type, struct bytes body)
{
    switch (type) {
    case TLS_EXT_session_ticket:
        o->session_ticket = true;
        o->session_ticket_data = body.left > 0;
        break;
    case TLS_EXT_pre_shared_key:
        o->psk = true;
        break;
    case TLS_EXT_early_data:
        o->early_data = true;
        break;
    case TLS_EXT_extended_master_secret:
        o->extended_master_secret = true;
        break;
    case TLS_EXT_renegotiation_info:
        o->secure_renegotiation = true;
        break;
    case TLS_EXT_cookie:
        o->cookie = true;
        break;
    case TLS_EXT_status_request:
        o->ocsp = true;
        break;
    case TLS_EXT_post_handshake_auth:
        o->post_handshake_auth = true;
        break;
    case TLS_EXT_encrypted_client_hello:
        o->encrypted_client_hello = true;
        break;
    default:
        break;
    }
}

/* First pass over the extensions; returns how many there are. The first of a kind counts. */
static size_t find_extensions(struct tls_offer *o, struct bytes list, struct found *f)
{
    uint8_t met[65536 / 8] = { 0 };
    size_t n = 0;

    while (list.left > 0) {
        const size_t before = list.left;
        uint16_t type = bytes_u16(&list);
        struct bytes body = bytes_vec(&list, 2);

        if (list.bad) {
            note_broken(o, "extensions");
            f->extensions.left -= before;
            return n;
        }
        n++;
        if ((met[type / 8] & 1U << type % 8) != 0)
            continue;
        met[type / 8] |= (uint8_t)(1U << type % 8);
        find_list(o, type, body, f);
        note_flag(o, type, body);
    }
    return n;
}

static size_t kept(struct tls_offer *o, size_t entries)
{
    if (entries > TLS_OFFER_LIST_MAX) {
        o->truncated = true;
        return TLS_OFFER_LIST_MAX;
    }
    return entries;
}

/* Where the next list of the block goes. */
struct filler {
    uint16_t *at;
};

/* Copy `n` entries of two bytes, each followed by a vector to be skipped when `width` is not 0. */
static struct tls_list fill(struct filler *to, struct bytes from, size_t n, unsigned width)
{
    struct tls_list list = { to->at, 0 };

    while (list.count < n && from.left >= 2 && !from.bad) {
        *to->at++ = bytes_u16(&from);
        list.count++;
        if (width != 0)
            bytes_vec(&from, width);
    }
    return list;
}

static size_t count_shares(struct bytes list)
{
    size_t n = 0;

    while (list.left > 0) {
        bytes_u16(&list);
        bytes_vec(&list, 2);
        if (!list.bad)
            n++;
    }
    return n;
}

/* Second pass: one allocation, everything copied into it. */
static int keep(struct tls_offer *o, const struct found *f, size_t n_extensions)
{
    const size_t versions = kept(o, f->versions.left / 2), suites = kept(o, f->suites.left / 2),
                 groups = kept(o, f->groups.left / 2), sigs = kept(o, f->sigs.left / 2),
                 sigs_cert = kept(o, f->sigs_cert.left / 2),
                 shares = kept(o, count_shares(f->key_shares)), types = kept(o, n_extensions);
    const size_t codes = versions + suites + groups + sigs + sigs_cert + shares + types;
    struct filler to;
    char *text;

    to.at = malloc(codes * sizeof(uint16_t) + f->sni.left + 1 + f->alpn.left);
    if (to.at == NULL) {
        note_broken(o, "out of memory");
        return -1;
    }
    o->block = to.at;
    o->versions = fill(&to, f->versions, versions, 0);
    o->suites = fill(&to, f->suites, suites, 0);
    o->groups = fill(&to, f->groups, groups, 0);
    o->sigs = fill(&to, f->sigs, sigs, 0);
    o->sigs_cert = fill(&to, f->sigs_cert, sigs_cert, 0);
    o->key_shares = fill(&to, f->key_shares, shares, 2);
    o->extensions = fill(&to, f->extensions, types, 2);
    text = (char *)o->block + codes * sizeof(uint16_t);
    if (f->sni.left > 0) {
        memcpy(text, f->sni.at, f->sni.left);
        o->sni = text;
    }
    text[f->sni.left] = '\0';
    text += f->sni.left + 1;
    if (f->alpn.left > 0) {
        memcpy(text, f->alpn.at, f->alpn.left);
        o->alpn = (const uint8_t *)text;
        o->alpn_bytes = (uint16_t)f->alpn.left;
    }
    return 0;
}

int tls_offer_parse(struct tls_offer *o, const uint8_t *body, size_t n)
{
    struct bytes b = bytes_of(body, n);
    struct found f;
    struct bytes session_id;
    size_t n_extensions = 0;

    memset(o, 0, sizeof *o);
    memset(&f, 0, sizeof f);
    o->size = (uint32_t)n;
    o->legacy_version = bytes_u16(&b);
    bytes_take(&b, 32); /* random */
    session_id = bytes_vec(&b, 1);
    f.suites = bytes_vec(&b, 2);
    if (b.bad || session_id.left > 32)
        note_broken(o, "session id or cipher suites");
    o->session_id_len = (uint8_t)session_id.left;
    if (!b.bad && (f.suites.left == 0 || f.suites.left % 2 != 0))
        note_broken(o, "cipher suites");
    if (bytes_vec(&b, 1).left == 0)
        note_broken(o, "compression methods");
    if (!b.bad && b.left > 0) {
        o->has_extensions = true;
        f.extensions = bytes_vec(&b, 2);
        if (b.bad || b.left != 0)
            note_broken(o, "extensions");
        n_extensions = find_extensions(o, f.extensions, &f);
    }
    if (keep(o, &f, n_extensions) != 0)
        return -1;
    o->fallback_scsv = tls_list_has(o->suites, TLS_SCSV_FALLBACK);
    o->secure_renegotiation =
        o->secure_renegotiation || tls_list_has(o->suites, TLS_SCSV_RENEGOTIATION);
    return o->malformed == NULL ? 0 : -1;
}

void tls_offer_clear(struct tls_offer *o)
{
    free(o->block);
    memset(o, 0, sizeof *o);
}

bool tls_offer_alpn_next(const struct tls_offer *o, size_t *at, const uint8_t **name, size_t *len)
{
    struct bytes rest, one;

    if (*at >= o->alpn_bytes)
        return false;
    rest = bytes_of(o->alpn + *at, o->alpn_bytes - *at);
    one = bytes_vec(&rest, 1);
    *name = one.at;
    *len = one.left;
    *at = (size_t)o->alpn_bytes - rest.left;
    return !rest.bad;
}

bool tls_offer_has_alpn(const struct tls_offer *o, const char *name)
{
    const uint8_t *one;
    size_t at = 0, len;

    while (tls_offer_alpn_next(o, &at, &one, &len)) {
        if (len == strlen(name) && memcmp(one, name, len) == 0)
            return true;
    }
    return false;
}

uint16_t tls_offer_max_version(const struct tls_offer *o)
{
    uint16_t best = 0;

    if (o->versions.count == 0)
        return o->legacy_version;
    for (size_t i = 0; i < o->versions.count; i++) {
        if (!tls_is_grease(o->versions.at[i]) && o->versions.at[i] > best)
            best = o->versions.at[i];
    }
    return best;
}

bool tls_offer_has_version(const struct tls_offer *o, uint16_t version)
{
    if (o->versions.count > 0)
        return tls_list_has(o->versions, version);
    /* Without the extension a client means every version up to the one it names (RFC 5246 E.1),
     * and never TLS 1.3. */
    return version <= o->legacy_version && version <= TLS_1_2 && version >= TLS_SSL3;
}
