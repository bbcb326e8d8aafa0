/* SPDX-License-Identifier: Apache-2.0
 * The human log on standard error. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/foreign.h"

static enum log_level max_level = LOG_LEVEL_INFO;

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
    /* Nobody can be told when standard error itself is gone. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}
