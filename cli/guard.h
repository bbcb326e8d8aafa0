/* SPDX-License-Identifier: Apache-2.0
 * The thread that owns the signals of `nlbsim run` and outlives whatever hangs: it watches the
 * threads that must come round (core/watch.h), keeps systemd's watchdog content as long as they do,
 * and ends the process when it should have ended by itself. */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

#include <stdint.h>

#include "core/err.h"

#define GUARD_EXIT_STATUS 4 /* the process was ended by this thread */

struct guard;

/* What signals ask of the main thread. */
enum guard_wish {
    GUARD_RELOAD = 1,   /* SIGHUP */
    GUARD_REOPEN = 2,   /* SIGUSR1 */
    GUARD_STOP = 4,     /* SIGTERM, SIGINT */
    GUARD_STOP_NOW = 8, /* the second of them */
};

/* Before any other thread is started: the signals are blocked for all of them. From now on a signal
 * to stop ends the process, at once until guard_ready(), afterwards by the main thread within
 * `drain_ms`, or else by this one within a second more. `ready_file` is removed then; NULL: none.
 * NULL with the reason in `err`. */
struct guard *guard_start(uint64_t drain_ms, const char *ready_file, struct err *err);
/* Without the thread for a moment, in which signals wait: what a process gives up, it gives up for
 * threads that start afterwards. guard_resume(): 0, or -1. */
void guard_pause(struct guard *g);
int guard_resume(struct guard *g, struct err *err);
/* The main thread takes wishes from now on. A stall of `exit_ms` ends the process; 0: none does. */
void guard_ready(struct guard *g, uint64_t exit_ms);
/* Readable when there are wishes. */
int guard_fd(const struct guard *g);
unsigned guard_take(struct guard *g); /* enum guard_wish, or-ed; each is taken once */
/* When draining must be over (clock_mono_us()), and what asked for it; once GUARD_STOP was taken.
 */
uint64_t guard_drained_by_us(const struct guard *g);
const char *guard_stop_signal(const struct guard *g);
/* Join the thread and free. NULL is fine. */
void guard_stop(struct guard *g);

/* For commands that have no such thread: the process ends within a second, by SIGALRM. */
void guard_last_second(void);

#endif
