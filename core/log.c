/* SPDX-License-Identifier: Apache-2.0
 * The human log on standard error. */
#include "core/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/foreign.h"

static enum log_level max_level = LOG_LEVEL_INFO;
static bool never_wait;
static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* guards `lost` and who asks, then writes */
static unsigned long lost;

void log_set_level(enum log_level level)
{
    max_level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= max_level;
}

/* A person at a terminal looks on, and the journal notes the time of each line. systemd.exec(5):
 * JOURNAL_STREAM is "DEVICE:INODE" of what the journal reads, to be compared with the descriptor.
 */
static bool wants_time(void)
{
    const char *journal = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    if (isatty(STDERR_FILENO))
        return false;
    return journal == NULL || sscanf(journal, "%llu:%llu", &device, &inode) != 2 ||
           fstat(STDERR_FILENO, &st) != 0 || st.st_dev != device || st.st_ino != inode;
}

/* "2026-11-28T05:10:06.123Z ", or nothing; returns its length. */
static size_t put_time(char *out, size_t size)
{
    int64_t now_us = clock_wall_us();
    char when[20];

    if (!wants_time())
        return 0;
    clock_format_utc(now_us / 1000000, when, sizeof when);
    return (size_t)snprintf(out, size, "%s.%03dZ ", when, (int)(now_us / 1000 % 1000));
}

void log_never_wait(void)
{
    never_wait = true;
}

static void put(const char *line, size_t n)
{
    /* Nobody can be told when standard error itself is gone. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}

/* A pipe that is ready takes at least a page: more than two lines. */
static bool ready(void)
{
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

    return poll(&p, 1, 0) != 0;
}

static void put_or_lose(const char *line, size_t n)
{
    char told[80];

    pthread_mutex_lock(&lock);
    if (lost > 0 && ready()) {
        put(told, (size_t)snprintf(told, sizeof told,
                                   "warn log lost=%lu lines of this log were lost\n", lost));
        lost = 0;
    }
    if (lost == 0 && ready())
        put(line, n);
    else
        lost++;
    pthread_mutex_unlock(&lock);
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = { "err", "warn", "info", "debug" };
    char line[2048];
    va_list ap;
    size_t n;

    if (!log_enabled(level))
        return;
    n = put_time(line, sizeof line);
    n += (size_t)snprintf(line + n, sizeof line - 2 - n, "%s %s ", names[level], event);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - 1 - n, fmt, ap);
    va_end(ap);
    foreign_clean(line, sizeof line - 1);
    n = strlen(line);
    line[n++] = '\n';
    if (never_wait)
        put_or_lose(line, n);
    else
        put(line, n);
}
