/* SPDX-License-Identifier: Apache-2.0
 * Kept connections to one endpoint. */
#include "vpclink/pool.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "core/clock.h"
#include "tls/hop.h"

struct kept {
    TAILQ_ENTRY(kept) all;
    struct hop *hop;
    unsigned number;
    uint64_t until_us; /* UINT64_MAX: for ever */
};

struct pool {
    TAILQ_HEAD(kept_list, kept) all; /* the one that was used last comes first */
    uint64_t idle_us;
    struct event timer; /* for the oldest */
};

static struct hop *unlink_kept(struct pool *p, struct kept *k)
{
    struct hop *hop = k->hop;

    TAILQ_REMOVE(&p->all, k, all);
    free(k);
    return hop;
}

static void close_kept(struct pool *p, struct kept *k)
{
    struct hop *hop = unlink_kept(p, k);

    (void)hop_send_eof(hop);
    hop_free(hop, false);
}

/* Close those whose time is over, and wait for the next. */
static void expire_kept(struct pool *p)
{
    const uint64_t now = clock_mono_us();
    struct kept *oldest = TAILQ_LAST(&p->all, kept_list);

    while (oldest != NULL && oldest->until_us <= now) {
        close_kept(p, oldest);
        oldest = TAILQ_LAST(&p->all, kept_list);
    }
    if (oldest != NULL && oldest->until_us != UINT64_MAX) {
        const struct timeval wait = clock_timeval(oldest->until_us - now);

        evtimer_add(&p->timer, &wait);
    }
}

static void pool_timer_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    expire_kept(arg);
}

struct pool *pool_new(struct event_base *base, uint64_t idle_ms)
{
    struct pool *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    TAILQ_INIT(&p->all);
    p->idle_us = idle_ms * 1000;
    evtimer_assign(&p->timer, base, pool_timer_cb, p);
    return p;
}

void pool_keep(struct pool *p, struct hop *hop, unsigned number)
{
    struct kept *k = calloc(1, sizeof *k);

    if (k == NULL) {
        (void)hop_send_eof(hop);
        hop_free(hop, false);
        return;
    }
    k->hop = hop;
    k->number = number;
    k->until_us = p->idle_us == 0 ? UINT64_MAX : clock_mono_us() + p->idle_us;
    TAILQ_INSERT_HEAD(&p->all, k, all);
    if (p->idle_us != 0 && !evtimer_pending(&p->timer, NULL))
        expire_kept(p);
}

struct hop *pool_take(struct pool *p, unsigned *number)
{
    struct kept *k;

    if (p->idle_us != 0)
        expire_kept(p); /* a loop that did not run meanwhile is no excuse */
    k = TAILQ_FIRST(&p->all);
    if (k == NULL)
        return NULL;
    *number = k->number;
    return unlink_kept(p, k);
}

void pool_close(struct pool *p)
{
    while (!TAILQ_EMPTY(&p->all))
        close_kept(p, TAILQ_FIRST(&p->all));
    evtimer_del(&p->timer);
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    pool_close(p);
    free(p);
}
