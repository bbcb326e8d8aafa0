/* SPDX-License-Identifier: Apache-2.0
 * The event loop of one thread: a libevent base whose warnings go to the log. */
#include "core/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"

/* Of one base: epoll, a pair of sockets, and whatever it tries before those. */
#define BASE_DESCRIPTORS 5

static void say_cb(int severity, const char *text)
{
    static const enum log_level levels[] = {
        [EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
        [EVENT_LOG_MSG] = LOG_LEVEL_INFO,
        [EVENT_LOG_WARN] = LOG_LEVEL_WARN,
        [EVENT_LOG_ERR] = LOG_LEVEL_ERR,
    };

    log_write(severity < 0 || severity > EVENT_LOG_ERR ? LOG_LEVEL_ERR : levels[severity],
              "libevent", "%s", text);
}

/* libevent would end the process with 1, which says something else here. */
static void fatal_cb(int unused)
{
    (void)unused;
    _exit(3);
}

static void set_callbacks(void)
{
    event_set_log_callback(say_cb);
    event_set_fatal_callback(fatal_cb);
}

/* libevent ends the process when it gets no pair of sockets, so ask first. */
static int enough_descriptors(struct err *err)
{
    int fds[BASE_DESCRIPTORS], n = 0, error = 0;

    for (; n < BASE_DESCRIPTORS; n++) {
        fds[n] = eventfd(0, EFD_CLOEXEC);
        if (fds[n] < 0) {
            error = errno;
            break;
        }
    }
    while (n > 0)
        close(fds[--n]);
    if (error != 0)
        err_set(err, ERR_ENVIRONMENT, "event loop: %s", err_why(error));
    return error == 0 ? 0 : -1;
}

struct event_base *loop_new(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct event_config *config;
    struct event_base *base = NULL;

    pthread_once(&once, set_callbacks);
    if (enough_descriptors(err) != 0)
        return NULL;
    config = event_config_new();
    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
        base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (base == NULL)
        err_set(err, ERR_ENVIRONMENT, "event loop: libevent cannot make one (epoll is needed)");
    return base;
}
