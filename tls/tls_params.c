/* SPDX-License-Identifier: Apache-2.0
 * TLS names and numbers as plain data. */
#include "tls/tls_params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TLS_GROUP_NONE 0 /* for the rows that bind no group */
#define COUNT(a)       (sizeof(a) / sizeof(a)[0])

/* All tables are sorted by code point (a test holds them to it), and it is their first field. */
struct named {
    uint16_t code;
    const char *name;
};
static const struct named versions[] = {
#define TLS_VERSION(id, code, name) { code, name },
#include "tls/tls_params.def"
};
static const struct tls_suite suites[] = {
#define TLS_SUITE(id, code, openssl, kx, auth, hash)                                               \
    { code, "TLS_" #id, openssl, TLS_KX_##kx, TLS_AUTH_##auth, TLS_HASH_##hash },
#include "tls/tls_params.def"
};
static const struct tls_group groups[] = {
#define TLS_GROUP(id, code, kind, bits) { code, #id, TLS_GROUP_##kind, bits },
#include "tls/tls_params.def"
};
static const struct tls_sig sigs[] = {
#define TLS_SIG(id, code, key, hash, group)                                                        \
    { code, #id, TLS_KEY_##key, TLS_HASH_##hash, TLS_GROUP_##group },
#include "tls/tls_params.def"
};
static const struct named alerts[] = {
#define TLS_ALERT(id, code) { code, #id },
#include "tls/tls_params.def"
};

static int by_code(const void *key, const void *row)
{
    uint16_t code;

    memcpy(&code, row, sizeof code);
    return (int)*(const uint16_t *)key - (int)code;
}

static const char *name_of(const struct named *rows, size_t n, unsigned code)
{
    uint16_t key = (uint16_t)code;
    const struct named *row = bsearch(&key, rows, n, sizeof *rows, by_code);

    return row == NULL || code > UINT16_MAX ? NULL : row->name;
}

bool tls_list_has(struct tls_list list, uint16_t code)
{
    for (size_t i = 0; i < list.count; i++) {
        if (list.at[i] == code)
            return true;
    }
    return false;
}

const struct tls_suite *tls_suite_all(size_t *count)
{
    *count = COUNT(suites);
    return suites;
}

const struct tls_suite *tls_suite_find(uint16_t code)
{
    return bsearch(&code, suites, COUNT(suites), sizeof suites[0], by_code);
}

const struct tls_group *tls_group_find(uint16_t code)
{
    return bsearch(&code, groups, COUNT(groups), sizeof groups[0], by_code);
}

const struct tls_sig *tls_sig_find(uint16_t code)
{
    return bsearch(&code, sigs, COUNT(sigs), sizeof sigs[0], by_code);
}

const struct tls_suite *tls_suite_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        if (strcasecmp(suites[i].openssl, name) == 0 || strcasecmp(suites[i].iana, name) == 0)
            return &suites[i];
    }
    return NULL;
}

const struct tls_group *tls_group_by_name(const char *name)
{
    /* Names of the same curves elsewhere: FIPS 186-4, ANSI X9.62 (OpenSSL). */
    static const struct named other[] = {
        { TLS_GROUP_secp256r1, "P-256" },      { TLS_GROUP_secp384r1, "P-384" },
        { TLS_GROUP_secp521r1, "P-521" },      { TLS_GROUP_secp224r1, "P-224" },
        { TLS_GROUP_secp256r1, "prime256v1" }, { TLS_GROUP_secp192r1, "prime192v1" },
    };

    for (size_t i = 0; i < COUNT(groups); i++) {
        if (strcasecmp(groups[i].name, name) == 0)
            return &groups[i];
    }
    for (size_t i = 0; i < COUNT(other); i++) {
        if (strcasecmp(other[i].name, name) == 0)
            return tls_group_find(other[i].code);
    }
    return NULL;
}

uint16_t tls_version_by_name(const char *name)
{
    if (strncasecmp(name, "TLS", 3) == 0)
        name += 3;
    if (name[0] == 'v' || name[0] == 'V')
        name++;
    if (strcmp(name, "1.0") == 0)
        name = "1";
    for (size_t i = 0; i < COUNT(versions); i++) {
        if (strcmp(versions[i].name + strlen("TLSv"), name) == 0 && versions[i].code != TLS_SSL3)
            return versions[i].code;
    }
    return 0;
}

int tls_alert_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(alerts); i++) {
        if (strcasecmp(alerts[i].name, name) == 0)
            return alerts[i].code;
    }
    return -1;
}

const char *tls_version_name(uint16_t code)
{
    return name_of(versions, COUNT(versions), code);
}

const char *tls_alert_name(unsigned number)
{
    return name_of(alerts, COUNT(alerts), number);
}

static const char *text_of(const char *name, uint16_t code, char *buf)
{
    if (name != NULL)
        return name;
    if (tls_is_grease(code))
        return "GREASE";
    snprintf(buf, TLS_NAME_MAX, "0x%04x", code);
    return buf;
}

const char *tls_version_text(uint16_t code, char buf[TLS_NAME_MAX])
{
    return text_of(tls_version_name(code), code, buf);
}

const char *tls_suite_text(uint16_t code, char buf[TLS_NAME_MAX])
{
    const struct tls_suite *s = tls_suite_find(code);

    if (code == TLS_SCSV_RENEGOTIATION)
        return "TLS_EMPTY_RENEGOTIATION_INFO_SCSV";
    if (code == TLS_SCSV_FALLBACK)
        return "TLS_FALLBACK_SCSV";
    return text_of(s == NULL ? NULL : s->openssl, code, buf);
}

const char *tls_group_text(uint16_t code, char buf[TLS_NAME_MAX])
{
    const struct tls_group *g = tls_group_find(code);

    return text_of(g == NULL ? NULL : g->name, code, buf);
}

const char *tls_sig_text(uint16_t code, char buf[TLS_NAME_MAX])
{
    const struct tls_sig *s = tls_sig_find(code);

    return text_of(s == NULL ? NULL : s->name, code, buf);
}

bool tls_is_grease(uint16_t code)
{
    return (code & 0x0f0f) == 0x0a0a && code >> 8 == (code & 0xff);
}

bool tls_sig_is_pss(const struct tls_sig *sig)
{
    return sig->key == TLS_KEY_RSA_PSS || (sig->key == TLS_KEY_RSA && sig->code >> 8 == 0x08);
}

bool tls_suite_fits_version(const struct tls_suite *suite, uint16_t version)
{
    if (suite->kx == TLS_KX_TLS13 || version >= TLS_1_3)
        return suite->kx == TLS_KX_TLS13 && version == TLS_1_3;
    /* Suites that name a hash of their own came with TLS 1.2 (RFC 5246 1.2, 5289 2). */
    return version == TLS_1_2 || suite->hash <= TLS_HASH_SHA1;
}

bool tls_sig_fits_key(const struct tls_sig *sig, uint16_t version, enum tls_key key, uint16_t group)
{
    if (sig->key != key)
        return false;
    if (version >= TLS_1_3) {
        if (key == TLS_KEY_RSA)
            return tls_sig_is_pss(sig);
        if (key == TLS_KEY_ECDSA)
            return sig->group != 0 && sig->group == group;
        return true;
    }
    /* Brainpool schemes with a tls13 in their name are for TLS 1.3 only (RFC 8734). */
    return key != TLS_KEY_ECDSA || sig->group < TLS_GROUP_brainpoolP256r1tls13;
}
