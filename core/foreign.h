/* SPDX-License-Identifier: Apache-2.0
 * Text that came from outside (certificates, peers, headers, event files, names of files), made
 * harmless for the place it goes to. The one list of characters that may not get there as they are:
 * C0, DEL and C1 controls, line and paragraph separators, and what turns the direction of writing.
 * source: Unicode Standard Annex #9, 2 "Directional Formatting Characters"
 *         [https://www.unicode.org/reports/tr9/] */
#ifndef CORE_FOREIGN_H
#define CORE_FOREIGN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The character at `s`, of at least one octet: into `*c`, or UINT32_MAX for an octet that is no
 * UTF-8. Returns how many octets it takes. */
size_t foreign_next(const char *s, size_t n, uint32_t *c);
bool foreign_is_harmful(uint32_t c);

/*
 * As one line of text, for terminals and logs: harmful characters become \uXXXX, octets that are no
 * UTF-8 \xXX, U+0000 U+FFFD; what a CI system would take for a command ("##[", "##vso[", "::" at
 * the beginning) is broken up.
 *   out      always ended by NUL; what does not fit is left out, never half a character
 *   returns  the length of `out`
 */
size_t foreign_line(char *out, size_t size, const char *s, size_t n);
/* The same in place, for a text in an array of `size` octets. */
void foreign_clean(char *text, size_t size);
/* The same onto a stream; NULL is nothing. */
void foreign_put(FILE *out, const char *text);

/* fprintf() of one line: all of it is made harmless but for the newline that `fmt` may end with. */
void foreign_printf(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text of several lines: their ends and tabs stay, each line is made harmless. */
void foreign_put_lines(FILE *out, const char *text, size_t n);
/* The same as foreign_line() of allocated text, which is freed; NULL without memory, or of NULL. */
char *foreign_take(char *text);

/* For XML and HTML, in text or between double quotes. */
void foreign_put_markup(FILE *out, const char *text);

/* --- JSON --- */

/* A string of any octets: what is no UTF-8 becomes \xXX, U+0000 U+FFFD. NULL is null. */
json_t *foreign_json(const char *text);
json_t *foreign_json_n(const char *text, size_t n);
/* json_dumps() and json_dumpf(), with harmful characters as \uXXXX: the document means the same,
 * and may be looked at on a terminal. Nothing else in the tree writes JSON. */
char *foreign_dumps(const json_t *json, size_t flags);
int foreign_dumpf(const json_t *json, FILE *out, size_t flags);
/* A whole document, indented, with its newline, flushed. Takes the reference. 0, or -1 (also for
 * NULL, as for a document that memory did not suffice for). */
int foreign_print_document(json_t *json, FILE *out);

#endif
