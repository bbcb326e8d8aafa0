/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration of OpenSSL: plain code points in, the texts that it reads out. */
#include "tls/conf_openssl.h"

#include <mbedtls/x509_crt.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/openssl_own.h"
#include "tls/tls_params.h"
#include "tls/tls_tickets.h"

/* A list of names with ':' between, which grows. */
struct names {
    char *text;
    size_t len;
    bool failed;
};

static void add_name(struct names *list, const char *mark, const char *name)
{
    size_t need = strlen(mark) + strlen(name) + 2;
    char *grown = realloc(list->text, list->len + need);

    if (grown == NULL) {
        list->failed = true;
        return;
    }
    list->text = grown;
    list->len +=
        (size_t)snprintf(grown + list->len, need, "%s%s%s", list->len > 0 ? ":" : "", mark, name);
}

/* The suites of TLS 1.3, or those of all the versions before it. */
static char *suite_names(const struct tls_conf_params *p, bool v13, bool *failed)
{
    struct names out = { 0 };

    for (size_t i = 0; i < p->n_suites; i++) {
        const struct tls_suite *s = tls_suite_find(p->suites[i]);

        if (s != NULL && (s->kx == TLS_KX_TLS13) == v13)
            add_name(&out, "", s->openssl);
    }
    *failed |= out.failed;
    return out.text;
}

/* A client sends a share for the first hybrid group and for the first other one, as s2n-tls does
 * (https://github.com/aws/s2n-tls/blob/main/tls/extensions/s2n_client_key_share.c). */
static char *group_names(const struct tls_conf_params *p, bool *failed)
{
    struct names out = { 0 };
    bool shared[2] = { p->server, p->server };

    for (size_t i = 0; i < p->n_groups; i++) {
        const struct tls_group *g = tls_group_find(p->groups[i]);
        bool *done = g == NULL ? NULL : &shared[g->kind == TLS_GROUP_HYBRID];

        if (g == NULL)
            continue;
        add_name(&out, *done ? "?" : "?*", g->name);
        *done = true;
    }
    *failed |= out.failed;
    return out.text;
}

static char *sig_names(const struct tls_conf_params *p, bool *failed)
{
    struct names out = { 0 };

    for (size_t i = 0; i < p->n_sig_schemes; i++) {
        const struct tls_sig *s = tls_sig_find(p->sig_schemes[i]);

        if (s != NULL)
            add_name(&out, "?", s->name);
    }
    *failed |= out.failed;
    return out.text;
}

static void keep_alpn_wire(struct conf_openssl *c, const struct tls_conf_params *p, bool *failed)
{
    size_t bytes = 0;

    for (size_t i = 0; p->alpn != NULL && p->alpn[i] != NULL; i++)
        bytes += 1 + strlen(p->alpn[i]);
    if (bytes == 0)
        return;
    c->alpn = malloc(bytes);
    if (c->alpn == NULL) {
        *failed = true;
        return;
    }
    for (size_t i = 0; p->alpn[i] != NULL; i++) {
        size_t len = strlen(p->alpn[i]);

        c->alpn[c->alpn_len++] = (uint8_t)len;
        memcpy(c->alpn + c->alpn_len, p->alpn[i], len);
        c->alpn_len += (unsigned)len;
    }
}

struct tls_conf *conf_openssl_new(const struct tls_conf_params *p)
{
    struct conf_openssl *c = calloc(1, sizeof *c);
    bool failed = false;

    if (c == NULL)
        return NULL;
    c->params = *p;
    c->suites_12 = suite_names(p, false, &failed);
    c->suites_13 = suite_names(p, true, &failed);
    c->groups = group_names(p, &failed);
    c->sig_schemes = sig_names(p, &failed);
    keep_alpn_wire(c, p, &failed);
    /* Suites of one kind only: the other versions are off. A server that names a newer version
     * keeps it, for the sentinel of RFC 8446 4.1.3. */
    if (p->n_suites > 0 && c->suites_12 == NULL)
        c->params.min_version = TLS_1_3;
    if (p->n_suites > 0 && c->suites_13 == NULL && !p->server && p->max_version > TLS_1_2)
        c->params.max_version = TLS_1_2;
    if (p->n_suites > 0 && c->suites_12 == NULL && c->suites_13 == NULL)
        failed = true; /* nothing left must not mean everything */
    if (failed || (p->n_groups > 0 && c->groups == NULL) ||
        c->params.min_version > c->params.max_version) {
        conf_openssl_free(&c->conf);
        return NULL;
    }
    return &c->conf;
}

/* --- OpenSSL's own --- */
/* The first of the server's list that the client offers. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    const struct conf_openssl *c = arg;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, c->alpn, c->alpn_len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void log_key(const SSL *ssl, const char *line)
{
    char whole[256];
    int n = snprintf(whole, sizeof whole, "%s\n", line);

    (void)ssl;
    if (n > 0 && (size_t)n < sizeof whole)
        tls_key_log_line(whole, (size_t)n);
}

static bool set_lists(SSL_CTX *ctx, const struct conf_openssl *c)
{
    if (c->suites_12 != NULL && SSL_CTX_set_cipher_list(ctx, c->suites_12) == 0)
        return false;
    if (c->suites_13 != NULL && SSL_CTX_set_ciphersuites(ctx, c->suites_13) == 0)
        return false;
    return (c->groups == NULL || SSL_CTX_set1_groups_list(ctx, c->groups) != 0) &&
           (c->sig_schemes == NULL || SSL_CTX_set1_sigalgs_list(ctx, c->sig_schemes) != 0);
}

/* The names in a CertificateRequest. */
static void name_authorities(SSL_CTX *ctx, const mbedtls_x509_crt *ca)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

    for (; names != NULL && ca != NULL; ca = ca->next) {
        const unsigned char *at = ca->subject_raw.p;
        X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)ca->subject_raw.len);

        if (name != NULL && sk_X509_NAME_push(names, name) == 0)
            X509_NAME_free(name);
    }
    SSL_CTX_set_client_CA_list(ctx, names); /* takes it */
}

static bool set_openssl_server(SSL_CTX *ctx, struct conf_openssl *c)
{
    static const int modes[] = { SSL_VERIFY_NONE, SSL_VERIFY_PEER,
                                 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };
    const struct tls_conf_params *p = &c->params;

    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_verify(ctx, modes[p->client_auth], NULL);
    if (p->client_auth != TLS_CLIENT_AUTH_NONE)
        name_authorities(ctx, p->client_ca);
    if (c->alpn != NULL)
        SSL_CTX_set_alpn_select_cb(ctx, select_alpn, c);
    SSL_CTX_set_dh_auto(ctx, 1);
    if (p->tickets == NULL) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(ctx, 0) == 1;
    }
    SSL_CTX_set_timeout(ctx, (long)p->tickets->lifetime_s);
    return SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_keys(ctx, p->tickets->openssl, TLS_TICKET_KEY_BYTES) == 1;
}

static bool set_openssl_client(SSL_CTX *ctx, const struct conf_openssl *c)
{
    SSL_CTX_set_verify(ctx, c->params.judged ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_LEGACY_SERVER_CONNECT);
    return c->alpn == NULL || SSL_CTX_set_alpn_protos(ctx, c->alpn, c->alpn_len) == 0;
}

static SSL_CTX *make_ctx(struct conf_openssl *c, int (*verify)(X509_STORE_CTX *, void *))
{
    const struct tls_conf_params *p = &c->params;
    SSL_CTX *ctx = SSL_CTX_new(p->server ? TLS_server_method() : TLS_client_method());
    static const unsigned char id[] = "nlbsim";

    if (ctx == NULL)
        return NULL;
    /* Every choice is a list of ours, and nobody's certificate is judged by OpenSSL: its levels,
     * above which TLS 1.0, SHA-1 and keys of 1024 bits are refused, have no say. */
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_NO_RX_CERTIFICATE_COMPRESSION |
                                 SSL_OP_NO_TX_CERTIFICATE_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
    if (tls_key_log_is_on())
        SSL_CTX_set_keylog_callback(ctx, log_key);
    if (SSL_CTX_set_min_proto_version(ctx, p->min_version) == 1 &&
        SSL_CTX_set_max_proto_version(ctx, p->max_version) == 1 &&
        SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1) == 1 && set_lists(ctx, c) &&
        (p->server ? set_openssl_server(ctx, c) : set_openssl_client(ctx, c)))
        return ctx;
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return NULL;
}

SSL_CTX *conf_openssl_ctx(const struct tls_conf *conf, int (*verify)(X509_STORE_CTX *, void *))
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct conf_openssl *c = (struct conf_openssl *)(uintptr_t)conf;
    SSL_CTX *ctx = atomic_load_explicit(&c->ctx, memory_order_acquire);

    if (ctx != NULL)
        return ctx;
    openssl_start();
    pthread_mutex_lock(&lock);
    ctx = atomic_load_explicit(&c->ctx, memory_order_relaxed);
    if (ctx == NULL) {
        ctx = make_ctx(c, verify);
        atomic_store_explicit(&c->ctx, ctx, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return ctx;
}

void conf_openssl_free(struct tls_conf *conf)
{
    struct conf_openssl *c = (struct conf_openssl *)conf;

    SSL_CTX_free(c->ctx);
    free(c->suites_12);
    free(c->suites_13);
    free(c->groups);
    free(c->sig_schemes);
    free(c->alpn);
    free(c);
}
