/* SPDX-License-Identifier: Apache-2.0
 * TLS between two byte streams, no socket: the bytes on their way, and what a library's answers
 * mean. */
#include "tls/tls_engine.h"

#include <errno.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/turn.h"
#include "tls/tls_error.h"
#include "tls/tls_library.h"
#include "tls/tls_params.h"

/* One read takes what two full records need; what the library leaves of it moves to `kept`. */
#define SCRATCH_SIZE (33 * 1024)
static _Thread_local uint8_t scratch[SCRATCH_SIZE];
static int key_log_fd = -1;

/* What may wait for the peer: one flight of a handshake with a long chain, or one record of data.
 * Only a peer that makes this side talk and does not listen needs more. */
#define OUT_MAX ((size_t)256 * 1024)
/* Answers to messages that nobody needs, refused renegotiations above all, beyond one for each
 * piece of data that came. */
#define ANSWERS_MAX 32

/* --- the byte source and sink that the library calls --- */
ssize_t tls_engine_recv(struct tls_engine *e, void *buf, size_t n)
{
    if (!turn_take(TURN_COST_RECORD))
        return TLS_RECV_NONE;
    if (e->in_left == 0) {
        ssize_t got = e->io.recv(e->io.arg, scratch, sizeof scratch);

        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return TLS_RECV_NONE;
        if (got < 0) {
            (void)hop_from_errno(errno, true, &e->failure);
            return TLS_RECV_FAILED;
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
    return (ssize_t)n;
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

int tls_engine_send(struct tls_engine *e, uint8_t *data, size_t n)
{
    ssize_t sent = 0;

    if (e->reading && ++e->answers > ANSWERS_MAX) {
        e->flooded = true;
        return -1;
    }
    if (e->io.tap != NULL)
        e->io.tap(e->io.arg, false, data, n);
    if (e->send_dead)
        return 0;
    if (e->out_len == 0) {
        sent = e->io.send(e->io.arg, data, n);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            /* The peer may have said why before it closed: read on, fail when that is drained. */
            e->send_dead = true;
            e->send_errno = errno;
            return 0;
        }
        if (sent < 0)
            sent = 0;
    }
    return (size_t)sent < n ? queue_out(e, data + sent, n - (size_t)sent) : 0;
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

    if (e != NULL)
        e->io = *io;
    return e;
}

void tls_engine_free(struct tls_engine *e)
{
    if (e == NULL)
        return;
    if (e->library != NULL)
        e->library->stop(e);
    tls_chain_clear(&e->peer_chain);
    free(e->kept);
    free(e->out);
    free(e);
}

void tls_engine_set_tap(struct tls_engine *e, void (*tap)(void *, bool, uint8_t *, size_t))
{
    e->io.tap = tap;
}

int tls_engine_start(struct tls_engine *e, const struct tls_conf *conf,
                     const struct tls_identity *identity, const char *host_name, struct err *err)
{
    if (identity != NULL)
        e->identity = *identity;
    e->conf = conf;
    if (conf->library->start(e, host_name) != 0) {
        err_set(err, ERR_NOMEM, "TLS session");
        return -1;
    }
    e->library = conf->library;
    return 0;
}

const char *tls_engine_library(const struct tls_engine *e)
{
    return e->library == NULL ? NULL : e->library->name;
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

/* --- what a library asks --- */
void tls_engine_set_verify(struct tls_engine *e,
                           int (*verify)(void *arg, const struct tls_presented *p), void *arg)
{
    e->verify = verify;
    e->verify_arg = arg;
}

int tls_engine_ask_verify(struct tls_engine *e, uint16_t version, uint16_t suite)
{
    const struct tls_presented p = { &e->peer_chain, version, suite };
    int alert = e->verify == NULL ? 0 : e->verify(e->verify_arg, &p);

    return alert == 0 && e->peer_chain.leaf_error != 0 ? TLS_ALERT_unsupported_certificate : alert;
}

const struct tls_cert_request *tls_engine_cert_request(const struct tls_engine *e)
{
    return &e->request;
}

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

static bool issued_by(const mbedtls_x509_crt *own, const uint8_t *name, size_t len)
{
    for (const mbedtls_x509_crt *crt = own; crt != NULL; crt = crt->next) {
        if (crt->issuer_raw.len == len && memcmp(crt->issuer_raw.p, name, len) == 0)
            return true;
    }
    return false;
}

/* A JDK sends no certificate that was not asked for by its issuer's name. */
void tls_engine_look_at_request(struct tls_engine *e, const uint8_t *body, size_t n)
{
    struct bytes names = authorities_of(bytes_of(body, n), tls_engine_version(e));
    bool suits = false;

    e->request.seen = true;
    while (names.left > 0 && !names.bad) {
        struct bytes name = bytes_vec(&names, 2);

        if (names.bad)
            break;
        e->request.authorities++;
        suits = suits || issued_by(e->conf->own, name.at, name.left);
    }
    e->request.withheld = e->conf->own != NULL && e->request.authorities > 0 && !suits;
}

void tls_key_log_to(int fd)
{
    key_log_fd = fd;
}

bool tls_key_log_is_on(void)
{
    return key_log_fd >= 0;
}

void tls_key_log_line(const char *line, size_t n)
{
    if (write(key_log_fd, line, n) < 0)
        return; /* a key log that cannot be written is no reason to end a flow */
}

/* --- what the library answered --- */
static enum hop_status fail(struct tls_engine *e, enum tls_ended how)
{
    e->failure.in_handshake = !e->secured;
    e->failure.tls_error = e->flooded ? TLS_ERROR_FLOOD : e->error;
    if (how == TLS_ENDED_ALERT) {
        e->failure.cause = HOP_CAUSE_ALERT_IN;
    } else if (e->failure.cause != HOP_CAUSE_NONE) {
        e->failure.tls_error = 0; /* the socket failed first */
    } else if (e->eof || how == TLS_ENDED_CUT || how == TLS_ENDED_NOTIFIED) {
        e->failure.cause =
            e->send_dead && e->send_errno == ECONNRESET ? HOP_CAUSE_RESET : HOP_CAUSE_CLOSED;
    } else {
        e->failure.cause = e->library->alert_out(e) != 0 ? HOP_CAUSE_ALERT_OUT : HOP_CAUSE_TLS;
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
    enum hop_status st = HOP_OK;
    enum tls_ended how;

    if (tls_engine_flush(e) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    how = e->library->handshake(e);
    if (how == TLS_ENDED_OK) {
        e->secured = true;
    } else if (how == TLS_ENDED_WANTING) {
        st = want_read(e);
    } else {
        (void)tls_engine_flush(e);
        st = fail(e, how);
    }
    keep_rest(e);
    return st;
}

enum hop_status tls_engine_read(struct tls_engine *e, void *buf, size_t size, size_t *got)
{
    enum hop_status st;
    enum tls_ended how;

    e->reading = true;
    how = e->library->read(e, buf, size, got);
    e->reading = false;
    if (e->flooded) /* OpenSSL reads on where its answer was not taken */
        how = TLS_ENDED_FAILED;
    if (how == TLS_ENDED_OK) {
        e->answers -= e->answers > 0;
        st = HOP_OK;
    } else if (how == TLS_ENDED_WANTING) {
        st = want_read(e);
    } else if (how == TLS_ENDED_NOTIFIED) {
        e->closed_in_order = true;
        st = HOP_EOF;
    } else if (how == TLS_ENDED_CUT && e->send_dead && e->send_errno == ECONNRESET) {
        st = hop_from_errno(ECONNRESET, true, &e->failure); /* sending took the error away */
    } else if (how == TLS_ENDED_CUT && e->failure.cause == HOP_CAUSE_NONE) {
        st = HOP_EOF; /* FIN without close_notify */
    } else {
        st = fail(e, how);
    }
    keep_rest(e);
    return st;
}

enum hop_status tls_engine_write(struct tls_engine *e, const void *data, size_t n, size_t *put)
{
    enum tls_ended how;

    if (tls_engine_flush(e) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    if (e->send_dead) {
        (void)hop_from_errno(e->send_errno, false, &e->failure);
        return HOP_FAILED;
    }
    how = e->library->write(e, data, n, put);
    if (how == TLS_ENDED_OK)
        return HOP_OK;
    return how == TLS_ENDED_WANTING ? HOP_WANT_READ : fail(e, how);
}

enum hop_status tls_engine_close_notify(struct tls_engine *e)
{
    if (!e->close_sent && e->secured) {
        e->close_sent = true;
        e->library->close_notify(e);
    }
    return tls_engine_flush(e);
}

int tls_engine_send_alert(struct tls_engine *e, uint8_t number)
{
    return e->library->send_alert(e, number);
}

/* --- facts --- */
size_t tls_engine_pending(const struct tls_engine *e)
{
    return e->library->pending(e) + e->in_left;
}

bool tls_engine_closed_in_order(const struct tls_engine *e)
{
    return e->closed_in_order;
}

uint16_t tls_engine_version(const struct tls_engine *e)
{
    return e->library == NULL ? 0 : e->library->version(e);
}

uint16_t tls_engine_suite(const struct tls_engine *e)
{
    return e->secured ? e->library->suite(e) : 0;
}

uint32_t tls_engine_verify_flags(const struct tls_engine *e)
{
    return e->secured ? e->library->verify_flags(e) : 0;
}

const char *tls_engine_alpn(const struct tls_engine *e)
{
    return e->library == NULL ? NULL : e->library->alpn(e);
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
    return e->library == NULL ? 0 : e->library->alert_out(e);
}

void tls_engine_failure(const struct tls_engine *e, struct hop_failure *out)
{
    *out = e->failure;
}
