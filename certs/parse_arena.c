/* SPDX-License-Identifier: Apache-2.0
 * Memory that lives as long as one certificate's facts. */
#include <stdlib.h>
#include <string.h>

#include "certs/parse_impl.h"

void *parse_arena_alloc(struct parse_arena *a, size_t size)
{
    struct parse_arena_block *b = a->top;
    void *p;

    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (b == NULL || b->size - b->used < size) {
        size_t room = size > 4096 ? size : 4096;

        b = malloc(sizeof *b + room);
        if (b == NULL) {
            a->failed = true;
            return NULL;
        }
        b->next = a->top;
        b->used = 0;
        b->size = room;
        a->top = b;
    }
    p = (char *)b->data + b->used;
    b->used += size;
    return memset(p, 0, size);
}

void parse_arena_clear(struct parse_arena *a)
{
    while (a->top != NULL) {
        struct parse_arena_block *b = a->top;

        a->top = b->next;
        free(b);
    }
}

void *parse_arena_push(struct parse_arena *a, void **array, size_t *n, size_t size)
{
    if ((*n & (*n - 1)) == 0) { /* zero or a power of two: full */
        void *grown = parse_arena_alloc(a, (*n == 0 ? 1 : 2 * *n) * size);

        if (grown == NULL)
            return NULL;
        if (*n > 0)
            memcpy(grown, *array, *n * size);
        *array = grown;
    }
    return (char *)*array + (*n)++ * size;
}
