/* SPDX-License-Identifier: Apache-2.0
 * GMP's memory functions, of which every block is known, so that a computation can be left where it
 * stands. source: GMP manual, Custom Allocation ("if no memory is available … the program should be
 * terminated", or the function leaves by longjmp) */
#include "core/bignum_memory.h"

#include <gmp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct link { /* of a ring, whose head belongs to the guard */
    struct link *next, *prev;
};

struct block {
    struct link link; /* first: a link in the ring is its block */
    alignas(max_align_t) unsigned char data[];
};

struct guard {
    struct link blocks;
    jmp_buf leave;
};

static _Thread_local struct guard *guard; /* of the computation at hand */

static void *bignum_take(size_t n)
{
    struct block *b = n <= SIZE_MAX - sizeof *b ? malloc(sizeof *b + n) : NULL;

    if (guard == NULL)
        abort(); /* a computation outside bignum_guarded: a mistake of ours */
    if (b == NULL)
        longjmp(guard->leave, 1);
    b->link = (struct link){ guard->blocks.next, &guard->blocks };
    b->link.next->prev = b->link.prev->next = &b->link;
    return b->data;
}

static void bignum_give(void *data, size_t n)
{
    struct block *b = (struct block *)((unsigned char *)data - offsetof(struct block, data));

    (void)n;
    b->link.next->prev = b->link.prev;
    b->link.prev->next = b->link.next;
    free(b);
}

static void *bignum_resize(void *data, size_t n, size_t wanted)
{
    void *fresh = bignum_take(wanted);

    memcpy(fresh, data, n < wanted ? n : wanted);
    bignum_give(data, n);
    return fresh;
}

static void install(void)
{
    mp_set_memory_functions(bignum_take, bignum_resize, bignum_give);
}

bool bignum_guarded(void (*work)(void *arg), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct guard g;
    volatile bool done = false;

    pthread_once(&once, install);
    g.blocks.next = g.blocks.prev = &g.blocks;
    guard = &g;
    if (setjmp(g.leave) == 0) {
        work(arg);
        done = true;
    }
    guard = NULL;
    while (g.blocks.next != &g.blocks)
        bignum_give(((struct block *)g.blocks.next)->data, 0);
    return done;
}
