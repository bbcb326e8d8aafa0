/* SPDX-License-Identifier: Apache-2.0
 * A hop that is a plain TCP socket. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/sock.h"

#include "tls/hop.h"

struct hop_tcp {
    struct hop hop;
    struct hop_failure failure;
    enum { NO_DELAY, DELAYS, DELAYS_NEXT } delay; /* DELAYS: nothing was written yet */
};

void hop_free(struct hop *h, bool reset)
{
    if (h != NULL)
        h->ops->free(h, reset);
}

enum hop_status hop_from_errno(int error, bool reading, struct hop_failure *f)
{
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)
        return reading ? HOP_WANT_READ : HOP_WANT_WRITE;
    f->cause = error == ECONNRESET || error == EPIPE ? HOP_CAUSE_RESET : HOP_CAUSE_ERRNO;
    f->sys_errno = error;
    return HOP_FAILED;
}

static enum hop_status tcp_secure(struct hop *h)
{
    (void)h;
    return HOP_OK;
}

static enum hop_status tcp_read(struct hop *h, void *buf, size_t size, size_t *got)
{
    struct hop_tcp *t = (struct hop_tcp *)h;
    ssize_t n = hop_sys_recv(h, buf, size);

    if (n > 0) {
        *got = (size_t)n;
        return HOP_OK;
    }
    return n == 0 ? HOP_EOF : hop_from_errno(errno, true, &t->failure);
}

static void end_delay(struct hop_tcp *t)
{
    if (t->delay == NO_DELAY)
        return;
    setsockopt(t->hop.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    t->delay = NO_DELAY;
}

static enum hop_status tcp_write(struct hop *h, const void *data, size_t n, size_t *put)
{
    struct hop_tcp *t = (struct hop_tcp *)h;
    ssize_t sent;

    if (t->delay == DELAYS)
        t->delay = DELAYS_NEXT;
    else
        end_delay(t);
    sent = hop_sys_send(h, data, n);
    if (sent < 0)
        return hop_from_errno(errno, false, &t->failure);
    *put = (size_t)sent;
    return HOP_OK;
}

static size_t tcp_pending(const struct hop *h)
{
    (void)h;
    return 0;
}

static enum hop_status tcp_send_eof(struct hop *h)
{
    struct hop_tcp *t = (struct hop_tcp *)h;

    if (shutdown(h->fd, SHUT_WR) != 0 && errno != ENOTCONN)
        return hop_from_errno(errno, false, &t->failure);
    return HOP_OK;
}

static enum hop_status tcp_flush(struct hop *h)
{
    (void)h;
    return HOP_OK;
}

static int tcp_raw_fd(struct hop *h)
{
    end_delay((struct hop_tcp *)h); /* nobody tells of the bytes that pass now */
    return h->fd;
}

static void tcp_failure(const struct hop *h, struct hop_failure *out)
{
    *out = ((const struct hop_tcp *)h)->failure;
}

static void tcp_free(struct hop *h, bool reset)
{
    if (h->fd >= 0) {
        if (reset)
            sock_reset_on_close(h->fd);
        close(h->fd);
    }
    free(h);
}

static const struct hop_ops tcp_ops = {
    .secure = tcp_secure,
    .read = tcp_read,
    .write = tcp_write,
    .pending = tcp_pending,
    .send_eof = tcp_send_eof,
    .flush = tcp_flush,
    .raw_fd = tcp_raw_fd,
    .failure = tcp_failure,
    .free = tcp_free,
};

struct hop *hop_tcp_new(int fd)
{
    struct hop_tcp *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->hop.ops = &tcp_ops;
    t->hop.fd = fd;
    return &t->hop;
}

struct hop *hop_tcp_delaying_new(int fd)
{
    struct hop *h = hop_tcp_new(fd);

    if (h != NULL)
        ((struct hop_tcp *)h)->delay = DELAYS;
    return h;
}
