/* SPDX-License-Identifier: Apache-2.0
 * Close a socket so that what was sent last is read by the peer. */
#include "flow/linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

#define LINGER_S         1
#define LINGER_BYTES_MAX (1024 * 1024)

struct lingerer {
    LIST_ENTRY(lingerer) all;
    struct flow_env *env;
    struct event event;
    int fd;
    size_t dropped;
    uint64_t until_us;
};

static void linger_end(struct lingerer *l)
{
    event_del(&l->event);
    close(l->fd);
    LIST_REMOVE(l, all);
    free(l);
}

static void linger_cb(evutil_socket_t fd, short what, void *arg)
{
    struct lingerer *l = arg;
    ssize_t n;

    if ((what & EV_TIMEOUT) || clock_mono_us() > l->until_us) {
        linger_end(l);
        return;
    }
    do {
        n = recv(fd, l->env->scratch, FLOW_SCRATCH, 0);
        if (n > 0)
            l->dropped += (size_t)n;
    } while (n == FLOW_SCRATCH && l->dropped < LINGER_BYTES_MAX);
    if (n == 0 || l->dropped >= LINGER_BYTES_MAX ||
        (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        linger_end(l);
}

void linger_start(struct flow_env *env, int fd)
{
    struct lingerer *l = calloc(1, sizeof *l);
    const struct timeval limit = { .tv_sec = LINGER_S };

    shutdown(fd, SHUT_WR);
    if (l == NULL) {
        close(fd);
        return;
    }
    l->env = env;
    l->fd = fd;
    l->until_us = clock_mono_us() + LINGER_S * 1000000U;
    LIST_INSERT_HEAD(&env->lingers, l, all);
    event_assign(&l->event, env->base, fd, EV_READ | EV_PERSIST, linger_cb, l);
    if (event_add(&l->event, &limit) != 0)
        linger_end(l);
}

void linger_clear(struct flow_env *env)
{
    while (!LIST_EMPTY(&env->lingers))
        linger_end(LIST_FIRST(&env->lingers));
}
