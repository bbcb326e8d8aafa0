/* SPDX-License-Identifier: Apache-2.0
 * The nearest valid spelling of a mistyped word. */
#ifndef CORE_SUGGEST_H
#define CORE_SUGGEST_H

#include <stddef.h>

/*
 *     struct suggest s = suggest_for(word);
 *     for (…)
 *         suggest_try(&s, candidate);
 *     nearest = suggest_best(&s);
 */
struct suggest {
    const char *word;
    const char *best; /* borrowed from suggest_try() */
    size_t distance;
};

struct suggest suggest_for(const char *word);
void suggest_try(struct suggest *s, const char *candidate);
/* The nearest candidate when it is near enough to be what was meant; NULL otherwise. Case does not
 * count as a difference. */
const char *suggest_best(const struct suggest *s);
/* "; did you mean 'BEST'?" or "" into `out`; returns `out`. */
const char *suggest_text(const struct suggest *s, char *out, size_t size);
/* How many letters must be changed, added, dropped or swapped with a neighbour; SIZE_MAX when they
 * are more than `most`. */
size_t suggest_distance(const char *a, const char *b, size_t most);

#endif
