/* SPDX-License-Identifier: Apache-2.0
 * The event stream: a file or standard output, one line per flow. */
#include "observe/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/line_writer.h"

struct event_sink {
    char *path;
    struct line_file file;
    struct line_writer *writer;
};

static int open_events(const char *path, struct err *err)
{
    int fd = line_file_open(path);

    if (fd < 0)
        err_set(err, ERR_ENVIRONMENT, "events %s: %s", path, err_why_at(errno, path, true));
    return fd;
}

static size_t put_events(void *arg, const char *lines, size_t n)
{
    struct event_sink *s = arg;

    return line_file_put(&s->file, lines, n);
}

static void swap_events(void *arg, int fd)
{
    struct event_sink *s = arg;

    close(s->file.fd);
    s->file = (struct line_file){ .fd = fd, .may_hang = true };
}

struct event_sink *event_sink_open(const char *path, size_t most, struct err *err)
{
    struct event_sink *s = calloc(1, sizeof *s);

    if (s == NULL || (s->path = strdup(path)) == NULL) {
        free(s);
        err_set(err, ERR_NOMEM, "events %s", path);
        return NULL;
    }
    s->file = (struct line_file){ .fd = open_events(path, err), .may_hang = true };
    if (s->file.fd >= 0)
        s->writer = line_writer_start("events", path, put_events, s, most, err);
    if (s->writer == NULL) {
        event_sink_close(s);
        return NULL;
    }
    return s;
}

const char *event_sink_path(const struct event_sink *s)
{
    return s == NULL || strcmp(s->path, "-") == 0 ? NULL : s->path;
}

int event_sink_reopen(struct event_sink *s, struct err *err)
{
    int fd = open_events(s->path, err);

    if (fd < 0)
        return -1;
    line_writer_between(s->writer, swap_events, fd);
    return 0;
}

void event_sink_finish(struct event_sink *s)
{
    if (s != NULL)
        line_writer_finish(s->writer);
}

void event_sink_close(struct event_sink *s)
{
    if (s == NULL)
        return;
    line_writer_stop(s->writer);
    if (s->file.fd >= 0)
        close(s->file.fd);
    free(s->path);
    free(s);
}

void event_sink_write(struct event_sink *s, char *line)
{
    size_t n = strlen(line);

    line[n] = '\n'; /* in the terminator's place, for a moment: one copy less */
    line_writer_add(s->writer, line, n + 1);
    line[n] = '\0';
}
