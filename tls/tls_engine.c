/* SPDX-License-Identifier: Apache-2.0
 * TLS between two byte streams, no socket: an mbedTLS session over a `struct tls_io`. */
#include "tls/tls_engine.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/turn.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

/* One read takes what two full records need; what mbedTLS leaves of it moves to `kept`. */
#define SCRATCH_SIZE (33 * 1024)
static _Thread_local uint8_t scratch[SCRATCH_SIZE];
static int key_log_fd = -1;

/* What may wait for the peer: one flight of a handshake (a chain of 16 KiB is the most that mbedTLS
 * sends) or one record of data. Only a peer that makes this side talk and does not listen needs
 * more. */
#define OUT_MAX ((size_t)64 * 1024)
/* Answers in one session to messages that nobody needs: refused renegotiations, above all. */
#define ANSWERS_MAX 32

struct tls_engine {
    mbedtls_ssl_context ssl;
    struct tls_io io;
    struct tls_identity identity;
    const struct tls_conf *conf; /* borrowed */
    int (*verify)(void *arg, const struct tls_presented *p);
    void *verify_arg;
    struct tls_cert_request request;
    struct tls_chain peer_chain;
    struct hop_failure failure;
    uint8_t *kept; /* owned: received, not yet taken by mbedTLS; between calls only */
    const uint8_t *in;
    size_t in_left; /* unread received bytes: in `scratch` inside a call, in `kept` between */
    uint8_t *out;   /* owned: what the peer could not take yet */
    size_t out_at, out_len;
    uint8_t alert_level, alert_number;
    unsigned answers; /* records sent while the peer's data was read */
    bool started, secured, reading;
    bool flooded; /* the peer asks for answers without an end */
    bool eof, closed_in_order;
    bool send_dead; /* sending failed; reading goes on, an alert may be waiting there */
    int send_errno;
    bool close_sent;
};

/* --- the byte source and sink that mbedTLS calls --- */
static int bio_recv(void *arg, unsigned char *buf, size_t n)
{
    struct tls_engine *e = arg;

    if (!turn_take(TURN_COST_RECORD))
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (e->in_left == 0) {
        ssize_t got = e->io.recv(e->io.arg, scratch, sizeof scratch);

        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return MBEDTLS_ERR_SSL_WANT_READ;
        if (got < 0) {
            (void)hop_from_errno(errno, true, &e->failure);
            return MBEDTLS_ERR_NET_CONN_RESET;
        }
        if (got == 0) {
            e->eof = true;
            return 0;
        }
        if (e->io.tap != NULL)
            e->io.tap(e->io.arg, true, scratch, (size_t)got);
        e->in = scratch;
        e->in_left = (size_t)got;
    }
    if (n > e->in_left)
        n = e->in_left;
    memcpy(buf, e->in, n);
    e->in += n;
    e->in_left -= n;
    return (int)n;
}

/* Keep what this call did not use: the scratch buffer is the thread's. */
static void keep_rest(struct tls_engine *e)
{
    uint8_t *fresh = NULL;

    if (e->in_left > 0 && e->in >= scratch && e->in < scratch + sizeof scratch) {
        fresh = malloc(e->in_left);
        if (fresh == NULL) {
            /* Losing bytes of a TLS stream is the end of it: the next record fails. */
            e->in_left = 0;
            e->eof = true;
        } else {
            memcpy(fresh, e->in, e->in_left);
        }
    } else if (e->in_left > 0) {
        return; /* still inside `kept` */
    }
    free(e->kept);
    e->kept = fresh;
    e->in = fresh;
}

static int queue_out(struct tls_engine *e, const uint8_t *data, size_t n)
{
    uint8_t *grown;

    if (e->out_at > 0) {
        memmove(e->out, e->out + e->out_at, e->out_len);
        e->out_at = 0;
    }
    if (n > OUT_MAX - e->out_len) {
        e->flooded = true;
        return -1;
    }
    grown = realloc(e->out, e->out_len + n);
    if (grown == NULL)
        return -1;
    memcpy(grown + e->out_len, data, n);
    e->out = grown;
    e->out_len += n;
    return 0;
}

static int bio_send(void *arg, const unsigned char *data, size_t n)
{
    struct tls_engine *e = arg;
    ssize_t sent = 0;

    if (e->reading && ++e->answers > ANSWERS_MAX) {
        e->flooded = true;
        return TLS_ERROR_FLOOD;
    }
    /* mbedTLS hands over its own output buffer, which nobody reads again: the tap may edit it. */
    if (e->io.tap != NULL)
        e->io.tap(e->io.arg, false, (uint8_t *)(uintptr_t)data, n);
    if (e->send_dead)
        return (int)n;
    if (e->out_len == 0) {
        sent = e->io.send(e->io.arg, data, n);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            /* The peer may have said why before it closed: read on, fail when that is drained. */
            e->send_dead = true;
            e->send_errno = errno;
            return (int)n;
        }
        if (sent < 0)
            sent = 0;
    }
    if ((size_t)sent < n && queue_out(e, data + sent, n - (size_t)sent) != 0)
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    return (int)n;
}

enum hop_status tls_engine_flush(struct tls_engine *e)
{
    while (e->out_len > 0 && !e->send_dead) {
        ssize_t sent = e->io.send(e->io.arg, e->out + e->out_at, e->out_len);

        if (sent < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
                return HOP_WANT_WRITE;
            e->send_dead = true;
            e->send_errno = errno;
            break;
        }
        e->out_at += (size_t)sent;
        e->out_len -= (size_t)sent;
    }
    if (e->send_dead)
        e->out_len = 0;
    if (e->out_len == 0) {
        free(e->out);
        e->out = NULL;
        e->out_at = 0;
    }
    return HOP_OK;
}

/* --- life --- */
struct tls_engine *tls_engine_new(const struct tls_io *io)
{
    struct tls_engine *e = calloc(1, sizeof *e);

    if (e == NULL)
        return NULL;
    e->io = *io;
    mbedtls_ssl_init(&e->ssl);
    return e;
}

void tls_engine_free(struct tls_engine *e)
{
    if (e == NULL)
        return;
    mbedtls_ssl_free(&e->ssl);
    tls_chain_clear(&e->peer_chain);
    free(e->kept);
    free(e->out);
    free(e);
}

void tls_engine_set_tap(struct tls_engine *e, void (*tap)(void *, bool, uint8_t *, size_t))
{
    e->io.tap = tap;
}

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
    char line[256];
    size_t at;

    (void)unused, (void)server_random, (void)prf;
    if ((size_t)type >= sizeof labels / sizeof labels[0] || labels[type] == NULL || secret_len > 64)
        return;
    at = (size_t)snprintf(line, sizeof line, "%s ", labels[type]);
    for (size_t i = 0; i < 32; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, "%02x", client_random[i]);
    line[at++] = ' ';
    for (size_t i = 0; i < secret_len && at + 3 < sizeof line; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, "%02x", secret[i]);
    line[at++] = '\n';
    if (write(key_log_fd, line, at) < 0)
        return; /* a key log that cannot be written is no reason to end a flow */
}

void tls_key_log_to(int fd)
{
    key_log_fd = fd;
}

int tls_engine_start(struct tls_engine *e, const struct tls_conf *conf,
                     const struct tls_identity *identity, const char *host_name, struct err *err)
{
    if (identity != NULL)
        e->identity = *identity;
    mbedtls_ssl_set_user_data_p(&e->ssl, &e->identity); /* for the configuration's callback */
    if (mbedtls_ssl_setup(&e->ssl, tls_conf_ssl(conf)) != 0 ||
        mbedtls_ssl_set_hostname(&e->ssl, host_name) != 0) {
        err_set(err, ERR_NOMEM, "TLS session");
        return -1;
    }
    if (key_log_fd >= 0)
        mbedtls_ssl_set_export_keys_cb(&e->ssl, key_log_cb, NULL);
    mbedtls_ssl_set_bio(&e->ssl, e, bio_send, bio_recv, NULL);
    e->conf = conf;
    e->started = true;
    return 0;
}

int tls_engine_replay(struct tls_engine *e, const void *data, size_t n)
{
    uint8_t *copy = malloc(n);

    if (copy == NULL)
        return -1;
    memcpy(copy, data, n);
    free(e->kept);
    e->kept = copy;
    e->in = copy;
    e->in_left = n;
    return 0;
}

/* --- the verify hook --- */
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
    struct tls_presented p = {
        .chain = &e->peer_chain,
        .version = (uint16_t)mbedtls_ssl_get_version_number(&e->ssl),
        .suite = tls_private_suite(&e->ssl),
    };
    int alert;

    *flags = 0; /* mbedTLS's own verdict does not count */
    if (depth != 0)
        return 0;
    tls_private_allow_any_usage(crt); /* or mbedTLS judges it once more afterwards */
    alert = e->verify(e->verify_arg, &p);
    if (alert == 0 && e->peer_chain.leaf_error != 0)
        alert = TLS_ALERT_unsupported_certificate;
    if (alert != 0)
        *flags = flags_of(alert);
    return 0;
}

void tls_engine_set_verify(struct tls_engine *e,
                           int (*verify)(void *arg, const struct tls_presented *p), void *arg)
{
    e->verify = verify;
    e->verify_arg = arg;
    mbedtls_ssl_set_verify(&e->ssl, verify_cb, e);
}

const struct tls_cert_request *tls_engine_cert_request(const struct tls_engine *e)
{
    return &e->request;
}

/* --- a client's certificate --- */
/* The authorities of a CertificateRequest: RFC 5246 7.4.4; RFC 8446 4.3.2 and 4.2.4. */
static struct bytes authorities_of(struct bytes body, uint16_t version)
{
    struct bytes extensions;

    (void)bytes_vec(&body, 1); /* 1.2: certificate types; 1.3: context */
    if (version < TLS_1_3) {
        (void)bytes_vec(&body, 2);
        return bytes_vec(&body, 2);
    }
    extensions = bytes_vec(&body, 2);
    while (extensions.left > 0 && !extensions.bad) {
        uint16_t type = bytes_u16(&extensions);
        struct bytes content = bytes_vec(&extensions, 2);

        if (type == TLS_EXT_certificate_authorities)
            return bytes_vec(&content, 2);
    }
    return bytes_of(NULL, 0);
}

/* The handshake step that reads a CertificateRequest is over: was there one, and does our
 * certificate suit it? A JDK sends none that was not asked for by its issuer's name. */
static void look_at_cert_request(struct tls_engine *e)
{
    size_t len;
    const uint8_t *message = tls_private_message(&e->ssl, &len);
    struct bytes names;
    bool suits = false;

    if (len < 4 || message[0] != TLS_HANDSHAKE_certificate_request)
        return;
    e->request.seen = true;
    names = authorities_of(bytes_of(message + 4, len - 4), tls_engine_version(e));
    while (names.left > 0 && !names.bad) {
        struct bytes name = bytes_vec(&names, 2);

        if (names.bad)
            break;
        e->request.authorities++;
        suits = suits || tls_conf_issued_by(e->conf, name.at, name.left);
    }
    if (tls_conf_anonymous(e->conf) != NULL && e->request.authorities > 0 && !suits) {
        e->request.withheld = true;
        tls_private_set_conf(&e->ssl, tls_conf_anonymous(e->conf));
    }
}

/* mbedtls_ssl_handshake(), stopping after each step to look. */
static int take_steps(struct tls_engine *e)
{
    bool client = mbedtls_ssl_conf_get_endpoint(tls_conf_ssl(e->conf)) == MBEDTLS_SSL_IS_CLIENT;
    int rc = 0;

    if (!client)
        return mbedtls_ssl_handshake(&e->ssl);
    while (rc == 0 && !mbedtls_ssl_is_handshake_over(&e->ssl)) {
        bool asking = tls_private_state(&e->ssl) == MBEDTLS_SSL_CERTIFICATE_REQUEST;

        rc = mbedtls_ssl_handshake_step(&e->ssl);
        if (rc == 0 && asking && tls_private_state(&e->ssl) != MBEDTLS_SSL_CERTIFICATE_REQUEST)
            look_at_cert_request(e);
    }
    return rc;
}

/* --- what mbedTLS answered --- */
static enum hop_status fail(struct tls_engine *e, int rc)
{
    e->failure.in_handshake = !e->secured;
    e->failure.tls_error = e->flooded ? TLS_ERROR_FLOOD : rc;
    if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        e->alert_number = tls_private_alert_in(&e->ssl, &e->alert_level);
        e->failure.cause = HOP_CAUSE_ALERT_IN;
    } else if (e->failure.cause != HOP_CAUSE_NONE) {
        e->failure.tls_error = 0; /* the socket failed first */
    } else if (e->eof || rc == MBEDTLS_ERR_SSL_CONN_EOF ||
               rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        e->failure.cause =
            e->send_dead && e->send_errno == ECONNRESET ? HOP_CAUSE_RESET : HOP_CAUSE_CLOSED;
    } else {
        e->failure.cause =
            tls_private_alert_out(&e->ssl) != 0 ? HOP_CAUSE_ALERT_OUT : HOP_CAUSE_TLS;
    }
    return HOP_FAILED;
}

static enum hop_status want_read(struct tls_engine *e)
{
    /* Whatever this side still has to say must go out, or the peer will never answer. */
    if (tls_engine_flush(e) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    if (e->send_dead) {
        (void)hop_from_errno(e->send_errno, false, &e->failure);
        e->failure.in_handshake = !e->secured;
        return HOP_FAILED;
    }
    return HOP_WANT_READ;
}

enum hop_status tls_engine_handshake(struct tls_engine *e)
{
    enum hop_status st;
    int rc;

    if (tls_engine_flush(e) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    tls_private_capture(&e->peer_chain);
    tls_private_leaf_only(e->verify != NULL);
    do
        rc = take_steps(e);
    while (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    tls_private_capture(NULL);
    tls_private_leaf_only(false);
    if (rc == 0) {
        e->secured = true;
        st = HOP_OK;
    } else if (rc == MBEDTLS_ERR_SSL_WANT_READ) {
        st = want_read(e);
    } else if (rc == MBEDTLS_ERR_SSL_WANT_WRITE) {
        st = HOP_WANT_WRITE;
    } else {
        (void)tls_engine_flush(e);
        st = fail(e, rc);
    }
    keep_rest(e);
    return st;
}

enum hop_status tls_engine_read(struct tls_engine *e, void *buf, size_t size, size_t *got)
{
    enum hop_status st;
    int rc;

    e->reading = true;
    do
        rc = mbedtls_ssl_read(&e->ssl, buf, size);
    while (rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
    e->reading = false;
    if (rc > 0) {
        *got = (size_t)rc;
        st = HOP_OK;
    } else if (rc == MBEDTLS_ERR_SSL_WANT_READ) {
        st = want_read(e);
    } else if (rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        e->closed_in_order = true;
        st = HOP_EOF;
    } else if ((rc == 0 || rc == MBEDTLS_ERR_SSL_CONN_EOF) && e->send_dead &&
               e->send_errno == ECONNRESET) {
        st = hop_from_errno(ECONNRESET, true, &e->failure); /* sending took the error away */
    } else if ((rc == 0 || rc == MBEDTLS_ERR_SSL_CONN_EOF) && e->failure.cause == HOP_CAUSE_NONE) {
        st = HOP_EOF; /* FIN without close_notify */
    } else {
        st = fail(e, rc);
    }
    keep_rest(e);
    return st;
}

enum hop_status tls_engine_write(struct tls_engine *e, const void *data, size_t n, size_t *put)
{
    int rc;

    if (tls_engine_flush(e) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    if (e->send_dead) {
        (void)hop_from_errno(e->send_errno, false, &e->failure);
        return HOP_FAILED;
    }
    rc = mbedtls_ssl_write(&e->ssl, data, n);
    if (rc > 0) {
        *put = (size_t)rc;
        return HOP_OK;
    }
    if (rc == MBEDTLS_ERR_SSL_WANT_READ)
        return HOP_WANT_READ;
    if (rc == MBEDTLS_ERR_SSL_WANT_WRITE)
        return HOP_WANT_WRITE;
    return fail(e, rc);
}

enum hop_status tls_engine_close_notify(struct tls_engine *e)
{
    if (!e->close_sent && e->secured) {
        e->close_sent = true;
        (void)mbedtls_ssl_close_notify(&e->ssl);
    }
    return tls_engine_flush(e);
}

int tls_engine_send_alert(struct tls_engine *e, uint8_t number)
{
    return mbedtls_ssl_send_alert_message(&e->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, number);
}

/* --- facts --- */
size_t tls_engine_pending(const struct tls_engine *e)
{
    return mbedtls_ssl_get_bytes_avail(&e->ssl) + e->in_left;
}

bool tls_engine_closed_in_order(const struct tls_engine *e)
{
    return e->closed_in_order;
}

uint16_t tls_engine_version(const struct tls_engine *e)
{
    return e->started ? (uint16_t)mbedtls_ssl_get_version_number(&e->ssl) : 0;
}

uint16_t tls_engine_suite(const struct tls_engine *e)
{
    return e->secured ? (uint16_t)mbedtls_ssl_get_ciphersuite_id_from_ssl(&e->ssl) : 0;
}

uint32_t tls_engine_verify_flags(const struct tls_engine *e)
{
    uint32_t flags = e->secured ? mbedtls_ssl_get_verify_result(&e->ssl) : 0;

    return flags & ~(uint32_t)MBEDTLS_X509_BADCERT_SKIP_VERIFY;
}

const char *tls_engine_alpn(const struct tls_engine *e)
{
    return e->started ? mbedtls_ssl_get_alpn_protocol(&e->ssl) : NULL;
}

struct tls_chain *tls_engine_peer_chain(struct tls_engine *e)
{
    return &e->peer_chain;
}

void tls_engine_alert_in(const struct tls_engine *e, uint8_t *level, uint8_t *number)
{
    *level = e->alert_level;
    *number = e->alert_number;
}

uint8_t tls_engine_alert_out(const struct tls_engine *e)
{
    return e->started ? tls_private_alert_out(&e->ssl) : 0;
}

void tls_engine_failure(const struct tls_engine *e, struct hop_failure *out)
{
    *out = e->failure;
}
