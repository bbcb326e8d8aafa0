/* SPDX-License-Identifier: Apache-2.0
 * How wide the reader's screen is, and text laid out for it. */
#ifndef CORE_SCREEN_H
#define CORE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SCREEN_COLUMNS 80 /* when nobody knows */

/* COLUMNS when it is set, as POSIX has it; the width of the terminal that `out` is; otherwise
 * SCREEN_COLUMNS. Never less than 20. */
size_t screen_columns(FILE *out);
/* Print `text` with the cursor at `column`, broken at blanks before `columns`; what follows a break
 * begins at `indent`. '\n' in the text is a break, too. A word that fits nowhere stands whole.
 * Returns the column after the last character. */
size_t screen_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t columns);
/* Columns that UTF-8 text takes, one for each character. */
size_t screen_width(const char *text, size_t n);
/* Has the reader of the pipe `out` gone (`| head -1`)? */
bool screen_closed(FILE *out);

#endif
