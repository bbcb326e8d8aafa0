/* SPDX-License-Identifier: Apache-2.0
 * "Did you mean ...?": the candidate closest to a misspelt word. */
#ifndef CORE_NEAREST_H
#define CORE_NEAREST_H

#include <stddef.h>

/* Begin with { .word = w }, offer candidates, ask for the best. All texts are borrowed. */
struct nearest {
    const char *word;
    const char *best; /* of those offered so far */
    size_t distance;  /* edits (insert, delete, replace, swap) between the two; case counts half */
};

void nearest_offer(struct nearest *n, const char *candidate);
/* The best candidate, or NULL when none is near enough to be worth saying (more than a third of
 * the word differs, at least two edits are always allowed). */
const char *nearest_best(const struct nearest *n);

#endif
