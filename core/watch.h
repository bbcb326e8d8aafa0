/* SPDX-License-Identifier: Apache-2.0
 * Threads that must come round: each that runs a loop says so, and one thread looks at all of them.
 *
 * A thread comes round whenever it begins a turn (core/turn.h), and a timer in its loop begins one
 * twice a second. So an idle thread is no more suspect than a busy one, and what stands still is
 * a callback without an end, or a thread that nothing runs. Ticks are counted, not seconds: a
 * process that was stopped as a whole has seen none pass. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/turn.h"

#define WATCH_TICK_MS 500
#define WATCH_TICKS   4 /* without coming round: it stalls */
#define WATCH_TEXT    256

struct watch {
    LIST_ENTRY(watch) all;
    char name[32];
    struct turn turn;
    struct event beat;
    /* of whoever looks */
    uint64_t rounds, since_us;
    unsigned ticks;
    bool stalls;
};

/* On the thread itself: before its loop runs, and after. `base` gets the timer. */
void watch_begin(struct watch *w, struct event_base *base, const char *name, ...)
    __attribute__((format(printf, 3, 4)));
void watch_end(struct watch *w);

/* Look at all of them, every WATCH_TICK_MS; which one stalls, or came round after all, is logged.
 * Returns for how many ms the one that stalls for longest has done so; 0: none does. */
uint64_t watch_tick(void);
/* One sentence about a thread that stalls. False: none does, and `out` is empty. Any thread. */
bool watch_stalled(char out[WATCH_TEXT]);
/* How many stalls there were since the start. */
uint64_t watch_stalls(void);

#endif
