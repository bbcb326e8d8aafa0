/* SPDX-License-Identifier: Apache-2.0
 * Threads with a name, to which no signal is delivered. */
#include "core/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct start {
    char name[16];
    void *(*run)(void *);
    void *arg;
};

/* A thread names itself: another's name is a file in /proc, which a confined process cannot open.
 */
static void *begin(void *arg)
{
    struct start s = *(struct start *)arg;

    free(arg);
    (void)pthread_setname_np(pthread_self(), s.name);
    return s.run(s.arg);
}

int thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *arg)
{
    struct start *s = malloc(sizeof *s);
    sigset_t all, before;
    int rc;

    if (s == NULL)
        return -1;
    *s = (struct start){ .run = run, .arg = arg };
    snprintf(s->name, sizeof s->name, "%s", name);
    sigfillset(&all);
    sigdelset(&all, SIGSYS); /* what seccomp sends: blocked, it ends the process without a word */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(out, NULL, begin, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = rc;
    if (rc != 0)
        free(s);
    return rc != 0 ? -1 : 0;
}
