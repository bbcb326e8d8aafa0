/* SPDX-License-Identifier: Apache-2.0
 * Lines on their way to a file: a bounded queue, and the thread that empties it. */
#include "observe/line_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/thread.h"

/* How long a stop waits for a writer that gets no further, and how long in all. */
#define STOP_LOOK_MS 400
#define STOP_MOST_MS 800
/* What one put gets at a time, give or take a line. */
#define PIECE ((size_t)64 * 1024)
/* How long a change of the file waits for the lines before it. */
#define BETWEEN_MS 500

/* --- a file of whole lines --- */
int line_file_open(const char *path)
{
    struct stat st;
    int flags = O_WRONLY;

    if (strcmp(path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
        flags = O_RDWR; /* opens at once, and outlives its readers */
    return open(path, flags | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* Take `n` bytes away from the end, unless somebody else has written behind them. */
static bool cut(int fd, size_t n)
{
    struct stat st;
    off_t end = lseek(fd, 0, SEEK_CUR);

    if (end < (off_t)n || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != end ||
        ftruncate(fd, end - (off_t)n) != 0)
        return false;
    return lseek(fd, end - (off_t)n, SEEK_SET) >= 0;
}

static ssize_t write_some(const struct line_file *f, const char *data, size_t n)
{
    ssize_t put;
    int before;

    /* The only place where the thread may be ended from outside: it may wait here for ever. */
    if (f->may_hang)
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    do
        put = write(f->fd, data, n);
    while (put < 0 && errno == EINTR);
    if (f->may_hang)
        pthread_setcancelstate(before, NULL);
    return put;
}

size_t line_file_put(struct line_file *f, const char *lines, size_t n)
{
    size_t at = 0, whole;
    int error;

    if (f->torn && write_some(f, "\n", 1) != 1)
        return 0;
    f->torn = false;
    while (at < n) {
        ssize_t put = write_some(f, lines + at, n - at);

        if (put < 0)
            break;
        at += (size_t)put;
    }
    if (at == n)
        return n;
    error = errno;
    for (whole = at; whole > 0 && lines[whole - 1] != '\n'; whole--)
        ;
    f->torn = whole < at && !cut(f->fd, at - whole);
    errno = error;
    return whole;
}

/* --- the queue --- */
struct line_writer {
    char *what, *path; /* owned */
    line_put_cb put;
    void *arg;
    size_t most;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t more, moved;
    char *queue; /* owned: what waits */
    size_t n, room;
    char *chunk; /* owned: what is being written, from `chunk_at` on */
    size_t chunk_at, chunk_n;
    uint64_t puts;             /* calls of `put` that are over */
    uint64_t lost;             /* lines, since the last time that none was */
    void (*then)(void *, int); /* NULL: none asked for */
    int value;
    bool idle, stop, stopped;
    struct timespec stop_by;
};

static uint64_t lines_in(const char *lines, size_t n)
{
    uint64_t count = 0;

    for (const char *at = lines; n > 0 && (at = memchr(at, '\n', n - (size_t)(at - lines))) != NULL;
         at++)
        count++;
    return count;
}

/* With the lock held. */
static void lose(struct line_writer *w, uint64_t lines, const char *why)
{
    if (lines > 0 && w->lost == 0)
        log_err(w->what, "path=%s error=\"%s\" lines are being lost", w->path, why);
    w->lost += lines;
}

/* With the lock held: a put has gone well, or this is the end. */
static void tell_lost(struct line_writer *w)
{
    if (w->lost > 0)
        log_warn(w->what, "path=%s lost=%llu lines were lost", w->path,
                 (unsigned long long)w->lost);
    w->lost = 0;
}

static int make_room(struct line_writer *w, size_t n)
{
    size_t room = w->room == 0 ? 16384 : w->room;
    char *grown;

    while (room < w->n + n)
        room *= 2;
    if (room == w->room)
        return 0;
    grown = realloc(w->queue, room);
    if (grown == NULL)
        return -1;
    w->queue = grown;
    w->room = room;
    return 0;
}

void line_writer_add(struct line_writer *w, const char *lines, size_t n)
{
    pthread_mutex_lock(&w->lock);
    if (n + w->n + (w->chunk_n - w->chunk_at) > w->most) {
        lose(w, lines_in(lines, n), "nobody takes them as fast as they come");
    } else if (make_room(w, n) != 0) {
        lose(w, lines_in(lines, n), err_why(ENOMEM));
    } else {
        memcpy(w->queue + w->n, lines, n);
        w->n += n;
        if (w->idle)
            pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->lock);
}

/* --- the thread --- */
/* As many whole lines as one put shall have. */
static size_t piece(const struct line_writer *w)
{
    const char *from = w->chunk + w->chunk_at, *end;
    size_t n = w->chunk_n - w->chunk_at;

    if (n <= PIECE)
        return n;
    end = memrchr(from, '\n', PIECE);
    if (end == NULL)
        end = memchr(from + PIECE, '\n', n - PIECE);
    return (size_t)(end - from) + 1;
}

/* Called with the lock held; lets go of it while it writes. */
static void put_queue(struct line_writer *w)
{
    w->chunk = w->queue;
    w->chunk_n = w->n;
    w->queue = NULL;
    w->n = w->room = 0;
    while (w->chunk_at < w->chunk_n) {
        const char *from = w->chunk + w->chunk_at;
        size_t n = piece(w), kept;
        int error;

        pthread_mutex_unlock(&w->lock);
        kept = w->put(w->arg, from, n);
        error = errno;
        pthread_mutex_lock(&w->lock);
        w->puts++;
        w->chunk_at += n;
        if (kept < n)
            lose(w, lines_in(from + kept, n - kept), err_why(error));
        else
            tell_lost(w);
        pthread_cond_broadcast(&w->moved);
    }
    free(w->chunk);
    w->chunk = NULL;
    w->chunk_at = w->chunk_n = 0;
}

static void *writer_run(void *arg)
{
    struct line_writer *w = arg;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &(int){ 0 });
    pthread_mutex_lock(&w->lock);
    for (;;) {
        if (w->then != NULL) {
            w->then(w->arg, w->value);
            w->then = NULL;
            pthread_cond_broadcast(&w->moved);
        } else if (w->n > 0) {
            put_queue(w);
        } else if (w->stop) {
            break;
        } else {
            w->idle = true;
            pthread_cond_broadcast(&w->moved);
            pthread_cond_wait(&w->more, &w->lock);
            w->idle = false;
        }
    }
    w->stopped = true;
    pthread_cond_broadcast(&w->moved);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static struct timespec in_ms(long ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

struct line_writer *line_writer_start(const char *what, const char *path, line_put_cb put,
                                      void *arg, size_t most, struct err *err)
{
    struct line_writer *w = calloc(1, sizeof *w);
    pthread_condattr_t monotonic;

    if (w == NULL || (w->what = strdup(what)) == NULL || (w->path = strdup(path)) == NULL) {
        if (w != NULL)
            free(w->what);
        free(w);
        err_set(err, ERR_NOMEM, "%s %s", what, path);
        return NULL;
    }
    w->put = put;
    w->arg = arg;
    w->most = most;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->more, NULL);
    pthread_cond_init(&w->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (thread_start(&w->thread, what, writer_run, w) == 0)
        return w;
    err_set(err, ERR_ENVIRONMENT, "%s %s: cannot start a thread", what, path);
    free(w->what);
    free(w->path);
    free(w);
    return NULL;
}

void line_writer_between(struct line_writer *w, void (*then)(void *arg, int value), int value)
{
    const struct timespec until = in_ms(BETWEEN_MS);
    int rc = 0;

    pthread_mutex_lock(&w->lock);
    while (!w->idle && rc == 0)
        rc = pthread_cond_timedwait(&w->moved, &w->lock, &until);
    w->then = then;
    w->value = value;
    pthread_cond_signal(&w->more);
    while (w->then != NULL && rc == 0)
        rc = pthread_cond_timedwait(&w->moved, &w->lock, &until);
    pthread_mutex_unlock(&w->lock);
}

/* True: the thread has ended by itself. */
static bool await_end(struct line_writer *w)
{
    const struct timespec most = w->stop_by;
    int rc = 0;

    while (!w->stopped && rc == 0) {
        struct timespec look = in_ms(STOP_LOOK_MS);
        uint64_t before = w->puts;

        if (look.tv_sec > most.tv_sec ||
            (look.tv_sec == most.tv_sec && look.tv_nsec > most.tv_nsec))
            look = most;
        while (!w->stopped && w->puts == before && rc == 0)
            rc = pthread_cond_timedwait(&w->moved, &w->lock, &look);
    }
    return w->stopped;
}

void line_writer_finish(struct line_writer *w)
{
    pthread_mutex_lock(&w->lock);
    if (!w->stop)
        w->stop_by = in_ms(STOP_MOST_MS);
    w->stop = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
}

void line_writer_stop(struct line_writer *w)
{
    if (w == NULL)
        return;
    line_writer_finish(w);
    pthread_mutex_lock(&w->lock);
    if (!await_end(w)) {
        lose(w,
             lines_in(w->chunk + w->chunk_at, w->chunk_n - w->chunk_at) + lines_in(w->queue, w->n),
             "nobody takes them at the end either");
        pthread_cancel(w->thread); /* it waits in write_some() */
    }
    tell_lost(w);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->more);
    pthread_cond_destroy(&w->moved);
    free(w->queue);
    free(w->chunk);
    free(w->what);
    free(w->path);
    free(w);
}
