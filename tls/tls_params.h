/* SPDX-License-Identifier: Apache-2.0
 * TLS names and numbers as plain data: versions, cipher suites, groups, signature schemes, alerts.
 * The rows are in tls/tls_params.def (with their registry). What this build can act out
 * stands in tls/tls_can.h, never in a row. */
#ifndef TLS_TLS_PARAMS_H
#define TLS_TLS_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed list of code points in preference order. */
struct tls_list {
    const uint16_t *at;
    size_t count;
};

bool tls_list_has(struct tls_list list, uint16_t code);

/* How a server proves itself in a suite; TLS 1.3 suites leave it open (ANY). */
enum tls_auth { TLS_AUTH_ANY, TLS_AUTH_RSA, TLS_AUTH_ECDSA, TLS_AUTH_OTHER };
enum tls_kx { TLS_KX_TLS13, TLS_KX_RSA, TLS_KX_ECDHE, TLS_KX_DHE, TLS_KX_PSK, TLS_KX_OTHER };
/* Ordered by strength, so that `a > b` means "a is the better hash". */
enum tls_hash {
    TLS_HASH_NONE,
    TLS_HASH_MD5,
    TLS_HASH_SHA1,
    TLS_HASH_SHA224,
    TLS_HASH_SHA256,
    TLS_HASH_SHA384,
    TLS_HASH_SHA512
};
enum tls_group_kind {
    TLS_GROUP_EC,
    TLS_GROUP_XDH,
    TLS_GROUP_FFDHE,
    TLS_GROUP_HYBRID,
    TLS_GROUP_PQ
};
/* The kind of key that a certificate holds and a signature scheme needs. */
enum tls_key {
    TLS_KEY_OTHER, /* anything else: DSA, ML-DSA, SM2, ... */
    TLS_KEY_RSA,
    TLS_KEY_RSA_PSS, /* rsassaPss public key OID */
    TLS_KEY_ECDSA,
    TLS_KEY_ED25519,
    TLS_KEY_ED448
};

/* Code points by name: TLS_1_3, TLS_SUITE_AES_128_GCM_SHA256, TLS_SUITE_RSA_WITH_...,
 * TLS_GROUP_x25519, TLS_SIG_ecdsa_secp256r1_sha256, TLS_ALERT_handshake_failure. */
enum tls_code_point {
#define TLS_VERSION(id, code, name)                  TLS_##id = code,
#define TLS_SUITE(id, code, openssl, kx, auth, hash) TLS_SUITE_##id = code,
#define TLS_GROUP(id, code, kind, bits)              TLS_GROUP_##id = code,
#define TLS_SIG(id, code, key, hash, group)          TLS_SIG_##id = code,
#define TLS_ALERT(id, code)                          TLS_ALERT_##id = code,
#define TLS_EXT(id, code)                            TLS_EXT_##id = code,
#define TLS_HANDSHAKE(id, code)                      TLS_HANDSHAKE_##id = code,
#include "tls/tls_params.def"
};

/* Signalling values that stand in the suite list but are no suites. */
#define TLS_SCSV_RENEGOTIATION 0x00ff /* RFC 5746 */
#define TLS_SCSV_FALLBACK      0x5600 /* RFC 7507 */

struct tls_suite {
    uint16_t code;
    const char *iana;
    const char *openssl; /* OpenSSL's name; TLS 1.3 suites: the IANA name */
    enum tls_kx kx;
    enum tls_auth auth;
    enum tls_hash hash; /* of the PRF / HKDF: the one that the last word of the IANA name says */
};
struct tls_group {
    uint16_t code;
    const char *name; /* IANA */
    enum tls_group_kind kind;
    unsigned bits; /* of the field or prime; 0 for hybrids and pure ML-KEM */
};
struct tls_sig {
    uint16_t code;
    const char *name; /* IANA / RFC 8446 */
    enum tls_key key; /* a TLS_KEY_RSA certificate signs rsa_pkcs1_* and rsa_pss_rsae_* */
    enum tls_hash hash;
    uint16_t group; /* TLS 1.3 binds ECDSA schemes to a curve; 0 otherwise */
};

/* Rows in table order; NULL when unknown. Names are compared without regard to case. */
const struct tls_suite *tls_suite_find(uint16_t code);
const struct tls_suite *tls_suite_all(size_t *count);
const struct tls_suite *tls_suite_by_name(const char *name); /* IANA or OpenSSL name */
const struct tls_group *tls_group_find(uint16_t code);
const struct tls_group *tls_group_by_name(const char *name); /* also P-256, prime256v1, X25519 */
const struct tls_sig *tls_sig_find(uint16_t code);
/* 0 when unknown. Takes "TLSv1.2" (as the ELB API writes it), "TLS1.2", "1.2". */
uint16_t tls_version_by_name(const char *name);
/* The number of an alert by RFC name; -1 when unknown. */
int tls_alert_by_name(const char *name);

/* Names for people, JSON and logs. NULL when the code point is not in the table. */
const char *tls_version_name(uint16_t code); /* "TLSv1.3"; TLS 1.0 is "TLSv1" as in the ELB API */
const char *tls_alert_name(unsigned number); /* "unknown_ca" */

/* The same, never NULL: an unknown code point is written "0x1a2b" into `buf`, a GREASE one (RFC
 * 8701) gives "GREASE". Suites by their OpenSSL name. Returns `buf` or a static string. */
#define TLS_NAME_MAX 8
const char *tls_version_text(uint16_t code, char buf[TLS_NAME_MAX]);
const char *tls_suite_text(uint16_t code, char buf[TLS_NAME_MAX]);
const char *tls_group_text(uint16_t code, char buf[TLS_NAME_MAX]);
const char *tls_sig_text(uint16_t code, char buf[TLS_NAME_MAX]);

/* RFC 8701: 0x0a0a, 0x1a1a, ... 0xfafa, used in suites, groups, versions, schemes, extensions. */
bool tls_is_grease(uint16_t code);

/* Can the suite be used with this protocol version (0x0301 ... 0x0304)? */
bool tls_suite_fits_version(const struct tls_suite *suite, uint16_t version);
/* Can a key of this kind (and curve: TLS_GROUP_*, 0 when not ECDSA) make signatures of the scheme
 * in the given version? TLS 1.3 binds ECDSA schemes to curves and has no PKCS#1 or SHA-1. */
bool tls_sig_fits_key(const struct tls_sig *sig, uint16_t version, enum tls_key key,
                      uint16_t group);

/* RSA-PSS, of either kind of key. */
bool tls_sig_is_pss(const struct tls_sig *sig);

#endif
