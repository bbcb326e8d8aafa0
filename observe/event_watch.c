/* SPDX-License-Identifier: Apache-2.0
 * Events in memory, for as long as somebody on this machine watches. */
#include "observe/event_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

/* Whoever watches for so long that more comes gets no more. */
#define WATCH_BYTES_MAX ((off_t)256 * 1024 * 1024)

struct event_watch {
    atomic_uint watchers;
    pthread_mutex_t lock; /* the next two */
    int fd;               /* -1 while nobody watches */
    off_t end;
};

struct event_watch *event_watch_new(void)
{
    struct event_watch *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    pthread_mutex_init(&w->lock, NULL);
    w->fd = -1;
    return w;
}

void event_watch_free(struct event_watch *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        close(w->fd);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int event_watch_begin(struct event_watch *w)
{
    int fd;

    pthread_mutex_lock(&w->lock);
    if (w->fd < 0) {
        w->fd = memfd_create("nlbsim-events", MFD_CLOEXEC);
        w->end = 0;
    }
    fd = w->fd;
    if (fd >= 0)
        atomic_fetch_add(&w->watchers, 1);
    pthread_mutex_unlock(&w->lock);
    return fd;
}

void event_watch_end(struct event_watch *w)
{
    pthread_mutex_lock(&w->lock);
    if (atomic_fetch_sub(&w->watchers, 1) == 1) {
        close(w->fd);
        w->fd = -1;
    }
    pthread_mutex_unlock(&w->lock);
}

bool event_watched(const struct event_watch *w)
{
    return w != NULL && atomic_load_explicit(&w->watchers, memory_order_relaxed) > 0;
}

void event_watch_add(struct event_watch *w, const char *line)
{
    const struct iovec parts[] = { { .iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line) },
                                   { .iov_base = (void *)(uintptr_t) "\n", .iov_len = 1 } };
    ssize_t put;

    pthread_mutex_lock(&w->lock);
    if (w->fd >= 0 && w->end + (off_t)parts[0].iov_len < WATCH_BYTES_MAX) {
        put = pwritev(w->fd, parts, 2, w->end);
        /* A part without its line break is written over by the next. */
        if (put == (ssize_t)(parts[0].iov_len + 1))
            w->end += put;
    }
    pthread_mutex_unlock(&w->lock);
}
