/* SPDX-License-Identifier: Apache-2.0
 * Sessions of OpenSSL behind the engine's interface. */
#include "tls/engine_openssl.h"

#include <errno.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "tls/conf_openssl.h"
#include "tls/openssl_own.h"
#include "tls/openssl_private.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

struct openssl_session {
    SSL *ssl;
    struct openssl_own *own; /* owned, where the identity has no slot for it */
    uint8_t *flight;         /* owned: the records of one call inside the handshake */
    size_t flight_len;
    uint32_t verify_flags;
    bool peer_proved; /* it presented a certificate */
    uint8_t alert_out;
    char alpn[256];
};

static struct openssl_session *session_of(const struct tls_engine *e)
{
    return e->session;
}

static SSL *openssl_of(const struct tls_engine *e)
{
    return session_of(e)->ssl;
}

/* --- the byte source and sink: a BIO over the engine --- */
static int source_read(BIO *bio, char *buf, size_t n, size_t *got)
{
    ssize_t rc = tls_engine_recv(BIO_get_data(bio), buf, n);

    BIO_clear_retry_flags(bio);
    if (rc == TLS_RECV_NONE)
        BIO_set_retry_read(bio);
    *got = rc > 0 ? (size_t)rc : 0;
    return rc > 0;
}

/* Inside the handshake OpenSSL writes pieces of records; the tap is shown whole flights. */
static int keep_for_flight(struct openssl_session *s, const char *data, size_t n)
{
    uint8_t *grown = realloc(s->flight, s->flight_len + n);

    if (grown == NULL)
        return 0;
    memcpy(grown + s->flight_len, data, n);
    s->flight = grown;
    s->flight_len += n;
    return 1;
}

static int sink_write(BIO *bio, const char *data, size_t n, size_t *put)
{
    struct tls_engine *e = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    *put = n;
    if (!e->secured)
        return keep_for_flight(session_of(e), data, n);
    return tls_engine_send(e, (uint8_t *)(uintptr_t)data, n) == 0;
}

static int send_flight(struct tls_engine *e)
{
    struct openssl_session *s = session_of(e);
    int rc = s->flight_len > 0 ? tls_engine_send(e, s->flight, s->flight_len) : 0;

    free(s->flight);
    s->flight = NULL;
    s->flight_len = 0;
    return rc;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *bio_kind;

static void make_bio_kind(void)
{
    bio_kind = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "engine");
    if (bio_kind != NULL) {
        (void)BIO_meth_set_read_ex(bio_kind, source_read);
        (void)BIO_meth_set_write_ex(bio_kind, sink_write);
        (void)BIO_meth_set_ctrl(bio_kind, bio_ctrl);
    }
}

static BIO *bio_over(struct tls_engine *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *bio;

    (void)pthread_once(&once, make_bio_kind);
    bio = bio_kind == NULL ? NULL : BIO_new(bio_kind);
    if (bio != NULL) {
        BIO_set_data(bio, e);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* --- messages as they pass, decrypted --- */
/* A Certificate message: RFC 5246 7.4.2; RFC 8446 4.4.2. */
static void note_chain(struct tls_engine *e, struct bytes body)
{
    bool v13 = SSL_version(openssl_of(e)) == TLS1_3_VERSION;
    struct bytes list;

    if (v13)
        (void)bytes_vec(&body, 1); /* context */
    list = bytes_vec(&body, 3);
    tls_chain_clear(&e->peer_chain);
    while (list.left > 0 && !list.bad) {
        struct bytes der = bytes_vec(&list, 3);

        if (v13)
            (void)bytes_vec(&list, 2); /* its extensions */
        if (!list.bad)
            tls_chain_add(&e->peer_chain, der.at, der.left);
    }
    session_of(e)->peer_proved = e->peer_chain.presented > 0;
}

static void message_cb(int writing, int version, int type, const void *data, size_t n, SSL *ssl,
                       void *arg)
{
    struct tls_engine *e = arg;
    const uint8_t *at = data;

    (void)version, (void)ssl;
    if (type == SSL3_RT_ALERT && n == 2 && writing && at[0] == SSL3_AL_FATAL)
        session_of(e)->alert_out = at[1];
    else if (type == SSL3_RT_ALERT && n == 2 && !writing)
        e->alert_level = at[0], e->alert_number = at[1];
    else if (type == SSL3_RT_HANDSHAKE && n >= 4 && !writing && at[0] == TLS_HANDSHAKE_certificate)
        note_chain(e, bytes_of(at + 4, n - 4));
    else if (type == SSL3_RT_HANDSHAKE && n >= 4 && !writing &&
             at[0] == TLS_HANDSHAKE_certificate_request && !e->request.seen)
        tls_engine_look_at_request(e, at + 4, n - 4);
}

/* --- the peer's certificate --- */
/* OpenSSL chooses the alert by the number of its verdict. */
static int verdict_of(int alert)
{
    switch (alert) {
    case 0:
        return X509_V_OK;
    case TLS_ALERT_bad_certificate:
        return X509_V_ERR_CERT_REJECTED;
    case TLS_ALERT_unsupported_certificate:
        return X509_V_ERR_INVALID_PURPOSE;
    case TLS_ALERT_certificate_revoked:
        return X509_V_ERR_CERT_REVOKED;
    case TLS_ALERT_certificate_expired:
        return X509_V_ERR_CERT_HAS_EXPIRED;
    case TLS_ALERT_unknown_ca:
        return X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
    default:
        return X509_V_ERR_KEYUSAGE_NO_CERTSIGN; /* not in its list: goes out as certificate_unknown
                                                 */
    }
}

/* What mbedTLS finds wrong with a client's chain: one judge, whichever library speaks. */
static uint32_t judge_client(const struct tls_chain *chain, const struct tls_conf_params *p)
{
    uint32_t flags = 0;
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    for (size_t i = 0; i < chain->n; i++) {
        if (mbedtls_x509_crt_parse_der(&crt, chain->at[i].der, chain->at[i].len) != 0 && i == 0)
            flags = MBEDTLS_X509_BADCERT_BAD_KEY;
    }
    if (chain->n > 0 && flags == 0) {
        (void)mbedtls_x509_crt_verify(&crt, p->client_ca, p->client_crl, NULL, &flags, NULL, NULL);
        if (mbedtls_x509_crt_check_key_usage(&crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
            flags |= MBEDTLS_X509_BADCERT_KEY_USAGE;
        if (mbedtls_x509_crt_check_extended_key_usage(
                &crt, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) != 0)
            flags |= MBEDTLS_X509_BADCERT_EXT_KEY_USAGE;
    }
    mbedtls_x509_crt_free(&crt);
    return flags;
}

static int chain_cb(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_engine *e = SSL_get_app_data(ssl);
    const struct tls_conf_params *p = &((const struct conf_openssl *)e->conf)->params;
    const SSL_CIPHER *suite = SSL_get_pending_cipher(ssl);
    int alert;

    (void)unused;
    if (e->conf->server) {
        session_of(e)->verify_flags = judge_client(&e->peer_chain, p);
        alert = p->client_auth == TLS_CLIENT_AUTH_REQUIRE && session_of(e)->verify_flags != 0
                    ? tls_verify_alert(session_of(e)->verify_flags)
                    : 0;
    } else {
        alert = tls_engine_ask_verify(e, (uint16_t)SSL_version(ssl),
                                      suite == NULL ? 0 : SSL_CIPHER_get_protocol_id(suite));
    }
    X509_STORE_CTX_set_error(store, verdict_of(alert));
    return alert == 0;
}

/* --- our own --- */
static bool present(struct tls_engine *e, const struct tls_identity *identity)
{
    struct openssl_own *own = openssl_own_of(identity);

    if (identity->slot == NULL)
        session_of(e)->own = own;
    return own != NULL &&
           SSL_use_cert_and_key(openssl_of(e), own->leaf, own->key, own->rest, 1) == 1;
}

/* A client is asked for its certificate: the request has been looked at. */
static int client_cert_cb(SSL *ssl, void *arg)
{
    struct tls_engine *e = arg;
    const struct tls_conf_params *p = &((const struct conf_openssl *)e->conf)->params;
    const struct tls_identity own = { p->own_chain, p->own_key, NULL };

    (void)ssl;
    if (!e->request.withheld)
        (void)present(e, &own);
    return 1;
}

/* --- life --- */
static void openssl_stop(struct tls_engine *e)
{
    struct openssl_session *s = session_of(e);

    SSL_free(s->ssl);
    openssl_own_free(s->own);
    free(s->flight);
    free(s);
}

static bool set_session_up(struct tls_engine *e, const char *host_name)
{
    SSL *ssl = openssl_of(e);
    BIO *bio = bio_over(e);

    if (bio == NULL)
        return false;
    SSL_set_bio(ssl, bio, bio); /* takes it */
    SSL_set_msg_callback(ssl, message_cb);
    SSL_set_msg_callback_arg(ssl, e);
    if (SSL_set_app_data(ssl, e) == 0)
        return false;
    if (e->conf->server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    if (e->conf->own != NULL)
        SSL_set_cert_cb(ssl, client_cert_cb, e);
    if (e->conf->server && e->identity.chain != NULL && !present(e, &e->identity))
        return false;
    return host_name == NULL || SSL_set_tlsext_host_name(ssl, host_name) == 1;
}

static int openssl_begin(struct tls_engine *e, const char *host_name)
{
    struct openssl_session *s = calloc(1, sizeof *s);
    SSL_CTX *ctx = s == NULL ? NULL : conf_openssl_ctx(e->conf, chain_cb);

    e->session = s;
    if (s == NULL)
        return -1;
    s->ssl = ctx == NULL ? NULL : SSL_new(ctx);
    if (s->ssl != NULL && set_session_up(e, host_name))
        return 0;
    ERR_clear_error();
    openssl_stop(e);
    return -1;
}

/* --- what it answered --- */
/* The first that libssl itself says of it, else the first of all. */
static unsigned long first_error(void)
{
    unsigned long first = ERR_peek_error(), error;

    while ((error = ERR_get_error()) != 0) {
        if (ERR_GET_LIB(error) == ERR_LIB_SSL)
            first = error;
        if (ERR_GET_LIB(first) == ERR_LIB_SSL)
            break;
    }
    ERR_clear_error();
    return first;
}

static enum tls_ended outcome(struct tls_engine *e, int rc)
{
    int why = SSL_get_error(openssl_of(e), rc);
    unsigned long error = first_error();

    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return TLS_ENDED_WANTING;
    e->error = ERR_SYSTEM_ERROR(error) ? 0 : (int)error;
    if (why == SSL_ERROR_ZERO_RETURN)
        return TLS_ENDED_NOTIFIED;
    /* Above the alerts stand reasons that all its libraries have in common. */
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET &&
        ERR_GET_REASON(error) <= SSL_AD_REASON_OFFSET + UINT8_MAX)
        return TLS_ENDED_ALERT;
    if (e->eof && (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING || error == 0))
        return TLS_ENDED_CUT;
    return TLS_ENDED_FAILED;
}

static enum tls_ended openssl_handshake(struct tls_engine *e)
{
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(openssl_of(e));
    if (send_flight(e) != 0)
        return TLS_ENDED_FAILED;
    return rc == 1 ? TLS_ENDED_OK : outcome(e, rc);
}

static enum tls_ended openssl_read(struct tls_engine *e, void *buf, size_t size, size_t *got)
{
    int rc;

    ERR_clear_error();
    rc = SSL_read_ex(openssl_of(e), buf, size, got);
    return rc == 1 ? TLS_ENDED_OK : outcome(e, rc);
}

static enum tls_ended openssl_write(struct tls_engine *e, const void *data, size_t n, size_t *put)
{
    int rc;

    ERR_clear_error();
    rc = SSL_write_ex(openssl_of(e), data, n, put);
    return rc == 1 ? TLS_ENDED_OK : outcome(e, rc);
}

static void openssl_close_notify(struct tls_engine *e)
{
    (void)SSL_shutdown(openssl_of(e));
    ERR_clear_error();
}

static int openssl_send_alert(struct tls_engine *e, uint8_t number)
{
    int rc = openssl_private_alert(openssl_of(e), number);

    ERR_clear_error();
    return rc;
}

/* --- facts --- */
static size_t openssl_pending(const struct tls_engine *e)
{
    return (size_t)SSL_pending(openssl_of(e));
}

static uint16_t openssl_version(const struct tls_engine *e)
{
    SSL *ssl = openssl_of(e);

    return e->secured || SSL_get_pending_cipher(ssl) != NULL ? (uint16_t)SSL_version(ssl) : 0;
}

static uint16_t openssl_suite(const struct tls_engine *e)
{
    return SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(openssl_of(e)));
}

static const char *openssl_alpn(const struct tls_engine *e)
{
    struct openssl_session *s = session_of(e);
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(s->ssl, &name, &len);
    if (len == 0)
        return NULL;
    memcpy(s->alpn, name, len); /* at most 255: its length is one byte */
    s->alpn[len] = '\0';
    return s->alpn;
}

static uint32_t openssl_verify_flags(const struct tls_engine *e)
{
    const struct conf_openssl *c = (const struct conf_openssl *)e->conf;

    if (c->params.client_auth != TLS_CLIENT_AUTH_NONE && !session_of(e)->peer_proved &&
        !SSL_session_reused(openssl_of(e)))
        return MBEDTLS_X509_BADCERT_MISSING;
    return session_of(e)->verify_flags;
}

static uint8_t openssl_alert_out(const struct tls_engine *e)
{
    return session_of(e)->alert_out;
}

const struct tls_library_ops tls_library_openssl = {
    .name = "openssl",
    .message_max = 131396, /* CLIENT_HELLO_MAX_LENGTH */
    .conf_new = conf_openssl_new,
    .conf_free = conf_openssl_free,
    .start = openssl_begin,
    .stop = openssl_stop,
    .handshake = openssl_handshake,
    .read = openssl_read,
    .write = openssl_write,
    .close_notify = openssl_close_notify,
    .send_alert = openssl_send_alert,
    .pending = openssl_pending,
    .version = openssl_version,
    .suite = openssl_suite,
    .alpn = openssl_alpn,
    .verify_flags = openssl_verify_flags,
    .alert_out = openssl_alert_out,
};
