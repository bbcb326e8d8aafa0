/* SPDX-License-Identifier: Apache-2.0
 * Threads that must come round, and which of them does not. */
#include "core/watch.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"

static pthread_mutex_t watched_lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards the list and what is in it */
static LIST_HEAD(, watch) watched = LIST_HEAD_INITIALIZER(watched);
static uint64_t stalls;

/* --- of the thread that is watched --- */
static void beat_cb(evutil_socket_t fd, short what, void *unused)
{
    (void)fd, (void)what, (void)unused;
    turn_at("a timer");
    turn_end();
}

void watch_begin(struct watch *w, struct event_base *base, const char *name, ...)
{
    const struct timeval often = { .tv_usec = WATCH_TICK_MS * 1000 };
    va_list ap;

    *w = (struct watch){ .since_us = clock_mono_us() };
    va_start(ap, name);
    vsnprintf(w->name, sizeof w->name, name, ap);
    va_end(ap);
    turn_tell(&w->turn);
    event_assign(&w->beat, base, -1, EV_PERSIST, beat_cb, NULL);
    event_add(&w->beat, &often);
    pthread_mutex_lock(&watched_lock);
    LIST_INSERT_HEAD(&watched, w, all);
    pthread_mutex_unlock(&watched_lock);
}

void watch_end(struct watch *w)
{
    pthread_mutex_lock(&watched_lock);
    LIST_REMOVE(w, all);
    pthread_mutex_unlock(&watched_lock);
    event_del(&w->beat);
    turn_tell(NULL);
}

/* --- of the one that watches --- */
/* With the lock held, as all that follows unless it says otherwise. */
static uint64_t stands_ms(const struct watch *w)
{
    return (clock_mono_us() - w->since_us) / 1000;
}

static void describe(const struct watch *w, char out[WATCH_TEXT])
{
    const char *doing = atomic_load_explicit(&w->turn.doing, memory_order_relaxed);
    const char *state = atomic_load_explicit(&w->turn.state, memory_order_relaxed);
    uint64_t flow = atomic_load_explicit(&w->turn.flow, memory_order_relaxed);
    int n = snprintf(out, WATCH_TEXT, "%s has not come round for %.1f s: it is at %s", w->name,
                     (double)stands_ms(w) / 1000,
                     doing != NULL ? doing : "no callback, something keeps it from running");

    if (doing != NULL && flow != 0)
        n += snprintf(out + n, WATCH_TEXT - (size_t)n, ", flow %llu", (unsigned long long)flow);
    if (doing != NULL && state != NULL)
        snprintf(out + n, WATCH_TEXT - (size_t)n, ", in state %s", state);
}

enum news { NEWS_NONE, NEWS_STALLS, NEWS_CAME_ROUND };

static enum news look(struct watch *w, char out[WATCH_TEXT])
{
    uint64_t rounds = atomic_load_explicit(&w->turn.rounds, memory_order_relaxed);
    bool stalled = w->stalls;

    if (rounds == w->rounds) {
        w->stalls = ++w->ticks >= WATCH_TICKS;
        if (!w->stalls || stalled)
            return NEWS_NONE;
        stalls++;
        describe(w, out);
        return NEWS_STALLS;
    }
    if (stalled)
        snprintf(out, WATCH_TEXT, "%s came round after %.1f s", w->name,
                 (double)stands_ms(w) / 1000);
    w->rounds = rounds;
    w->since_us = clock_mono_us();
    w->ticks = 0;
    w->stalls = false;
    return stalled ? NEWS_CAME_ROUND : NEWS_NONE;
}

/* Called without the lock: nobody waits for it while the log waits for somebody. */
static void say_news(enum news news, const char *text)
{
    if (news == NEWS_STALLS)
        log_err("stall", "%s", text);
    else if (news == NEWS_CAME_ROUND)
        log_warn("stall", "%s", text);
}

uint64_t watch_tick(void)
{
    enum { NEWS_MAX = 8 }; /* lines of one tick; the state is true without them */
    char texts[NEWS_MAX][WATCH_TEXT];
    enum news news[NEWS_MAX];
    uint64_t longest = 0;
    size_t n = 0;
    struct watch *w;

    pthread_mutex_lock(&watched_lock);
    LIST_FOREACH(w, &watched, all)
    {
        char text[WATCH_TEXT] = "";
        enum news what = look(w, text);

        if (what != NEWS_NONE && n < NEWS_MAX) {
            memcpy(texts[n], text, WATCH_TEXT);
            news[n++] = what;
        }
        if (w->stalls && stands_ms(w) > longest)
            longest = stands_ms(w);
    }
    pthread_mutex_unlock(&watched_lock);
    for (size_t i = 0; i < n; i++)
        say_news(news[i], texts[i]);
    return longest;
}

bool watch_stalled(char out[WATCH_TEXT])
{
    const struct watch *longest = NULL;
    struct watch *w;

    out[0] = '\0';
    pthread_mutex_lock(&watched_lock);
    LIST_FOREACH(w, &watched, all)
    {
        if (w->stalls && (longest == NULL || w->since_us < longest->since_us))
            longest = w;
    }
    if (longest != NULL)
        describe(longest, out);
    pthread_mutex_unlock(&watched_lock);
    return longest != NULL;
}

uint64_t watch_stalls(void)
{
    uint64_t n;

    pthread_mutex_lock(&watched_lock);
    n = stalls;
    pthread_mutex_unlock(&watched_lock);
    return n;
}
