/* SPDX-License-Identifier: Apache-2.0
 * Memory that is freed all at once: what a configuration generation consists of. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

/* Zero-initialised is empty and ready. */
struct arena {
    struct arena_block *blocks;
    bool failed; /* memory was out once: what was made of the arena may be incomplete */
};

/* `n` zeroed bytes, aligned for any type; NULL when memory is out. */
void *arena_alloc(struct arena *a, size_t n);
/* Copies of a text (the second: of its first `n` bytes, with a terminator). */
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t n);
/*
 * Room for one more element at the end of an array that lives in the arena.
 *   items    address of the array pointer (may hold NULL when *n is 0); may move
 *   n        number of elements, one more on success
 *   returns  the new, zeroed element; NULL when memory is out (nothing changed)
 */
void *arena_append(struct arena *a, void *items, size_t *n, size_t size);
void arena_clear(struct arena *a);

/* Tests only: after `n` more allocations from any arena every further one fails, as if memory were
 * out; ARENA_NEVER ends it. */
#define ARENA_NEVER ((size_t)-1)
void arena_fail_after(size_t n);

#endif
