/* SPDX-License-Identifier: Apache-2.0
 * All that is wrong with one file, line by line, reported in one go. */
#ifndef CORE_PROBLEMS_H
#define CORE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/arena.h"

struct problem {
    int line; /* 0: the file as a whole */
    const char *text;
};

#define PROBLEMS_MAX 1000 /* that many are kept; a file with more is no configuration */

/* Zero-initialised is empty and ready; problems_clear() when done. */
struct problems {
    struct problem *v;
    size_t n;
    size_t more;      /* how many beyond PROBLEMS_MAX were only counted */
    bool environment; /* the file could not be read, or memory ran out: exit status 3 */
    const char *path; /* what messages begin with */
    struct arena arena;
};

/* One sentence that holds the offending text and the way out; no full stop, no newline. It is
 * made harmless (core/foreign.h). The same sentence for the same line is kept once. */
void problems_add(struct problems *p, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* By line; problems of one line stay in the order they were found. */
void problems_sort(struct problems *p);
/* "FILE:LINE: text" each ("FILE: text" for line 0). */
void problems_print(const struct problems *p, FILE *out);
/* 0 when there are none, 2, or 3 when the environment failed. */
int problems_exit_status(const struct problems *p);
void problems_clear(struct problems *p);

#endif
