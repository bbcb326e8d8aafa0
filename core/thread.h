/* SPDX-License-Identifier: Apache-2.0
 * Threads with a name (top -H, a debugger), to which no signal is delivered. */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>

/* `name`: at most 15 characters are shown. 0, or -1 with errno. */
int thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg);

#endif
