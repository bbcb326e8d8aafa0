/* SPDX-License-Identifier: Apache-2.0
 * The human log on standard error. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    max_level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= max_level;
}

void log_write(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = { "err", "warn", "info", "debug" };
    char line[2048];
    va_list ap;
    size_t n;

    if (!log_enabled(level))
        return;
    n = (size_t)snprintf(line, sizeof line - 2, "%s %s ", names[level], event);
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof line - 1 - n, fmt, ap);
    va_end(ap);
    n = strlen(line);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    }
    line[n++] = '\n';
    /* Nobody can be told when standard error itself is gone. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}
