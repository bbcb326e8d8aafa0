/* SPDX-License-Identifier: Apache-2.0
 * Connect to a TLS server and bring home the certificates that it presents. */
#include "tls/tls_fetch.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/turn.h"
#include "tls/tls_conf.h"
#include "tls/tls_engine.h"
#include "tls/tls_params.h"

static ssize_t from_socket(void *arg, void *buf, size_t n)
{
    return recv(*(int *)arg, buf, n, 0);
}

static ssize_t to_socket(void *arg, const void *buf, size_t n)
{
    return send(*(int *)arg, buf, n, MSG_NOSIGNAL);
}

/* Wait for the socket; false when the time is up. */
static bool await(int fd, short events, uint64_t deadline_us)
{
    uint64_t now = clock_mono_us();
    struct pollfd p = { .fd = fd, .events = events };

    return now < deadline_us && poll(&p, 1, (int)((deadline_us - now) / 1000 + 1)) > 0;
}

/* Connect to one address; the descriptor, or -1 with errno set. */
static int connect_to(const struct addrinfo *ai, uint64_t deadline_us)
{
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
    socklen_t len = sizeof error;

    if (fd < 0)
        return -1;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS)
            error = !await(fd, POLLOUT, deadline_us)                          ? ETIMEDOUT
                    : getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? errno
                                                                              : error;
    }
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static int connect_any(const char *host, const char *port, uint64_t deadline_us, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *all = NULL;
    int rc = getaddrinfo(host, port, &hints, &all), fd = -1;

    if (rc != 0) {
        err_set(err, ERR_ENVIRONMENT, "%s: %s", host, gai_strerror(rc));
        return -1;
    }
    for (const struct addrinfo *ai = all; ai != NULL && fd < 0; ai = ai->ai_next)
        fd = connect_to(ai, deadline_us);
    if (fd < 0)
        err_set(err, ERR_ENVIRONMENT, "%s:%s: cannot connect: %s", host, port, strerror(errno));
    freeaddrinfo(all);
    return fd;
}

/* What stopped the handshake, in words. */
static void describe(const struct tls_engine *e, enum hop_status status, struct tls_fetched *out)
{
    struct hop_failure failure;
    uint8_t level, alert;

    if (status != HOP_FAILED) {
        snprintf(out->trouble, sizeof out->trouble, "no end of the handshake in time");
        return;
    }
    tls_engine_alert_in(e, &level, &alert);
    tls_engine_failure(e, &failure);
    if (failure.cause == HOP_CAUSE_ALERT_IN || level != 0)
        snprintf(out->trouble, sizeof out->trouble, "the server sent the alert %s (%u)",
                 tls_alert_name(alert), alert);
    else if (failure.cause == HOP_CAUSE_RESET)
        snprintf(out->trouble, sizeof out->trouble, "the server reset the connection");
    else if (failure.cause == HOP_CAUSE_CLOSED)
        snprintf(out->trouble, sizeof out->trouble, "the server closed the connection");
    else if (failure.cause == HOP_CAUSE_NOT_TLS)
        snprintf(out->trouble, sizeof out->trouble, "the server does not speak TLS");
    else if (failure.cause == HOP_CAUSE_ERRNO)
        snprintf(out->trouble, sizeof out->trouble, "%s", strerror(failure.sys_errno));
    else
        snprintf(out->trouble, sizeof out->trouble, "the handshake failed (mbedTLS -0x%04x)",
                 (unsigned)-failure.tls_error);
}

static void shake(struct tls_engine *e, int fd, uint64_t deadline_us, struct tls_fetched *out)
{
    enum hop_status status;
    bool in_time = true;

    do {
        turn_begin("a handshake", 0, NULL);
        status = tls_engine_handshake(e);
        if (turn_spent())
            in_time = clock_mono_us() < deadline_us;
        else if (status == HOP_WANT_READ || status == HOP_WANT_WRITE)
            in_time = await(fd, status == HOP_WANT_READ ? POLLIN : POLLOUT, deadline_us);
        turn_end();
    } while (in_time && (status == HOP_WANT_READ || status == HOP_WANT_WRITE));
    out->finished = status == HOP_OK;
    out->version = tls_engine_version(e);
    out->suite = tls_engine_suite(e);
    out->chain = *tls_engine_peer_chain(e);
    memset(tls_engine_peer_chain(e), 0, sizeof out->chain);
    if (out->finished)
        (void)tls_engine_close_notify(e);
    else
        describe(e, status, out);
}

int tls_fetch(const char *host, const char *port, const char *sni, unsigned timeout_ms,
              struct tls_fetched *out, struct err *err)
{
    uint64_t deadline_us = clock_mono_us() + (uint64_t)timeout_ms * 1000;
    struct tls_conf_params params = { .min_version = TLS_1_2, .max_version = TLS_1_3 };
    struct tls_conf *conf = NULL;
    struct tls_engine *e = NULL;
    int fd = connect_any(host, port, deadline_us, err), rc = -1;
    struct tls_io io = { .recv = from_socket, .send = to_socket, .arg = &fd };
    struct addr peer;

    memset(out, 0, sizeof *out);
    if (fd < 0)
        return -1;
    peer = addr_peer(fd);
    addr_format(&peer, out->address);
    conf = tls_conf_new(&params, err);
    e = tls_engine_new(&io);
    if (e == NULL)
        err_set(err, ERR_NOMEM, "%s:%s", host, port);
    if (conf == NULL || e == NULL || tls_engine_start(e, conf, NULL, sni, err) != 0)
        goto out;
    shake(e, fd, deadline_us, out);
    if (out->chain.n == 0)
        err_set(err, ERR_ENVIRONMENT, "%s:%s: no certificate: %s", host, port,
                out->trouble[0] != '\0' ? out->trouble : "the server presented none");
    else
        rc = 0;
out:
    tls_engine_free(e);
    tls_conf_free(conf);
    close(fd);
    return rc;
}
