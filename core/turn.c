/* SPDX-License-Identifier: Apache-2.0
 * One callback's turn on its thread: its budget, and where it is. */
#include "core/turn.h"

#include <stddef.h>

static _Thread_local struct turn untold;
static _Thread_local struct turn *mine;

static struct turn *here(void)
{
    return mine != NULL ? mine : &untold;
}

static void tell(_Atomic(const char *) *to, const char *text)
{
    atomic_store_explicit(to, text, memory_order_relaxed);
}

void turn_tell(struct turn *t)
{
    mine = t;
}

static struct turn *fresh(const char *doing, uint64_t flow, const char *state)
{
    struct turn *t = here();

    t->spent = false;
    atomic_store_explicit(&t->flow, flow, memory_order_relaxed);
    tell(&t->state, state);
    tell(&t->doing, doing);
    atomic_fetch_add_explicit(&t->rounds, 1, memory_order_relaxed);
    return t;
}

void turn_begin(const char *doing, uint64_t flow, const char *state)
{
    struct turn *t = fresh(doing, flow, state);

    t->left = TURN_BUDGET;
    t->limited = true;
}

void turn_at(const char *doing)
{
    fresh(doing, 0, NULL)->limited = false;
}

void turn_state(const char *state)
{
    tell(&here()->state, state);
}

bool turn_take(unsigned cost)
{
    struct turn *t = here();

    if (!t->limited)
        return true;
    if (t->left < cost) {
        t->spent = true;
        return false;
    }
    t->left -= cost;
    return true;
}

bool turn_spent(void)
{
    const struct turn *t = here();

    return t->limited && t->spent;
}

void turn_end(void)
{
    struct turn *t = here();

    t->limited = t->spent = false;
    tell(&t->doing, NULL);
    tell(&t->state, NULL);
}
