/* SPDX-License-Identifier: Apache-2.0
 * A directory of access log files as AWS delivers them: rotation and compression on a thread of
 * its own, so that no worker waits for it. */
#include "observe/access_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/thread.h"
#include "observe/line_writer.h"

#define NAME_TEXT 256

struct access_archive {
    char dir[2048];
    int at; /* that directory; no symbolic link in it is followed */
    char account[16], region[40], elb[AWS_ELB_TEXT];
    uint64_t period_us;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct line_file spool; /* lines of the running period; fd -1 when it could not be opened */
    char spool_name[NAME_TEXT];
    size_t spooled; /* bytes in it */
    bool rotate, stop;
};

/* --- the running period --- */
static int open_spool(struct access_archive *a)
{
    a->spool = (struct line_file){
        .fd = file_new_in(a->at, ".nlbsim", 0644, a->spool_name, sizeof a->spool_name),
    };
    a->spooled = 0;
    return a->spool.fd < 0 ? -1 : 0;
}

size_t access_archive_write(struct access_archive *a, const char *lines, size_t n)
{
    size_t kept = 0;
    int error = 0;

    pthread_mutex_lock(&a->lock);
    if (a->spool.fd < 0 && open_spool(a) != 0) {
        error = errno;
    } else {
        kept = line_file_put(&a->spool, lines, n);
        error = errno;
        a->spooled += kept;
    }
    pthread_mutex_unlock(&a->lock);
    errno = error;
    return kept;
}

/* --- one finished file --- */
/* Its folder, which is made, and its name in there. */
static int name_file(const struct access_archive *a, int64_t end_s, char name[NAME_TEXT])
{
    const time_t t = (time_t)end_s;
    char elb[AWS_ELB_TEXT], day[16], end[24], folder[NAME_TEXT];
    uint32_t random = 0;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || getrandom(&random, sizeof random, 0) != sizeof random)
        return -1;
    strftime(day, sizeof day, "%Y/%m/%d", &tm);
    strftime(end, sizeof end, "%Y%m%dT%H%MZ", &tm);
    memcpy(elb, a->elb, sizeof elb);
    for (char *at = strchr(elb, '/'); at != NULL; at = strchr(at, '/'))
        *at = '.'; /* "slashes in the ID become dots" */
    snprintf(folder, sizeof folder, "AWSLogs/%s/elasticloadbalancing/%s/%s", a->account, a->region,
             day);
    snprintf(name, NAME_TEXT, "%s_elasticloadbalancing_%s_%s_%s_%08x.log.gz", a->account, a->region,
             elb, end, random);
    return file_dir_in(a->at, folder, true);
}

/* Takes `to`. */
static int gzip_copy(int from, int to)
{
    gzFile gz = gzdopen(to, "wb");
    char chunk[16384];
    ssize_t n = -1;
    off_t at = 0;

    if (gz == NULL) {
        close(to);
        return -1;
    }
    while ((n = pread(from, chunk, sizeof chunk, at)) > 0) {
        if (gzwrite(gz, chunk, (unsigned)n) != (int)n)
            break;
        at += n;
    }
    return gzclose(gz) == Z_OK && n == 0 ? 0 : -1;
}

static int write_gzip(int spool, int folder, const char *name)
{
    char hidden[NAME_TEXT + 1], temporary[NAME_TEXT + 32];
    int fd;

    snprintf(hidden, sizeof hidden, ".%s", name);
    fd = file_new_in(folder, hidden, 0644, temporary, sizeof temporary);
    if (fd < 0)
        return -1;
    if (gzip_copy(spool, fd) == 0 && renameat(folder, temporary, folder, name) == 0)
        return 0;
    (void)unlinkat(folder, temporary, 0);
    return -1;
}

static void finish_file(const struct access_archive *a, int spool, const char *spool_name,
                        int64_t end_s)
{
    char name[NAME_TEXT];
    int folder = name_file(a, end_s, name);

    if (folder >= 0 && write_gzip(spool, folder, name) == 0)
        file_remove_in(a->at, spool_name);
    else
        log_err("access_log", "path=%s error=\"%s\" the lines stay in %s/%s", a->dir,
                err_why(errno), a->dir, spool_name);
    if (folder >= 0)
        close(folder);
}

/* Called with the lock held; lets go of it while it compresses. */
static void rotate_locked(struct access_archive *a, int64_t end_s)
{
    char name[NAME_TEXT];
    int spool = a->spool.fd;

    if (spool < 0 || a->spooled == 0)
        return; /* AWS writes no empty files either (nothing is said of them) */
    memcpy(name, a->spool_name, sizeof name);
    a->spool.fd = -1; /* the next line opens another */
    pthread_mutex_unlock(&a->lock);
    finish_file(a, spool, name, end_s);
    close(spool);
    pthread_mutex_lock(&a->lock);
}

/* --- the thread --- */
static void *run(void *arg)
{
    struct access_archive *a = arg;

    pthread_mutex_lock(&a->lock);
    while (!a->stop) {
        /* Periods end at multiples of their length, as AWS's do. */
        int64_t period = (int64_t)a->period_us, end = (clock_wall_us() / period + 1) * period;
        const struct timespec until = { .tv_sec = (time_t)(end / 1000000),
                                        .tv_nsec = (long)(end % 1000000) * 1000 };
        int rc = 0;

        while (!a->stop && !a->rotate && rc == 0)
            rc = pthread_cond_timedwait(&a->wake, &a->lock, &until);
        rotate_locked(a, (rc == ETIMEDOUT ? end : clock_wall_us()) / 1000000);
        a->rotate = false;
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* The user's own path: links in it are followed. */
static int open_dir(struct access_archive *a)
{
    if (mkdir(a->dir, 0755) != 0 && errno != EEXIST)
        return -1;
    a->at = open(a->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return a->at < 0 ? -1 : 0;
}

static void drop(struct access_archive *a)
{
    if (a->spool.fd >= 0) {
        close(a->spool.fd);
        file_remove_in(a->at, a->spool_name);
    }
    if (a->at >= 0)
        close(a->at);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    free(a);
}

struct access_archive *access_archive_open(const char *path, const struct aws_identity *who,
                                           uint64_t period_us, struct err *err)
{
    struct access_archive *a = calloc(1, sizeof *a);
    size_t n = strlen(path);

    if (a == NULL) {
        err_set(err, ERR_NOMEM, "access_log %s", path);
        return NULL;
    }
    a->spool.fd = a->at = -1;
    a->period_us = period_us > 0 ? period_us : 1;
    while (n > 1 && path[n - 1] == '/')
        n--;
    snprintf(a->dir, sizeof a->dir, "%.*s", (int)n, path);
    snprintf(a->account, sizeof a->account, "%s", who->account);
    snprintf(a->region, sizeof a->region, "%s", who->region);
    aws_elb(a->elb, who);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    if (n >= sizeof a->dir || open_dir(a) != 0 || open_spool(a) != 0 ||
        thread_start(&a->thread, "access_log gzip", run, a) != 0) {
        err_set(err, ERR_ENVIRONMENT, "access_log %s: %s", path, err_why_at(errno, path, true));
        drop(a);
        return NULL;
    }
    return a;
}

void access_archive_rotate(struct access_archive *a)
{
    pthread_mutex_lock(&a->lock);
    a->rotate = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
}

void access_archive_close(struct access_archive *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    a->stop = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_mutex_lock(&a->lock);
    rotate_locked(a, clock_wall_s());
    pthread_mutex_unlock(&a->lock);
    drop(a);
}
