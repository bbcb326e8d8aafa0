/* SPDX-License-Identifier: Apache-2.0
 * Listening sockets: open, accept, back off. */
#include "listeners/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/descriptors.h"
#include "core/log.h"
#include "core/sock.h"
#include "core/turn.h"

#define BACKLOG 4096
/* Connections taken per turn at most, so that running flows get theirs. A turn takes as many as
 * the one before it found, twice as many when there may be more: so most turns end without asking
 * an empty queue. */
#define TURN_ACCEPTS 64
#define RETRY_MS     100
/* For other workers to give descriptors up. */
#define ASKED_MS 20
/* How often the log may say that resources are out. */
#define FULL_SAID_US 1000000U

int listener_open(struct addr *addr, struct err *err)
{
    char text[ADDR_TEXT_MAX];
    int fd = socket(addr->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot listen on %s: %s", addr_format(addr, text),
                err_why(errno));
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    if (addr->u.sa.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &addr->u.sa, addr->len) != 0 || listen(fd, BACKLOG) != 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot listen on %s: %s", addr_format(addr, text),
                err_why(errno));
        close(fd);
        return -1;
    }
    *addr = addr_local(fd);
    return fd;
}

int listener_lock(const struct addr *addr, struct err *err)
{
    struct sockaddr_un un;
    char text[ADDR_TEXT_MAX];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len;

    if (fd < 0) {
        err_set(err, ERR_ENVIRONMENT, "cannot listen on %s: %s", addr_format(addr, text),
                err_why(errno));
        return -1;
    }
    len = sock_abstract(&un, "listen", addr_format(addr, text));
    if (bind(fd, (struct sockaddr *)&un, len) != 0) {
        err_set(err, ERR_ENVIRONMENT,
                "cannot listen on %s: another nlbsim process listens there already", text);
        close(fd);
        return -1;
    }
    return fd;
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Take the next connection on the spare descriptor and turn it away, so that its client knows.
 * False: it has to wait, there is no spare either. */
static bool turn_away(struct listener *l)
{
    struct flow_env *env = l->env;
    int conn;

    if (env->spare_fd < 0)
        return false;
    close(env->spare_fd);
    conn = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
    if (conn >= 0) {
        front_reject(l->front, env, conn);
        ceiling_reached(crowd_ceilings(env->crowd), CEILING_DESCRIPTORS, descriptors_limit(), "");
    }
    env->spare_fd = open_spare();
    return conn >= 0;
}

static void say_waits(struct listener *l, int error)
{
    uint64_t now = clock_mono_us();

    if (l->full_said_us != 0 && now - l->full_said_us < FULL_SAID_US)
        return;
    l->full_said_us = now;
    log_warn("accept", "listener=%s error=\"%s\" new connections wait",
             front_cfg(l->front)->obj.name, err_why(error));
}

static void rest(struct listener *l, int ms)
{
    const struct timeval tv = { .tv_usec = ms * 1000 };

    event_del(&l->accept_event);
    evtimer_add(&l->retry_event, &tv);
}

/* True: accept again at once. What is over already is given up first; where other workers hold
 * that, the connection waits for them once. */
static bool accept_failed(struct listener *l, int error)
{
    bool full = error == EMFILE || error == ENFILE;

    if (!sock_out_of_resources(error))
        return false; /* nothing left, or that one connection is gone */
    if (full && flow_env_give_up(l->env))
        return true;
    if (full && !l->waited && crowd_starved(l->env->crowd)) {
        l->waited = true;
        rest(l, ASKED_MS);
        return false;
    }
    if (full && turn_away(l))
        return true;
    say_waits(l, error);
    rest(l, RETRY_MS);
    return false;
}

static void accept_some(struct listener *l, int fd)
{
    for (unsigned i = 0; i < l->batch && l->accepting; i++) {
        struct addr client = { .len = sizeof client.u };
        int conn = accept4(fd, &client.u.sa, &client.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (conn < 0 && accept_failed(l, errno))
            continue;
        if (conn < 0) {
            l->batch = i > 0 ? i : 1;
            return;
        }
        l->waited = false;
        flow_env_spare(l->env, conn);
        struct addr local = l->any_address ? addr_local(conn) : l->local;

        front_accept(l->front, l->env, &l->keeper, conn, &client, &local);
    }
    l->batch = l->batch < TURN_ACCEPTS / 2 ? l->batch * 2 : TURN_ACCEPTS;
}

static void accept_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    turn_at("a listening socket");
    accept_some(arg, fd);
    turn_end();
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
    struct listener *l = arg;

    (void)fd, (void)what;
    if (l->env->spare_fd < 0)
        l->env->spare_fd = open_spare();
    event_add(&l->accept_event, NULL);
}

static bool is_any(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
    return a->u.in4.sin_addr.s_addr == INADDR_ANY;
}

int listener_start(struct listener *l, struct flow_env *env, const struct front *front,
                   const struct flow_keeper *keeper, int fd)
{
    memset(l, 0, sizeof *l);
    l->env = env;
    l->front = front;
    l->keeper = *keeper;
    l->fd = fd;
    l->local = addr_local(fd);
    l->any_address = is_any(&l->local);
    l->accepting = true;
    l->batch = 1;
    event_assign(&l->accept_event, env->base, fd, EV_READ | EV_PERSIST, accept_cb, l);
    evtimer_assign(&l->retry_event, env->base, retry_cb, l);
    return event_add(&l->accept_event, NULL);
}

void listener_adopt(struct listener *l, const struct front *front, const struct flow_keeper *keeper)
{
    l->front = front;
    l->keeper = *keeper;
}

void listener_stop(struct listener *l)
{
    if (l->fd < 0)
        return;
    l->accepting = false;
    event_del(&l->accept_event);
    evtimer_del(&l->retry_event);
    close(l->fd);
    l->fd = -1;
}
