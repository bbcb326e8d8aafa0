/* SPDX-License-Identifier: Apache-2.0
 * Where the access log's lines go: a file, standard output, or a directory of gzip files. */
#include "observe/accesslog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/access_archive.h"
#include "observe/line_writer.h"

struct access_log {
    char *path;
    struct line_file file;          /* fd -1: a directory */
    struct access_archive *archive; /* NULL for a file */
    struct line_writer *writer;
};

static bool is_directory(const char *path)
{
    struct stat st;
    size_t n = strlen(path);

    if (n > 0 && path[n - 1] == '/')
        return true;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int open_file(const char *path, struct err *err)
{
    int fd = line_file_open(path);

    if (fd < 0)
        err_set(err, ERR_ENVIRONMENT, "access_log %s: %s", path, err_why_at(errno, path, true));
    return fd;
}

static size_t put_access_lines(void *arg, const char *lines, size_t n)
{
    struct access_log *log = arg;

    return log->archive != NULL ? access_archive_write(log->archive, lines, n)
                                : line_file_put(&log->file, lines, n);
}

static void swap_access_log(void *arg, int fd)
{
    struct access_log *log = arg;

    if (log->archive != NULL) {
        access_archive_rotate(log->archive);
        return;
    }
    close(log->file.fd);
    log->file = (struct line_file){ .fd = fd, .may_hang = true };
}

struct access_log *access_log_open(const struct access_log_params *p, struct err *err)
{
    struct access_log *log = calloc(1, sizeof *log);

    if (log == NULL || (log->path = strdup(p->path)) == NULL) {
        free(log);
        err_set(err, ERR_NOMEM, "access_log %s", p->path);
        return NULL;
    }
    log->file.fd = -1;
    if (is_directory(p->path))
        log->archive = access_archive_open(p->path, &p->who, p->period_us, err);
    else
        log->file = (struct line_file){ .fd = open_file(p->path, err), .may_hang = true };
    if (log->archive != NULL || log->file.fd >= 0)
        log->writer =
            line_writer_start("access_log", p->path, put_access_lines, log, p->queue_bytes, err);
    if (log->writer == NULL) {
        access_log_close(log);
        return NULL;
    }
    return log;
}

int access_log_reopen(struct access_log *log, struct err *err)
{
    int fd = -1;

    if (log->archive == NULL && (fd = open_file(log->path, err)) < 0)
        return -1;
    line_writer_between(log->writer, swap_access_log, fd);
    return 0;
}

void access_log_finish(struct access_log *s)
{
    if (s != NULL)
        line_writer_finish(s->writer);
}

void access_log_close(struct access_log *log)
{
    if (log == NULL)
        return;
    line_writer_stop(log->writer);
    access_archive_close(log->archive);
    if (log->file.fd >= 0)
        close(log->file.fd);
    free(log->path);
    free(log);
}

void access_log_write(struct access_log *log, const char *lines, size_t n)
{
    line_writer_add(log->writer, lines, n);
}

int access_buf_init(struct access_buf *buf, struct access_log *log)
{
    *buf = (struct access_buf){ .log = log };
    buf->at = log == NULL ? NULL : malloc(ACCESS_BUF_BYTES);
    return log != NULL && buf->at == NULL ? -1 : 0;
}

bool access_buf_add(struct access_buf *buf, const struct flow_record *record)
{
    bool first;

    if (ACCESS_BUF_BYTES - buf->n < ACCESS_LINE_MAX)
        access_buf_flush(buf);
    first = buf->n == 0;
    buf->n += access_line(buf->at + buf->n, record);
    return first;
}

void access_buf_flush(struct access_buf *buf)
{
    if (buf->n > 0)
        access_log_write(buf->log, buf->at, buf->n);
    buf->n = 0;
}

void access_buf_clear(struct access_buf *buf)
{
    if (buf->at == NULL)
        return;
    access_buf_flush(buf);
    free(buf->at);
    buf->at = NULL;
}
