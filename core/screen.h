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
/* The same for sentences: SIZE_MAX, that is as long as they are, when `out` is no terminal and
 * COLUMNS is not set. */
size_t screen_sentence_columns(FILE *out);
/* A sentence behind its label, and a line end. It may hold what came from outside. It is broken
 * for a terminal, or when COLUMNS is set; elsewhere (a pipe, a file) it stays on one line, for
 * programs that look for it. */
void screen_sentence(FILE *out, const char *label, const char *text);
/* Has the reader of the pipe `out` gone (`| head -1`)? */
bool screen_closed(FILE *out);

#endif
