/* SPDX-License-Identifier: Apache-2.0
 * Where the access log's lines go: a file, standard output, or a directory of gzip files. */
#include "observe/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "observe/access_archive.h"

struct access_log {
    char *path;
    int fd;                         /* of a file; of a directory: its archive's */
    struct access_archive *archive; /* NULL for a file */
    bool broken;                    /* a write failed and was told */
    pthread_mutex_t lock;           /* one piece at a time, whole, whatever the file is */
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
    int fd = strcmp(path, "-") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    if (fd < 0)
        err_set(err, ERR_ENVIRONMENT, "access_log %s: %s", path, err_why(errno));
    return fd;
}

struct access_log *access_log_open(const struct access_log_params *p, struct err *err)
{
    struct access_log *log = calloc(1, sizeof *log);

    if (log == NULL || (log->path = strdup(p->path)) == NULL) {
        free(log);
        err_set(err, ERR_NOMEM, "access_log %s", p->path);
        return NULL;
    }
    log->fd = -1;
    pthread_mutex_init(&log->lock, NULL);
    if (is_directory(p->path))
        log->archive = access_archive_open(p->path, &p->who, p->period_us, err);
    else
        log->fd = open_file(p->path, err);
    if (log->archive == NULL && log->fd < 0) {
        access_log_close(log);
        return NULL;
    }
    return log;
}

int access_log_reopen(struct access_log *log, struct err *err)
{
    int fd;

    if (log->archive != NULL) {
        access_archive_rotate(log->archive);
        return 0;
    }
    fd = open_file(log->path, err);
    if (fd < 0)
        return -1;
    pthread_mutex_lock(&log->lock);
    close(log->fd);
    log->fd = fd;
    log->broken = false;
    pthread_mutex_unlock(&log->lock);
    return 0;
}

void access_log_close(struct access_log *log)
{
    if (log == NULL)
        return;
    access_archive_close(log->archive);
    if (log->fd >= 0)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

static int write_lines(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, data, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        n -= (size_t)put;
    }
    return 0;
}

void access_log_write(struct access_log *log, const char *lines, size_t n)
{
    int rc, error;

    if (log->archive != NULL) {
        rc = access_archive_write(log->archive, lines, n);
        error = errno;
        pthread_mutex_lock(&log->lock);
    } else {
        pthread_mutex_lock(&log->lock);
        rc = write_lines(log->fd, lines, n);
        error = errno;
    }
    if (rc != 0 && !log->broken)
        log_err("access_log", "path=%s error=\"%s\" lines are being lost", log->path,
                err_why(error));
    log->broken = rc != 0;
    pthread_mutex_unlock(&log->lock);
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
