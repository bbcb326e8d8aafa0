/* SPDX-License-Identifier: Apache-2.0
 * The nearest valid spelling of a mistyped word (optimal string alignment distance). */
#include "core/suggest.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX 127 /* longer words are compared by their beginnings */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t lowered(const char *word, char out[WORD_MAX])
{
    size_t n = strnlen(word, WORD_MAX);

    for (size_t i = 0; i < n; i++)
        out[i] = (char)tolower((unsigned char)word[i]);
    return n;
}

size_t suggest_distance(const char *word, const char *candidate, size_t most)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *here = rows[2];
    char a[WORD_MAX], b[WORD_MAX];
    size_t na = lowered(word, a), nb = lowered(candidate, b);

    for (size_t j = 0; j <= nb; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *free_row = before, nearest = i;

        here[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = a[i - 1] == b[j - 1] ? 0 : 1;

            here[j] = least(least(above[j], here[j - 1]) + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                here[j] = least(here[j], before[j - 2] + 1);
            nearest = least(nearest, here[j]);
        }
        if (nearest > most) /* it only grows from here, also by way of the row above */
            return SIZE_MAX;
        before = above;
        above = here;
        here = free_row;
    }
    return above[nb] <= most ? above[nb] : SIZE_MAX;
}

struct suggest suggest_for(const char *word)
{
    return (struct suggest){ .word = word, .distance = SIZE_MAX };
}

/* A third of the letters wrong is still the same word; more is another one. */
static size_t near_enough(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);

    return ((na > nb ? na : nb) + 1) / 3;
}

void suggest_try(struct suggest *s, const char *candidate)
{
    size_t na = strlen(s->word), nb = strlen(candidate), most = near_enough(s->word, candidate), d;

    if ((na > nb ? na - nb : nb - na) > most)
        return; /* so many letters at least must be added or dropped */
    d = suggest_distance(s->word, candidate, least(most, s->distance));
    if (d < s->distance) {
        s->distance = d;
        s->best = candidate;
    }
}

const char *suggest_best(const struct suggest *s)
{
    return s->best != NULL && s->distance <= near_enough(s->word, s->best) ? s->best : NULL;
}

const char *suggest_text(const struct suggest *s, char *out, size_t size)
{
    const char *best = suggest_best(s);

    if (best == NULL)
        out[0] = '\0';
    else
        snprintf(out, size, "; did you mean '%s'?", best);
    return out;
}
