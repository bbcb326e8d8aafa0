/* SPDX-License-Identifier: Apache-2.0
 * Sessions of mbedTLS behind the engine's interface. */
#include "tls/engine_mbedtls.h"

#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/bytes.h"
#include "tls/conf_mbedtls.h"
#include "tls/mbedtls_private.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

static mbedtls_ssl_context *ssl_of(const struct tls_engine *e)
{
    return e->session;
}

/* --- the byte source and sink --- */
static int bio_recv(void *arg, unsigned char *buf, size_t n)
{
    ssize_t got = tls_engine_recv(arg, buf, n);

    if (got == TLS_RECV_NONE)
        return MBEDTLS_ERR_SSL_WANT_READ;
    return got == TLS_RECV_FAILED ? MBEDTLS_ERR_NET_CONN_RESET : (int)got;
}

static int bio_send(void *arg, const unsigned char *data, size_t n)
{
    struct tls_engine *e = arg;

    /* mbedTLS hands over its own output buffer, which nobody reads again: the tap may edit it. */
    if (tls_engine_send(e, (uint8_t *)(uintptr_t)data, n) == 0)
        return (int)n;
    return e->flooded ? TLS_ERROR_FLOOD : MBEDTLS_ERR_SSL_ALLOC_FAILED;
}

/* --- what it calls --- */
static void key_log_cb(void *unused, mbedtls_ssl_key_export_type type, const unsigned char *secret,
                       size_t secret_len, const unsigned char client_random[32],
                       const unsigned char server_random[32], mbedtls_tls_prf_types prf)
{
    static const char *const labels[] = {
        [MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET] = "CLIENT_RANDOM",
        [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_EARLY_SECRET] = "CLIENT_EARLY_TRAFFIC_SECRET",
        [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_EARLY_EXPORTER_SECRET] = "EARLY_EXPORTER_SECRET",
        [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET] =
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET] =
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET] =
            "CLIENT_TRAFFIC_SECRET_0",
        [MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET] =
            "SERVER_TRAFFIC_SECRET_0",
    };
    char line[256], random[2 * 32 + 1], hex[2 * 64 + 1];
    int n;

    (void)unused, (void)server_random, (void)prf;
    if ((size_t)type >= sizeof labels / sizeof labels[0] || labels[type] == NULL || secret_len > 64)
        return;
    n = snprintf(line, sizeof line, "%s %s %s\n", labels[type],
                 bytes_hex(client_random, 32, random), bytes_hex(secret, secret_len, hex));
    tls_key_log_line(line, (size_t)n);
}

/* mbedTLS chooses the alert by the flags of the verdict. */
static uint32_t flags_of(int alert)
{
    switch (alert) {
    case TLS_ALERT_bad_certificate:
        return MBEDTLS_X509_BADCERT_CN_MISMATCH;
    case TLS_ALERT_unsupported_certificate:
        return MBEDTLS_X509_BADCERT_BAD_KEY;
    case TLS_ALERT_certificate_revoked:
        return MBEDTLS_X509_BADCERT_REVOKED;
    case TLS_ALERT_certificate_expired:
        return MBEDTLS_X509_BADCERT_EXPIRED;
    case TLS_ALERT_unknown_ca:
        return MBEDTLS_X509_BADCERT_NOT_TRUSTED;
    case TLS_ALERT_access_denied:
        return MBEDTLS_X509_BADCERT_OTHER;
    default:
        return MBEDTLS_X509_BADCERT_FUTURE; /* goes out as certificate_unknown */
    }
}

static int verify_cb(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct tls_engine *e = arg;
    int alert;

    if (e->verify == NULL)
        return 0;
    *flags = 0; /* mbedTLS's own verdict does not count */
    if (depth != 0)
        return 0;
    tls_private_allow_any_usage(crt); /* or mbedTLS judges it once more afterwards */
    alert = tls_engine_ask_verify(e, (uint16_t)mbedtls_ssl_get_version_number(ssl_of(e)),
                                  tls_private_suite(ssl_of(e)));
    if (alert != 0)
        *flags = flags_of(alert);
    return 0;
}

/* --- life --- */
static void mbedtls_stop(struct tls_engine *e)
{
    mbedtls_ssl_free(ssl_of(e));
    free(e->session);
}

static int mbedtls_start(struct tls_engine *e, const char *host_name)
{
    mbedtls_ssl_context *ssl = e->session = malloc(sizeof *ssl);

    if (ssl == NULL)
        return -1;
    mbedtls_ssl_init(ssl);
    mbedtls_ssl_set_user_data_p(ssl, &e->identity); /* for the configuration's callback */
    if (mbedtls_ssl_setup(ssl, conf_mbedtls_ssl(e->conf)) != 0 ||
        mbedtls_ssl_set_hostname(ssl, host_name) != 0) {
        mbedtls_stop(e);
        return -1;
    }
    if (tls_key_log_is_on())
        mbedtls_ssl_set_export_keys_cb(ssl, key_log_cb, NULL);
    if (!e->conf->server)
        mbedtls_ssl_set_verify(ssl, verify_cb, e);
    mbedtls_ssl_set_bio(ssl, e, bio_send, bio_recv, NULL);
    return 0;
}

/* --- what it answered --- */
static enum tls_ended ended(struct tls_engine *e, int rc)
{
    e->error = rc;
    switch (rc) {
    case 0:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return TLS_ENDED_CUT;
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TLS_ENDED_WANTING;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return TLS_ENDED_NOTIFIED;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        e->alert_number = tls_private_alert_in(ssl_of(e), &e->alert_level);
        return TLS_ENDED_ALERT;
    default:
        return TLS_ENDED_FAILED;
    }
}

/* The handshake step that reads a CertificateRequest is over: was there one? */
static void look_at_cert_request(struct tls_engine *e)
{
    size_t len;
    const uint8_t *message = tls_private_message(ssl_of(e), &len);

    if (len < 4 || message[0] != TLS_HANDSHAKE_certificate_request)
        return;
    tls_engine_look_at_request(e, message + 4, len - 4);
    if (e->request.withheld)
        tls_private_set_conf(ssl_of(e), conf_mbedtls_anonymous(e->conf));
}

/* mbedtls_ssl_handshake(), stopping after each step to look. */
static int take_steps(struct tls_engine *e)
{
    mbedtls_ssl_context *ssl = ssl_of(e);
    int rc = 0;

    if (e->conf->server)
        return mbedtls_ssl_handshake(ssl);
    while (rc == 0 && !mbedtls_ssl_is_handshake_over(ssl)) {
        bool asking = tls_private_state(ssl) == MBEDTLS_SSL_CERTIFICATE_REQUEST;

        rc = mbedtls_ssl_handshake_step(ssl);
        if (rc == 0 && asking && tls_private_state(ssl) != MBEDTLS_SSL_CERTIFICATE_REQUEST)
            look_at_cert_request(e);
    }
    return rc;
}

static enum tls_ended mbedtls_handshake(struct tls_engine *e)
{
    int rc;

    tls_private_capture(&e->peer_chain);
    tls_private_leaf_only(e->verify != NULL);
    do
        rc = take_steps(e);
    while (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    tls_private_capture(NULL);
    tls_private_leaf_only(false);
    return rc == 0 ? TLS_ENDED_OK : ended(e, rc);
}

static enum tls_ended mbedtls_read(struct tls_engine *e, void *buf, size_t size, size_t *got)
{
    int rc;

    do
        rc = mbedtls_ssl_read(ssl_of(e), buf, size);
    while (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    if (rc <= 0)
        return ended(e, rc);
    *got = (size_t)rc;
    return TLS_ENDED_OK;
}

static enum tls_ended mbedtls_write(struct tls_engine *e, const void *data, size_t n, size_t *put)
{
    int rc = mbedtls_ssl_write(ssl_of(e), data, n);

    if (rc <= 0)
        return ended(e, rc);
    *put = (size_t)rc;
    return TLS_ENDED_OK;
}

static void mbedtls_close_notify(struct tls_engine *e)
{
    (void)mbedtls_ssl_close_notify(ssl_of(e));
}

static int mbedtls_send_alert(struct tls_engine *e, uint8_t number)
{
    return mbedtls_ssl_send_alert_message(ssl_of(e), MBEDTLS_SSL_ALERT_LEVEL_FATAL, number);
}

/* --- facts --- */
static size_t mbedtls_pending(const struct tls_engine *e)
{
    return mbedtls_ssl_get_bytes_avail(ssl_of(e));
}

static uint16_t mbedtls_version(const struct tls_engine *e)
{
    return (uint16_t)mbedtls_ssl_get_version_number(ssl_of(e));
}

static uint16_t mbedtls_suite(const struct tls_engine *e)
{
    return (uint16_t)mbedtls_ssl_get_ciphersuite_id_from_ssl(ssl_of(e));
}

static const char *mbedtls_alpn(const struct tls_engine *e)
{
    return mbedtls_ssl_get_alpn_protocol(ssl_of(e));
}

static uint32_t mbedtls_verify_flags(const struct tls_engine *e)
{
    return mbedtls_ssl_get_verify_result(ssl_of(e)) & ~(uint32_t)MBEDTLS_X509_BADCERT_SKIP_VERIFY;
}

static uint8_t mbedtls_alert_out(const struct tls_engine *e)
{
    return tls_private_alert_out(ssl_of(e));
}

const struct tls_library_ops tls_library_mbedtls = {
    .name = "mbedtls",
    .message_max = MBEDTLS_SSL_IN_CONTENT_LEN,
    .conf_new = conf_mbedtls_new,
    .conf_free = conf_mbedtls_free,
    .start = mbedtls_start,
    .stop = mbedtls_stop,
    .handshake = mbedtls_handshake,
    .read = mbedtls_read,
    .write = mbedtls_write,
    .close_notify = mbedtls_close_notify,
    .send_alert = mbedtls_send_alert,
    .pending = mbedtls_pending,
    .version = mbedtls_version,
    .suite = mbedtls_suite,
    .alpn = mbedtls_alpn,
    .verify_flags = mbedtls_verify_flags,
    .alert_out = mbedtls_alert_out,
};
