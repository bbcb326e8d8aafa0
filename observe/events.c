/* SPDX-License-Identifier: Apache-2.0
 * The event stream: a file or standard output, one line per flow. */
#include "observe/events.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
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
        err_set(err, ERR_ENVIRONMENT, "events %s: %s", path, strerror(errno));
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

static void write_all(struct event_sink *s, const char *line, size_t n)
{
    while (n > 0) {
        ssize_t put = write(s->fd, line, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            if (!s->broken)
                log_err("events", "path=%s error=\"%s\" events are being lost", s->path,
                        strerror(errno));
            s->broken = true;
            return;
        }
        line += put;
        n -= (size_t)put;
    }
}

void event_sink_write(struct event_sink *s, const struct flow_record *record)
{
    char *line = event_format(record);
    size_t n;

    if (line == NULL) {
        log_err("events", "flow=%llu lost: no memory", (unsigned long long)record->id);
        return;
    }
    n = strlen(line);
    line[n] = '\n'; /* in place of the terminator */
    pthread_mutex_lock(&s->lock);
    write_all(s, line, n + 1);
    pthread_mutex_unlock(&s->lock);
    free(line);
}
