/* SPDX-License-Identifier: Apache-2.0
 * The human log on standard error: one line `level event key=value …` per fact.
 * err: a person must act · warn: soon · info: start, stop, reload, health · debug: transitions.
 * A line is written with one write(2), so lines of several threads never mix. It begins with the
 * time (UTC), unless standard error is a terminal or the journal, which keeps the time itself. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* From now on a line that standard error does not take at once (a pipe that nobody reads) is
 * dropped and counted instead of waited for; how many is told with the next one that goes out. */
void log_never_wait(void);
/* `event` is a bare word; `fmt` gives the rest of the line, "key=value key=value". Foreign
 * text in it is made harmless (core/foreign.h): it forges no line. */
void log_write(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_err(event, ...)  log_write(LOG_LEVEL_ERR, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...)                                                                      \
    do {                                                                                           \
        if (log_enabled(LOG_LEVEL_DEBUG))                                                          \
            log_write(LOG_LEVEL_DEBUG, event, __VA_ARGS__);                                        \
    } while (0)

#endif
