/* SPDX-License-Identifier: Apache-2.0
 * A TCP health check, and what every check begins with: connect, with a deadline. */
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/turn.h"
#include "targets/check.h"

static void release(struct check *c)
{
    evtimer_del(&c->timer);
    if (c->fd >= 0 || c->connected)
        event_del(&c->io);
    if (c->clear != NULL)
        c->clear(c);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

void check_end(struct check *c, enum check_result result, const char *fmt, ...)
{
    check_done_cb done = c->done;
    void *arg = c->arg;
    char detail[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    release(c);
    done(arg, result, detail);
}

void check_cancel(struct check *c)
{
    if (c != NULL)
        release(c);
}

/* For want of what is ours, or for what the target does? */
static enum check_result result_of(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
                   error == EADDRNOTAVAIL || error == EAGAIN
               ? CHECK_BROKEN
               : CHECK_FAILED;
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
    struct check *c = arg;

    (void)fd, (void)what;
    if (c->early_errno != 0)
        check_end(c, result_of(c->early_errno), "connect: %s", strerror(c->early_errno));
    else if (!c->connected)
        check_end(c, CHECK_FAILED, "no connection in time");
    else
        check_end(c, CHECK_FAILED, "no answer in time");
}

static int socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? errno : error;
}

static void go_on(struct check *c, int fd)
{
    int error;

    if (c->connected) {
        c->ready(c);
        return;
    }
    error = socket_error(fd);
    if (error != 0) {
        check_end(c, result_of(error), "connect: %s", strerror(error));
        return;
    }
    c->connected = true;
    /* The send buffer of a fresh connection is empty and larger than any preface. */
    if (c->p.preface != NULL &&
        send(c->fd, c->p.preface, c->p.n_preface, MSG_NOSIGNAL) != (ssize_t)c->p.n_preface) {
        check_end(c, CHECK_FAILED, "PROXY header: %s", strerror(errno));
        return;
    }
    c->ready(c);
}

static void io_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    turn_begin("a health check", 0, NULL);
    go_on(arg, (int)fd);
    turn_end();
}

void check_wait(struct check *c, short what)
{
    event_del(&c->io);
    event_assign(&c->io, c->p.base, event_get_fd(&c->io), what, io_cb, c);
    if (event_add(&c->io, NULL) != 0)
        c->early_errno = ENOMEM, event_active(&c->timer, EV_TIMEOUT, 0);
    else if (turn_spent())
        event_active(&c->io, what, 0); /* what a TLS hop holds makes no socket readable */
}

void check_begin(struct check *c, const struct check_params *p, check_done_cb done, void *arg)
{
    const struct timeval limit = clock_timeval(p->timeout_us);

    c->p = *p;
    c->done = done;
    c->arg = arg;
    evtimer_assign(&c->timer, p->base, timer_cb, c);
    c->fd = socket(p->to.u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || (connect(c->fd, &p->to.u.sa, p->to.len) != 0 && errno != EINPROGRESS))
        c->early_errno = errno;
    if (c->fd >= 0)
        event_assign(&c->io, p->base, c->fd, EV_WRITE, io_cb, c);
    if (c->early_errno == 0 && event_add(&c->io, NULL) != 0)
        c->early_errno = ENOMEM;
    if (c->early_errno != 0 || evtimer_add(&c->timer, &limit) != 0)
        event_active(&c->timer, EV_TIMEOUT, 0);
}

static void tcp_ready(struct check *c)
{
    check_end(c, CHECK_PASSED, "%s", "");
}

struct check *check_tcp_start(const struct check_params *p, check_done_cb done, void *arg)
{
    struct check *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->ready = tcp_ready;
    check_begin(c, p, done, arg);
    return c;
}
