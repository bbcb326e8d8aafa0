/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration of mbedTLS: plain code points in, one immutable configuration out.
 */
#include "tls/conf_mbedtls.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <stdlib.h>
#include <string.h>

#include "tls/mbedtls_private.h"
#include "tls/tls_random.h"
#include "tls/tls_stand_in.h"
#include "tls/tls_tickets.h"

#define ALPN_MAX 8

struct conf_mbedtls {
    struct tls_conf conf; /* first */
    mbedtls_ssl_config ssl;
    mbedtls_ssl_config anonymous; /* borrows everything from `ssl`; with `own_chain` only */
    mbedtls_x509_crt stand_in;    /* with `judged` only */
    int *suites;                  /* owned, 0-terminated; NULL: mbedTLS's own list */
    uint16_t *groups;             /* owned, 0-terminated; NULL: mbedTLS's own list */
    uint16_t *sig_schemes;        /* owned, 0-terminated; NULL: mbedTLS's own list */
    char *alpn_text;              /* owned; what `alpn` points into */
    const char *alpn[ALPN_MAX + 1];
};

/* --- lists --- */
static int keep_suites(struct conf_mbedtls *c, const struct tls_conf_params *p)
{
    size_t n = 0;

    if (p->n_suites == 0)
        return 0;
    c->suites = calloc(p->n_suites + 1, sizeof *c->suites);
    if (c->suites == NULL)
        return -1;
    for (size_t i = 0; i < p->n_suites; i++) {
        if (mbedtls_ssl_ciphersuite_from_id(p->suites[i]) != NULL)
            c->suites[n++] = p->suites[i];
    }
    mbedtls_ssl_conf_ciphersuites(&c->ssl, c->suites);
    return 0;
}

static uint16_t *copy_list(const uint16_t *list, size_t n)
{
    uint16_t *out = calloc(n + 1, sizeof *out);

    if (out != NULL)
        memcpy(out, list, n * sizeof *out);
    return out;
}

static int keep_groups(struct conf_mbedtls *c, const struct tls_conf_params *p)
{
    size_t n = 0;

    if (p->n_groups == 0)
        return 0;
    c->groups = copy_list(p->groups, p->n_groups);
    if (c->groups == NULL)
        return -1;
    for (size_t i = 0; i < p->n_groups; i++) {
        /* The groups that mbedTLS 3.6 has for key exchange and AWS names. */
        if (p->groups[i] == MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1 ||
            p->groups[i] == MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1 ||
            p->groups[i] == MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1 ||
            p->groups[i] == MBEDTLS_SSL_IANA_TLS_GROUP_X25519 ||
            p->groups[i] == MBEDTLS_SSL_IANA_TLS_GROUP_X448)
            c->groups[n++] = p->groups[i];
    }
    c->groups[n] = 0;
    mbedtls_ssl_conf_groups(&c->ssl, c->groups);
    return 0;
}

static int keep_sig_schemes(struct conf_mbedtls *c, const struct tls_conf_params *p)
{
    if (p->n_sig_schemes == 0)
        return 0;
    c->sig_schemes = copy_list(p->sig_schemes, p->n_sig_schemes);
    if (c->sig_schemes == NULL)
        return -1;
    mbedtls_ssl_conf_sig_algs(&c->ssl, c->sig_schemes);
    return 0;
}

static int keep_alpn(struct conf_mbedtls *c, const struct tls_conf_params *p)
{
    size_t bytes = 0, n = 0;
    char *at;

    if (p->alpn == NULL || p->alpn[0] == NULL)
        return 0;
    while (n < ALPN_MAX && p->alpn[n] != NULL)
        bytes += strlen(p->alpn[n++]) + 1;
    at = c->alpn_text = malloc(bytes);
    if (at == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(p->alpn[i]) + 1;

        memcpy(at, p->alpn[i], len);
        c->alpn[i] = at;
        at += len;
    }
    return mbedtls_ssl_conf_alpn_protocols(&c->ssl, c->alpn);
}

/* The certificate of this very connection. */
static int own_cert_cb(struct mbedtls_ssl_context *ssl)
{
    const struct tls_identity *own = mbedtls_ssl_get_user_data_p(ssl);

    /* Called again after a HelloRetryRequest, and it appends: clear first. */
    if (mbedtls_ssl_set_hs_own_cert(ssl, NULL, NULL) != 0)
        return -1;
    if (own->chain == NULL)
        return 0;
    return mbedtls_ssl_set_hs_own_cert(ssl, own->chain, own->key);
}

static void set_server(struct conf_mbedtls *c, const struct tls_conf_params *p)
{
    static const int modes[] = { MBEDTLS_SSL_VERIFY_NONE, MBEDTLS_SSL_VERIFY_OPTIONAL,
                                 MBEDTLS_SSL_VERIFY_REQUIRED };

    mbedtls_ssl_conf_authmode(&c->ssl, modes[p->client_auth]);
    mbedtls_ssl_conf_preference_order(&c->ssl, MBEDTLS_SSL_SRV_CIPHERSUITE_ORDER_SERVER);
    mbedtls_ssl_conf_cert_cb(&c->ssl, own_cert_cb);
    if (p->client_ca != NULL)
        mbedtls_ssl_conf_ca_chain(&c->ssl, p->client_ca, p->client_crl);
    if (p->tickets != NULL)
        mbedtls_ssl_conf_session_tickets_cb(&c->ssl, mbedtls_ssl_ticket_write,
                                            mbedtls_ssl_ticket_parse, &p->tickets->mbedtls);
    mbedtls_ssl_conf_tls13_key_exchange_modes(
        &c->ssl, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL |
                     (p->tickets != NULL ? MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL : 0));
}

static int set_client(struct conf_mbedtls *c, const struct tls_conf_params *p)
{
    mbedtls_ssl_conf_authmode(&c->ssl, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_session_tickets(&c->ssl, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    if (p->judged) {
        /* mbedTLS asks the hook only where it is told to verify, against some authority. */
        if (mbedtls_x509_crt_parse_der(&c->stand_in, tls_stand_in_der, tls_stand_in_size) != 0)
            return -1;
        mbedtls_ssl_conf_authmode(&c->ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
        mbedtls_ssl_conf_ca_chain(&c->ssl, &c->stand_in, NULL);
    }
    if (p->own_chain != NULL && mbedtls_ssl_conf_own_cert(&c->ssl, p->own_chain, p->own_key) != 0)
        return -1;
    return 0;
}

struct tls_conf *conf_mbedtls_new(const struct tls_conf_params *p)
{
    struct conf_mbedtls *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    mbedtls_ssl_config_init(&c->ssl);
    mbedtls_x509_crt_init(&c->stand_in);
    if (mbedtls_ssl_config_defaults(&c->ssl,
                                    p->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        goto fail;
    mbedtls_ssl_conf_rng(&c->ssl, tls_random, NULL);
    mbedtls_ssl_conf_min_tls_version(&c->ssl, (mbedtls_ssl_protocol_version)p->min_version);
    mbedtls_ssl_conf_max_tls_version(&c->ssl, (mbedtls_ssl_protocol_version)p->max_version);
    mbedtls_ssl_conf_renegotiation(&c->ssl, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    if (p->server)
        set_server(c, p);
    else if (set_client(c, p) != 0)
        goto fail;
    if (keep_suites(c, p) != 0 || keep_groups(c, p) != 0 || keep_sig_schemes(c, p) != 0 ||
        keep_alpn(c, p) != 0)
        goto fail;
    tls_private_without_cert(&c->anonymous, &c->ssl);
    return &c->conf;
fail:
    conf_mbedtls_free(&c->conf);
    return NULL;
}

void conf_mbedtls_free(struct tls_conf *conf)
{
    struct conf_mbedtls *c = (struct conf_mbedtls *)conf;

    mbedtls_ssl_config_free(&c->ssl);
    mbedtls_x509_crt_free(&c->stand_in);
    free(c->suites);
    free(c->groups);
    free(c->sig_schemes);
    free(c->alpn_text);
    free(c);
}

const struct mbedtls_ssl_config *conf_mbedtls_ssl(const struct tls_conf *conf)
{
    return &((const struct conf_mbedtls *)conf)->ssl;
}

const struct mbedtls_ssl_config *conf_mbedtls_anonymous(const struct tls_conf *conf)
{
    return &((const struct conf_mbedtls *)conf)->anonymous;
}
