/* SPDX-License-Identifier: Apache-2.0
 * Threads with a name, to which no signal is delivered. */
#include "core/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

int thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg)
{
    char shown[16];
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(out, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = rc;
    if (rc != 0)
        return -1;
    snprintf(shown, sizeof shown, "%s", name);
    (void)pthread_setname_np(*out, shown);
    return 0;
}
