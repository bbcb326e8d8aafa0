/* SPDX-License-Identifier: Apache-2.0
 * The seam between a flow and a transport: one hop is one socket, plain or with TLS on it.
 *
 * Bytes pass through plain memory, not evbuffers: the relay reads into a buffer of its worker and
 * writes from there, so an idle flow owns no buffer at all (see docs/ARCHITECTURE.md, "Hops").
 *
 * A hop never touches the event loop. Its owner watches the socket and calls again when the status
 * says what to wait for; a TLS read may ask for writability and the reverse. */
#ifndef TLS_HOP_H
#define TLS_HOP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "core/turn.h"

enum hop_status {
    HOP_OK,         /* done, or bytes moved */
    HOP_WANT_READ,  /* nothing moved: wait until the socket is readable, or, after turn_spent(), for
                       the next turn */
    HOP_WANT_WRITE, /* nothing moved: wait until the socket is writable */
    HOP_HELD,   /* secure() only: the hello callback asked to hold after the ClientHello; call again
                 */
    HOP_EOF,    /* read() only: the peer has ended its direction in order */
    HOP_FAILED, /* see hop_failure() */
};

/* Why a hop failed, as plain facts for the record of the flow. */
enum hop_cause {
    HOP_CAUSE_NONE,
    HOP_CAUSE_RESET,     /* the peer sent RST */
    HOP_CAUSE_CLOSED,    /* the peer closed where it must not (for example inside a handshake) */
    HOP_CAUSE_ERRNO,     /* another socket error: `sys_errno` */
    HOP_CAUSE_ALERT_IN,  /* the peer sent a fatal alert */
    HOP_CAUSE_ALERT_OUT, /* this side gave up and sent an alert */
    HOP_CAUSE_NOT_TLS,   /* the first bytes are no TLS record */
    HOP_CAUSE_REFUSED,   /* the hello callback refused the ClientHello */
    HOP_CAUSE_TLS,       /* the TLS library failed: `tls_error` */
};

struct hop_failure {
    enum hop_cause cause;
    int sys_errno;
    int tls_error; /* mbedTLS's negative number, 0 when none */
    bool in_handshake;
};

struct hop;

struct hop_ops {
    /* Do what must come before bytes can pass. A plain hop answers HOP_OK at once. */
    enum hop_status (*secure)(struct hop *h);
    /* Read up to `size` > 0 bytes. HOP_OK: `*got` > 0. */
    enum hop_status (*read)(struct hop *h, void *buf, size_t size, size_t *got);
    /* Write up to `n` > 0 bytes. HOP_OK: `*put` > 0 bytes were taken (maybe fewer than n). A TLS
     * hop that answers HOP_WANT_WRITE has taken nothing. */
    enum hop_status (*write)(struct hop *h, const void *data, size_t n, size_t *put);
    /* Bytes that read() would give without the socket becoming readable again. */
    size_t (*pending)(const struct hop *h);
    /* End our direction in order: what write() took goes out first, then close_notify where there
     * is TLS, then FIN. HOP_OK, HOP_WANT_WRITE (call again) or HOP_FAILED. */
    enum hop_status (*send_eof)(struct hop *h);
    /* Has everything that write() took reached the kernel? Tries to push; same answers. */
    enum hop_status (*flush)(struct hop *h);
    /* The descriptor when bytes may bypass the hop (plain transport, nothing buffered), else -1. */
    int (*raw_fd)(struct hop *h);
    void (*failure)(const struct hop *h, struct hop_failure *out);
    /* Close the socket and free. `reset`: the peer shall see RST instead of FIN. */
    void (*free)(struct hop *h, bool reset);
};

/* What stands between a hop and its socket, for a side that misbehaves on purpose
 * (labtarget/faults.h): recv(2) and send(2) in shape and errno. */
struct hop_io {
    ssize_t (*recv)(void *arg, int fd, void *buf, size_t n);
    ssize_t (*send)(void *arg, int fd, const void *buf, size_t n);
    void *arg;
};

struct hop {
    const struct hop_ops *ops;
    const struct hop_io *io; /* borrowed; NULL, as usual: straight to the socket */
    int fd;                  /* owned by the hop; -1 for one without a socket */
};

static inline enum hop_status hop_secure(struct hop *h)
{
    return h->ops->secure(h);
}
static inline enum hop_status hop_read(struct hop *h, void *buf, size_t size, size_t *got)
{
    return h->ops->read(h, buf, size, got);
}
static inline enum hop_status hop_write(struct hop *h, const void *data, size_t n, size_t *put)
{
    return h->ops->write(h, data, n, put);
}
static inline enum hop_status hop_send_eof(struct hop *h)
{
    return h->ops->send_eof(h);
}
static inline enum hop_status hop_flush(struct hop *h)
{
    return h->ops->flush(h);
}
/* The socket below a hop; for hop_*.c. A spent turn looks like an empty socket. */
static inline ssize_t hop_sys_recv(const struct hop *h, void *buf, size_t n)
{
    if (!turn_take(TURN_COST_READ)) {
        errno = EAGAIN;
        return -1;
    }
    return h->io == NULL ? recv(h->fd, buf, n, 0) : h->io->recv(h->io->arg, h->fd, buf, n);
}
static inline ssize_t hop_sys_send(const struct hop *h, const void *buf, size_t n)
{
    return h->io == NULL ? send(h->fd, buf, n, MSG_NOSIGNAL)
                         : h->io->send(h->io->arg, h->fd, buf, n);
}
/* Free a hop and close its socket; NULL is fine. */
void hop_free(struct hop *h, bool reset);

/* A plain TCP hop on a connected (or connecting) non-blocking socket. Takes `fd` on success;
 * NULL when out of memory. */
struct hop *hop_tcp_new(int fd);
/* The same for a socket that delays small segments (Nagle, RFC 896) until this hop tells it not to:
 * which it does before the second write, as the first never waits. */
struct hop *hop_tcp_delaying_new(int fd);

/* What recv/send made of errno: want read/write, or a failure noted in `f`. */
enum hop_status hop_from_errno(int error, bool reading, struct hop_failure *f);

#endif
