/* SPDX-License-Identifier: Apache-2.0
 * mbedTLS from the inside: its private fields and replaced functions, in one place. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "tls/mbedtls_private.h"

#include <mbedtls/oid.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_stand_in.h"

static _Thread_local struct tls_chain *capture;
static _Thread_local bool leaf_only;

void tls_chain_clear(struct tls_chain *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->at[i].der);
    memset(c, 0, sizeof *c);
}

void tls_chain_add(struct tls_chain *c, const uint8_t *der, size_t len)
{
    c->presented++;
    if (c->n == TLS_CHAIN_MAX || c->bytes + len > TLS_CHAIN_BYTES_MAX || len == 0)
        return;
    c->at[c->n].der = malloc(len);
    if (c->at[c->n].der == NULL)
        return;
    memcpy(c->at[c->n].der, der, len);
    c->at[c->n].len = len;
    c->bytes += len;
    c->n++;
}

void tls_chain_hash(const struct tls_chain *c, const char *text, uint8_t hash[TLS_CHAIN_HASH_BYTES])
{
    mbedtls_sha256_context ctx;

    mbedtls_sha256_init(&ctx);
    (void)mbedtls_sha256_starts(&ctx, 0);
    for (size_t i = 0; i < c->n; i++)
        (void)mbedtls_sha256_update(&ctx, c->at[i].der, c->at[i].len);
    if (text != NULL)
        (void)mbedtls_sha256_update(&ctx, (const unsigned char *)text, strlen(text));
    (void)mbedtls_sha256_finish(&ctx, hash);
    mbedtls_sha256_free(&ctx);
}

void tls_private_capture(struct tls_chain *c)
{
    capture = c;
}

void tls_private_leaf_only(bool on)
{
    leaf_only = on;
}

/* mbedTLS refuses a chain with an unknown critical extension while parsing it, even when nothing is
 * verified. This takes the place of its parser: same result, every extension accepted. */
static int accept_extension(void *ctx, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid,
                            int critical, const unsigned char *p, const unsigned char *end)
{
    (void)ctx, (void)crt, (void)oid, (void)critical, (void)p, (void)end;
    return 0;
}

#ifdef NLB_MBEDTLS_SHARED
#define PARSE_DER mbedtls_x509_crt_parse_der
#else
#define PARSE_DER __wrap_mbedtls_x509_crt_parse_der
int PARSE_DER(mbedtls_x509_crt *chain, const unsigned char *buf, size_t len);
#endif

int PARSE_DER(mbedtls_x509_crt *chain, const unsigned char *buf, size_t len)
{
    int rc;

    if (capture != NULL)
        tls_chain_add(capture, buf, len);
    if (capture != NULL && leaf_only && capture->presented > 1)
        return 0; /* kept for the hook; mbedTLS's own chain stays as it is */
    rc = mbedtls_x509_crt_parse_der_with_ext_cb(chain, buf, len, 1, accept_extension, NULL);
    if (rc != 0 && rc != MBEDTLS_ERR_X509_ALLOC_FAILED && capture != NULL && leaf_only) {
        capture->leaf_error = rc;
        rc = mbedtls_x509_crt_parse_der_with_ext_cb(chain, tls_stand_in_der, tls_stand_in_size, 1,
                                                    accept_extension, NULL);
    }
    return rc;
}

int tls_private_state(const mbedtls_ssl_context *ssl)
{
    return ssl->state;
}

const uint8_t *tls_private_message(const mbedtls_ssl_context *ssl, size_t *len)
{
    *len = ssl->in_msg == NULL ? 0 : ssl->in_hslen;
    return ssl->in_msg;
}

uint16_t tls_private_suite(const mbedtls_ssl_context *ssl)
{
    return ssl->session_negotiate == NULL ? 0 : (uint16_t)ssl->session_negotiate->ciphersuite;
}

void tls_private_set_conf(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf)
{
    ssl->conf = conf;
}

void tls_private_without_cert(mbedtls_ssl_config *out, const mbedtls_ssl_config *conf)
{
    *out = *conf;
    out->key_cert = NULL;
}

uint8_t tls_private_alert_in(const mbedtls_ssl_context *ssl, uint8_t *level)
{
    *level = ssl->in_msg[0];
    return ssl->in_msg[1];
}

uint8_t tls_private_alert_out(const mbedtls_ssl_context *ssl)
{
    return ssl->alert_type;
}

void tls_private_allow_any_usage(mbedtls_x509_crt *crt)
{
    crt->ext_types &= ~(MBEDTLS_X509_EXT_KEY_USAGE | MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE);
}

int tls_private_self_test(struct err *err)
{
    static const unsigned char junk[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
    struct tls_chain seen = { 0 };
    mbedtls_x509_crt crt;
    size_t got;

    if (mbedtls_version_get_number() != MBEDTLS_VERSION_NUMBER) {
        err_set(
            err, ERR_ENVIRONMENT,
            "mbedTLS 0x%08x is loaded, but nlbsim was built for 0x%08x, whose private fields it "
            "reads: rebuild nlbsim",
            mbedtls_version_get_number(), (unsigned)MBEDTLS_VERSION_NUMBER);
        return -1;
    }
    mbedtls_x509_crt_init(&crt);
    tls_private_capture(&seen);
    /* Through mbedtls_x509_crt_parse_der_nocopy's sibling, as the handshake code calls it. */
    (void)mbedtls_x509_crt_parse_der(&crt, junk, sizeof junk);
    tls_private_capture(NULL);
    mbedtls_x509_crt_free(&crt);
    got = seen.n;
    tls_chain_clear(&seen);
    if (got != 1) {
        err_set(err, ERR_BUG,
                "mbedTLS's certificate parser is not wrapped (see docs/libraries.md)");
        return -1;
    }
    return 0;
}
