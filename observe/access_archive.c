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
#include "core/log.h"

#define PATH_TEXT 4096

struct access_archive {
    char dir[2048];
    char account[16], region[40], elb[AWS_ELB_TEXT];
    uint64_t period_us;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    int spool; /* lines of the running period; -1 when it could not be opened */
    char spool_path[PATH_TEXT];
    size_t spooled; /* bytes in it */
    unsigned number;
    bool rotate, stop;
};

/* --- the running period --- */
static int open_spool(struct access_archive *a)
{
    snprintf(a->spool_path, sizeof a->spool_path, "%s/.nlbsim-%d-%u.log", a->dir, (int)getpid(),
             a->number++);
    a->spool = open(a->spool_path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    a->spooled = 0;
    return a->spool < 0 ? -1 : 0;
}

int access_archive_write(struct access_archive *a, const char *lines, size_t n)
{
    int rc = 0;

    pthread_mutex_lock(&a->lock);
    if (a->spool < 0 && open_spool(a) != 0)
        rc = -1;
    while (rc == 0 && n > 0) {
        ssize_t put = write(a->spool, lines, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            rc = -1;
            break;
        }
        lines += put;
        n -= (size_t)put;
        a->spooled += (size_t)put;
    }
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* --- one finished file --- */
static int make_parents(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return -1;
        *at = '/';
    }
    return 0;
}

/* The final name; `temporary` is a hidden one in the same folder. */
static int name_file(const struct access_archive *a, int64_t end_s, char *final, char *temporary)
{
    const time_t t = (time_t)end_s;
    char elb[AWS_ELB_TEXT], day[16], end[24], folder[PATH_TEXT - 256], file[240];
    uint32_t random = 0;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || getrandom(&random, sizeof random, 0) != sizeof random)
        return -1;
    strftime(day, sizeof day, "%Y/%m/%d", &tm);
    strftime(end, sizeof end, "%Y%m%dT%H%MZ", &tm);
    memcpy(elb, a->elb, sizeof elb);
    for (char *at = strchr(elb, '/'); at != NULL; at = strchr(at, '/'))
        *at = '.'; /* "slashes in the ID become dots" */
    snprintf(folder, sizeof folder, "%s/AWSLogs/%s/elasticloadbalancing/%s/%s", a->dir, a->account,
             a->region, day);
    snprintf(file, sizeof file, "%s_elasticloadbalancing_%s_%s_%s_%08x.log.gz", a->account,
             a->region, elb, end, random);
    snprintf(final, PATH_TEXT, "%s/%s", folder, file);
    snprintf(temporary, PATH_TEXT, "%s/.%s.tmp", folder, file);
    return make_parents(temporary);
}

static int gzip_copy(int from, const char *to)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    gzFile gz = fd < 0 ? NULL : gzdopen(fd, "wb");
    char chunk[16384];
    ssize_t n = -1;
    off_t at = 0;

    if (gz == NULL) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while ((n = pread(from, chunk, sizeof chunk, at)) > 0) {
        if (gzwrite(gz, chunk, (unsigned)n) != (int)n)
            break;
        at += n;
    }
    return gzclose(gz) == Z_OK && n == 0 ? 0 : -1;
}

static void finish_file(const struct access_archive *a, int spool, const char *spool_path,
                        int64_t end_s)
{
    char final[PATH_TEXT], temporary[PATH_TEXT];

    temporary[0] = '\0';
    if (name_file(a, end_s, final, temporary) == 0 && gzip_copy(spool, temporary) == 0 &&
        rename(temporary, final) == 0) {
        unlink(spool_path);
        return;
    }
    log_err("access_log", "path=%s error=\"%s\" the lines stay in %s", a->dir, strerror(errno),
            spool_path);
    if (temporary[0] != '\0')
        unlink(temporary);
}

/* Called with the lock held; lets go of it while it compresses. */
static void rotate_locked(struct access_archive *a, int64_t end_s)
{
    char path[PATH_TEXT];
    int spool = a->spool;

    if (spool < 0 || a->spooled == 0)
        return; /* AWS writes no empty files either (nothing is said of them) */
    memcpy(path, a->spool_path, sizeof path);
    a->spool = -1; /* the next line opens another */
    pthread_mutex_unlock(&a->lock);
    finish_file(a, spool, path, end_s);
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

struct access_archive *access_archive_open(const struct access_log_params *p, struct err *err)
{
    struct access_archive *a = calloc(1, sizeof *a);
    size_t n = strlen(p->path);

    if (a == NULL) {
        err_set(err, ERR_NOMEM, "access_log %s", p->path);
        return NULL;
    }
    a->spool = -1;
    a->period_us = p->period_us > 0 ? p->period_us : 1;
    while (n > 1 && p->path[n - 1] == '/')
        n--;
    snprintf(a->dir, sizeof a->dir, "%.*s", (int)n, p->path);
    snprintf(a->account, sizeof a->account, "%s", p->who.account);
    snprintf(a->region, sizeof a->region, "%s", p->who.region);
    aws_elb(a->elb, &p->who);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    if (n >= sizeof a->dir || (mkdir(a->dir, 0755) != 0 && errno != EEXIST) || open_spool(a) != 0 ||
        pthread_create(&a->thread, NULL, run, a) != 0) {
        err_set(err, ERR_ENVIRONMENT, "access_log %s: %s", p->path, strerror(errno));
        if (a->spool >= 0) {
            close(a->spool);
            unlink(a->spool_path);
        }
        free(a);
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
    rotate_locked(a, clock_wall_us() / 1000000);
    pthread_mutex_unlock(&a->lock);
    if (a->spool >= 0) {
        close(a->spool);
        unlink(a->spool_path);
    }
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->wake);
    free(a);
}
