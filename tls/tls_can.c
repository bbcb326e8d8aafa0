/* SPDX-License-Identifier: Apache-2.0
 * What each TLS library can act out, asked of the libraries; which of them a session gets. */
#include "tls/tls_can.h"

#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <openssl/err.h>
#include <psa/crypto.h>
#include <pthread.h>

#include "tls/openssl_own.h"

/* The largest handshake message that mbedTLS sends or reads; a certificate's place in its message
 * takes up to 5 bytes more. */
#define MBEDTLS_MESSAGE_MAX 16384

/* --- mbedTLS --- */
static bool mbedtls_has_version(uint16_t code)
{
    /* mbedtls_version_check_feature() knows what the library was built with. */
    if (code == TLS_1_3)
        return mbedtls_version_check_feature("MBEDTLS_SSL_PROTO_TLS1_3") == 0;
    if (code == TLS_1_2)
        return mbedtls_version_check_feature("MBEDTLS_SSL_PROTO_TLS1_2") == 0;
    return false;
}

static bool mbedtls_has_suite(uint16_t code)
{
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id != 0; id++) {
        if (*id == code)
            return true;
    }
    return false;
}

static bool mbedtls_has_group(uint16_t code)
{
    const struct tls_group *g = tls_group_find(code);

    /* No ML-KEM. Its ffdhe groups are for TLS 1.3, and no policy of AWS's has one: conf_mbedtls.c
     * leaves them out. */
    return g != NULL && (g->kind == TLS_GROUP_EC || g->kind == TLS_GROUP_XDH) &&
           mbedtls_ecp_curve_info_from_tls_id(code) != NULL;
}

static mbedtls_md_type_t md_of(enum tls_hash hash)
{
    static const mbedtls_md_type_t types[] = {
        [TLS_HASH_NONE] = MBEDTLS_MD_NONE,     [TLS_HASH_MD5] = MBEDTLS_MD_MD5,
        [TLS_HASH_SHA1] = MBEDTLS_MD_SHA1,     [TLS_HASH_SHA224] = MBEDTLS_MD_SHA224,
        [TLS_HASH_SHA256] = MBEDTLS_MD_SHA256, [TLS_HASH_SHA384] = MBEDTLS_MD_SHA384,
        [TLS_HASH_SHA512] = MBEDTLS_MD_SHA512,
    };

    return types[hash];
}

static bool mbedtls_has_sig(uint16_t code, uint16_t version)
{
    static const mbedtls_pk_type_t keys[] = {
        [TLS_KEY_OTHER] = MBEDTLS_PK_NONE,   [TLS_KEY_RSA] = MBEDTLS_PK_RSA,
        [TLS_KEY_RSA_PSS] = MBEDTLS_PK_NONE, [TLS_KEY_ECDSA] = MBEDTLS_PK_ECDSA,
        [TLS_KEY_ED25519] = MBEDTLS_PK_NONE, [TLS_KEY_ED448] = MBEDTLS_PK_NONE,
    };
    const struct tls_sig *s = tls_sig_find(code);

    if (s == NULL || mbedtls_md_info_from_type(md_of(s->hash)) == NULL ||
        (s->group != 0 && !mbedtls_has_group(s->group)))
        return false;
    /* It signs a TLS 1.2 handshake with PKCS#1 or ECDSA only. */
    if (version != 0 && version < TLS_1_3 && tls_sig_is_pss(s))
        return false;
    return mbedtls_pk_info_from_type(keys[s->key]) != NULL;
}

/* --- OpenSSL: asked once, by trying --- */
#define MANY 512
static struct {
    uint16_t suites[MANY], groups[MANY], sigs[MANY];
    size_t n_suites, n_groups, n_sigs;
    uint16_t oldest;
} openssl_has;

static void ask_suites(SSL_CTX *ctx)
{
    const STACK_OF(SSL_CIPHER) * all;

    (void)SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL");
    (void)SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                        "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:"
                                        "TLS_AES_128_CCM_8_SHA256");
    all = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(all) && openssl_has.n_suites < MANY; i++)
        openssl_has.suites[openssl_has.n_suites++] =
            SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(all, i));
}

static void ask_openssl(void)
{
    SSL_CTX *ctx;

    openssl_start();
    ctx = SSL_CTX_new(TLS_method());
    if (ctx == NULL)
        return;
    SSL_CTX_set_security_level(ctx, 0);
    openssl_has.oldest = TLS_1_3;
    for (uint16_t v = TLS_1_2; v >= TLS_1_0 && SSL_CTX_set_min_proto_version(ctx, v) == 1; v--)
        openssl_has.oldest = v;
    ask_suites(ctx);
    for (unsigned code = 1; code <= UINT16_MAX; code++) {
        const struct tls_group *g = tls_group_find((uint16_t)code);
        const struct tls_sig *s = tls_sig_find((uint16_t)code);

        if (g != NULL && openssl_has.n_groups < MANY && SSL_CTX_set1_groups_list(ctx, g->name) == 1)
            openssl_has.groups[openssl_has.n_groups++] = (uint16_t)code;
        if (s != NULL && openssl_has.n_sigs < MANY && SSL_CTX_set1_sigalgs_list(ctx, s->name) == 1)
            openssl_has.sigs[openssl_has.n_sigs++] = (uint16_t)code;
    }
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

static void know_openssl(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, ask_openssl);
}

static bool has(const uint16_t *at, size_t count, uint16_t code)
{
    return tls_list_has((struct tls_list){ at, count }, code);
}

/* --- either --- */
bool tls_can_version(enum tls_library l, uint16_t code)
{
    if (l == TLS_LIBRARY_MBEDTLS)
        return mbedtls_has_version(code);
    know_openssl();
    return code >= openssl_has.oldest && code <= TLS_1_3 && openssl_has.oldest != 0;
}

bool tls_can_suite(enum tls_library l, uint16_t code)
{
    if (l == TLS_LIBRARY_MBEDTLS)
        return mbedtls_has_suite(code);
    know_openssl();
    return has(openssl_has.suites, openssl_has.n_suites, code);
}

bool tls_can_group(enum tls_library l, uint16_t code)
{
    if (l == TLS_LIBRARY_MBEDTLS)
        return mbedtls_has_group(code);
    know_openssl();
    return has(openssl_has.groups, openssl_has.n_groups, code);
}

bool tls_can_sig(enum tls_library l, uint16_t code, uint16_t version)
{
    if (l == TLS_LIBRARY_MBEDTLS)
        return mbedtls_has_sig(code, version);
    know_openssl();
    return has(openssl_has.sigs, openssl_has.n_sigs, code);
}

bool tls_version_supported(uint16_t code)
{
    return tls_can_version(TLS_LIBRARY_MBEDTLS, code) || tls_can_version(TLS_LIBRARY_OPENSSL, code);
}

bool tls_suite_supported(uint16_t code)
{
    return tls_can_suite(TLS_LIBRARY_MBEDTLS, code) || tls_can_suite(TLS_LIBRARY_OPENSSL, code);
}

bool tls_group_supported(uint16_t code)
{
    return tls_can_group(TLS_LIBRARY_MBEDTLS, code) || tls_can_group(TLS_LIBRARY_OPENSSL, code);
}

bool tls_sig_supported_in(uint16_t code, uint16_t version)
{
    return tls_can_sig(TLS_LIBRARY_MBEDTLS, code, version) ||
           tls_can_sig(TLS_LIBRARY_OPENSSL, code, version);
}

bool tls_sig_supported(uint16_t code)
{
    return tls_sig_supported_in(code, 0);
}

/* --- which of them --- */
size_t tls_use_order(enum tls_use use, enum tls_library out[2])
{
    out[0] = use == TLS_USE_OPENSSL ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS;
    out[1] = TLS_LIBRARY_OPENSSL;
    return use == TLS_USE_AUTO ? 2 : 1;
}

const char *tls_can_not(enum tls_library l, const struct tls_session_needs *n)
{
    if (l != TLS_LIBRARY_MBEDTLS)
        return NULL;
    if (n->version == TLS_1_3)
        return "KeyUpdate"; /* it ends the connection; nobody knows before whether one comes */
    if (n->hello_bytes > MBEDTLS_MESSAGE_MAX)
        return "hellos over 16 KiB";
    if (n->chain_bytes > MBEDTLS_MESSAGE_MAX)
        return "certificate messages over 16 KiB";
    /* The sentinel of RFC 8446 4.1.3 needs TLS 1.3 switched on, and then no such hello is read. */
    if (n->hello_without_extensions && n->best_version == TLS_1_3)
        return "the downgrade sentinel for a hello without extensions";
    return NULL;
}

/* A list that is empty stands for what the library has. */
static bool can_all(enum tls_library l, const struct tls_conf_params *p)
{
    bool ok = tls_can_version(l, p->min_version) && tls_can_version(l, p->max_version) &&
              tls_can_not(l, &(struct tls_session_needs){ .version = p->max_version }) == NULL;

    for (size_t i = 0; i < p->n_suites && ok; i++)
        ok = tls_can_suite(l, p->suites[i]);
    for (size_t i = 0; i < p->n_groups && ok; i++)
        ok = tls_can_group(l, p->groups[i]);
    for (size_t i = 0; i < p->n_sig_schemes && ok; i++)
        ok = tls_can_sig(l, p->sig_schemes[i], p->min_version);
    return ok;
}

enum tls_library tls_library_for_client(const struct tls_conf_params *p, enum tls_use use)
{
    enum tls_library order[2];
    size_t n = tls_use_order(use, order), i = 0;

    while (i + 1 < n && !can_all(order[i], p))
        i++;
    return order[i];
}
