/* SPDX-License-Identifier: Apache-2.0
 * Memory that is freed all at once. */
#include "core/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) unsigned char data[];
};

static size_t allowed = ARENA_NEVER; /* written by tests only */

void arena_fail_after(size_t n)
{
    allowed = n;
}

/* May one more allocation succeed? */
static bool allow(void)
{
    if (allowed == ARENA_NEVER)
        return true;
    return allowed > 0 && allowed-- > 0;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b;

    b = n <= SIZE_MAX - sizeof *b && allow() ? calloc(1, sizeof *b + n) : NULL;
    if (b == NULL) {
        a->failed = true;
        return NULL;
    }
    b->next = a->blocks;
    a->blocks = b;
    return b->data;
}

char *arena_strndup(struct arena *a, const char *text, size_t n)
{
    char *copy = arena_alloc(a, n + 1);

    if (copy != NULL && n > 0)
        memcpy(copy, text, n);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return arena_strndup(a, text, strlen(text));
}

void *arena_append(struct arena *a, void *items, size_t *n, size_t size)
{
    void *old, *new;

    memcpy(&old, items, sizeof old);
    /* The array has room for the next power of two: grow when n is one (or 0). */
    if ((*n & (*n - 1)) == 0) {
        size_t room = *n == 0 ? 1 : *n * 2;

        if (size == 0 || room > SIZE_MAX / size) {
            a->failed = true;
            return NULL;
        }
        new = arena_alloc(a, room * size);
        if (new == NULL)
            return NULL;
        if (*n > 0)
            memcpy(new, old, *n * size);
        memcpy(items, &new, sizeof new);
        old = new;
    }
    return (unsigned char *)old + (*n)++ * size;
}

void arena_clear(struct arena *a)
{
    while (a->blocks != NULL) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
}
