/* SPDX-License-Identifier: Apache-2.0
 * The event stream: a file or standard output, one line per flow. */
#include "observe/events.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/log.h"

struct event_sink {
    char *path;
    int fd;
    bool broken;          /* a write failed and was told */
    pthread_mutex_t lock; /* one line at a time, whole, whatever the file is */
};

static int open_path(const char *path, struct err *err)
{
    int fd = strcmp(path, "-") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0)
        err_set(err, ERR_ENVIRONMENT, "events %s: %s", path, err_why(errno));
    return fd;
}

struct event_sink *event_sink_open(const char *path, struct err *err)
{
    struct event_sink *s = calloc(1, sizeof *s);

    if (s == NULL || (s->path = strdup(path)) == NULL) {
        free(s);
        err_set(err, ERR_NOMEM, "events %s", path);
        return NULL;
    }
    s->fd = open_path(path, err);
    if (s->fd < 0) {
        free(s->path);
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

const char *event_sink_path(const struct event_sink *s)
{
    return s == NULL || strcmp(s->path, "-") == 0 ? NULL : s->path;
}

int event_sink_reopen(struct event_sink *s, struct err *err)
{
    int fd = open_path(s->path, err);

    if (fd < 0)
        return -1;
    pthread_mutex_lock(&s->lock);
    close(s->fd);
    s->fd = fd;
    s->broken = false;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

void event_sink_close(struct event_sink *s)
{
    if (s == NULL)
        return;
    close(s->fd);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

/* The line and its end with one call, as a rule: another process may append to the same file. */
static void write_parts(struct event_sink *s, struct iovec parts[2])
{
    while (parts[0].iov_len + parts[1].iov_len > 0) {
        ssize_t put = writev(s->fd, parts, 2);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            if (!s->broken)
                log_err("events", "path=%s error=\"%s\" events are being lost", s->path,
                        err_why(errno));
            s->broken = true;
            return;
        }
        for (int i = 0; i < 2; i++) {
            size_t n = (size_t)put < parts[i].iov_len ? (size_t)put : parts[i].iov_len;

            parts[i].iov_base = (char *)parts[i].iov_base + n;
            parts[i].iov_len -= n;
            put -= (ssize_t)n;
        }
    }
}

void event_sink_write(struct event_sink *s, const char *line)
{
    struct iovec parts[] = { { (void *)(uintptr_t)line, strlen(line) }, { "\n", 1 } };

    pthread_mutex_lock(&s->lock);
    write_parts(s, parts);
    pthread_mutex_unlock(&s->lock);
}
