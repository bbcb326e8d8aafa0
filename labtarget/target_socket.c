/* SPDX-License-Identifier: Apache-2.0
 * The listening socket of a lab target: open, accept, change hands, close. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/sock.h"
#include "labtarget/target_impl.h"

#define BACKLOG      1024
#define TURN_ACCEPTS 64 /* connections taken per turn, so that running ones get theirs */
#define RETRY_MS     100

/* --- accept --- */
static void accept_cb(evutil_socket_t fd, short what, void *arg)
{
    struct target_socket *s = arg;

    (void)what;
    for (int i = 0; i < TURN_ACCEPTS; i++) {
        struct addr peer = { .len = sizeof peer.u };
        int conn = accept4(fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (conn < 0) {
            const struct timeval retry = { .tv_usec = RETRY_MS * 1000 };

            if (!sock_out_of_resources(errno))
                return; /* nothing left, or that one connection is gone */
            log_warn("target_accept", "target=%s error=\"%s\" new connections wait",
                     s->target->info.name, err_why(errno));
            event_del(&s->accept_event);
            evtimer_add(&s->retry_event, &retry);
            return;
        }
        conn_start(s, conn, &peer);
    }
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
    struct target_socket *s = arg;

    (void)fd, (void)what;
    if (event_add(&s->accept_event, NULL) != 0)
        log_err("target_accept", "target=%s cannot wait for connections", s->target->info.name);
}

/* --- open --- */
static int bind_and_listen(struct target_socket *s, bool deaf)
{
    const struct addr *a = &s->requested;
    int on = 1;

    s->fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return -1;
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    if (a->u.sa.sa_family == AF_INET6)
        setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(s->fd, &a->u.sa, a->len) != 0)
        return -1;
    s->bound = addr_local(s->fd);
    s->listening = !deaf && listen(s->fd, BACKLOG) == 0;
    return deaf || s->listening ? 0 : -1;
}

struct target_socket *target_socket_open(struct lab_targets *set, const struct lab_target_cfg *cfg,
                                         bool deaf, struct err *err)
{
    struct target_socket *s = calloc(1, sizeof *s);
    char text[ADDR_TEXT_MAX];

    if (s == NULL) {
        err_set(err, ERR_NOMEM, "lab target '%s'", cfg->obj.name);
        return NULL;
    }
    s->set = set;
    s->requested = cfg->listen;
    if (bind_and_listen(s, deaf) != 0) {
        err_set(err, ERR_ENVIRONMENT, "lab target '%s': cannot listen on %s: %s", cfg->obj.name,
                addr_format(&cfg->listen, text), err_why(errno));
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return NULL;
    }
    event_assign(&s->accept_event, set->base, s->fd, EV_READ | EV_PERSIST, accept_cb, s);
    evtimer_assign(&s->retry_event, set->base, retry_cb, s);
    return s;
}

static bool is_any(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
    return a->u.in4.sin_addr.s_addr == INADDR_ANY;
}

struct addr target_socket_reachable(const struct target_socket *s)
{
    struct addr a = s->bound;

    if (!is_any(&a))
        return a;
    if (a.u.sa.sa_family == AF_INET6)
        a.u.in6.sin6_addr = in6addr_loopback;
    else
        a.u.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

/* --- change hands --- */
static void stop_waiting(struct target_socket *s)
{
    evtimer_del(&s->retry_event);
    event_del(&s->accept_event);
}

/* Whoever connected before is still the old target's. */
static void accept_waiting(struct target_socket *s)
{
    if (s->listening && !s->set->stop)
        accept_cb(s->fd, EV_READ, s);
}

/* Linux: a listening socket that is shut down for reading is a closed one that may listen again. It
 * keeps a port that was asked for; one that the kernel chose has to be asked for now. */
static int stop_listening(struct target_socket *s)
{
    s->listening = false;
    if (shutdown(s->fd, SHUT_RD) != 0)
        return -1;
    return bind(s->fd, &s->bound.u.sa, s->bound.len) == 0 || errno == EINVAL ? 0 : -1;
}

static int start_listening(struct target_socket *s)
{
    s->listening = listen(s->fd, BACKLOG) == 0;
    return s->listening ? 0 : -1;
}

void target_socket_adopt(struct target_socket *s, struct lab_target *t)
{
    bool deaf = lab_target_is_deaf(t);
    int rc = 0;

    if (s->target != NULL) {
        accept_waiting(s);
        stop_waiting(s);
        lab_target_unref(s->target);
    }
    s->target = t;
    s->requested = t->cfg->listen;
    if (deaf && s->listening)
        rc = stop_listening(s);
    else if (!deaf && !s->listening)
        rc = start_listening(s);
    if (rc == 0 && s->listening)
        rc = event_add(&s->accept_event, NULL);
    if (rc != 0)
        log_err("target", "target=%s error=\"%s\" its socket could not change", t->info.name,
                err_why(errno));
}

void target_socket_close(struct target_socket *s)
{
    if (s == NULL)
        return;
    if (s->target != NULL) { /* otherwise the loop never heard of it */
        accept_waiting(s);
        stop_waiting(s);
    }
    close(s->fd);
    lab_target_unref(s->target);
    free(s);
}
