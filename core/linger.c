/* SPDX-License-Identifier: Apache-2.0
 * Close a socket so that what was sent last is read by the peer. */
#include "core/linger.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

#define LINGER_BYTES_MAX (1024 * 1024)

struct lingerer {
    LIST_ENTRY(lingerer) all;
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
    char sink[16384];
    ssize_t n;

    if ((what & EV_TIMEOUT) || clock_mono_us() > l->until_us) {
        linger_end(l);
        return;
    }
    do {
        n = recv(fd, sink, sizeof sink, 0);
        if (n > 0)
            l->dropped += (size_t)n;
    } while (n == sizeof sink && l->dropped < LINGER_BYTES_MAX);
    if (n == 0 || l->dropped >= LINGER_BYTES_MAX ||
        (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        linger_end(l);
}

void lingerers_init(struct lingerers *all, struct event_base *base, uint64_t limit_us)
{
    all->base = base;
    all->limit_us = limit_us;
    LIST_INIT(&all->all);
}

void linger_start(struct lingerers *all, int fd)
{
    struct lingerer *l = calloc(1, sizeof *l);
    const struct timeval limit = clock_timeval(all->limit_us);

    shutdown(fd, SHUT_WR);
    if (l == NULL) {
        close(fd);
        return;
    }
    l->fd = fd;
    l->until_us = clock_mono_us() + all->limit_us;
    LIST_INSERT_HEAD(&all->all, l, all);
    event_assign(&l->event, all->base, fd, EV_READ | EV_PERSIST, linger_cb, l);
    if (event_add(&l->event, &limit) != 0)
        linger_end(l);
}

bool linger_over(const struct lingerers *all)
{
    return LIST_EMPTY(&all->all);
}

void linger_clear(struct lingerers *all)
{
    while (!LIST_EMPTY(&all->all))
        linger_end(LIST_FIRST(&all->all));
}
