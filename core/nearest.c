/* SPDX-License-Identifier: Apache-2.0
 * "Did you mean ...?": the candidate closest to a misspelt word. */
#include "core/nearest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 96 /* longer words are compared by their first bytes */
#define EDIT     2  /* cost of one edit; a wrong case costs 1 */

static size_t length(const char *word)
{
    size_t n = strlen(word);

    return n < WORD_MAX ? n : WORD_MAX;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

static size_t replace_cost(char a, char b)
{
    if (a == b)
        return 0;
    return tolower((unsigned char)a) == tolower((unsigned char)b) ? 1 : EDIT;
}

/* Damerau-Levenshtein distance (adjacent swaps), in half edits. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    const size_t n = length(a), m = length(b);

    for (size_t j = 0; j <= m; j++)
        above[j] = j * EDIT;
    memcpy(before, above, sizeof rows[0]);
    for (size_t i = 1; i <= n; i++) {
        size_t *free_row = before;

        row[0] = i * EDIT;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j] + EDIT, row[j - 1] + EDIT,
                           above[j - 1] + replace_cost(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + EDIT < row[j])
                row[j] = before[j - 2] + EDIT;
        }
        before = above;
        above = row;
        row = free_row;
    }
    return above[m];
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t d = distance(n->word, candidate);

    if (n->best == NULL || d < n->distance) {
        n->best = candidate;
        n->distance = d;
    }
}

const char *nearest_best(const struct nearest *n)
{
    size_t allowed = length(n->word) * EDIT / 3;

    if (allowed < 2 * EDIT)
        allowed = 2 * EDIT;
    return n->best != NULL && n->distance <= allowed ? n->best : NULL;
}
