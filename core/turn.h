/* SPDX-License-Identifier: Apache-2.0
 * One callback's turn on its thread: how much it may do before others get theirs, and where it is.
 *
 * The rule that nothing one connection sends keeps a loop from its other work is kept here: a
 * callback begins a turn, whatever takes bytes from a peer pays for them, and when the turn is
 * spent there is nothing more to take (EAGAIN) until the next. Counted, not timed. Whoever waits
 * for an edge of the socket must then come back by itself (turn_spent()). */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TURN_COST_READ   64 /* one read of a socket, up to 64 KiB */
#define TURN_COST_RECORD 1  /* one piece of a TLS record */
#define TURN_BUDGET      1024

/* What others may see of a thread; each field by itself, for people. */
struct turn {
    atomic_uint_fast64_t rounds; /* turns begun */
    _Atomic(const char *) doing; /* static text; NULL: between turns */
    _Atomic(const char *) state; /* static text; NULL: none */
    atomic_uint_fast64_t flow;   /* 0: none */
    unsigned left;               /* the thread's own */
    bool limited, spent;
};

/* From now on the calling thread's turns are told in `t`; NULL: nowhere. */
void turn_tell(struct turn *t);
/* A fresh budget. `flow` 0 and `state` NULL: it is none of a flow's. */
void turn_begin(const char *doing, uint64_t flow, const char *state);
/* For work of our own that no peer decides about: told as a turn is, everything is free. */
void turn_at(const char *doing);
void turn_state(const char *state);
/* Pay; false when the turn is spent. Outside a turn everything is free. */
bool turn_take(unsigned cost);
bool turn_spent(void);
void turn_end(void);

#endif
