/* SPDX-License-Identifier: Apache-2.0
 * An INI file, line by line. inih splits the lines; this reader adds what inih keeps quiet about:
 * line numbers, empty sections, and an error for everything that inih would read as something else
 * than what is written (docs/libraries.md). */
#ifndef CORE_INI_H
#define CORE_INI_H

#include <stddef.h>

#include "core/problems.h"

#define INI_LINE_MAX    198 /* characters; inih's buffer holds 200 with line break and terminator */
#define INI_SECTION_MAX 49  /* characters between the brackets; inih cuts longer ones */

/* Each callback may add problems; none can stop the reading. Texts live only during the call. */
struct ini_sink {
    /* `text` is what stands between the brackets, trimmed; NULL when the header cannot be read,
     * and then the keys that follow belong to no known section. */
    void (*section_cb)(void *user, int line, const char *text);
    /* Key and value, trimmed, without comment; the value may be empty. */
    void (*pair_cb)(void *user, int line, const char *key, const char *value);
    void *user;
    struct problems *problems;
};

/* Read `n` bytes of text. Line feeds or CR LF end lines; a UTF-8 byte order mark is skipped. */
void ini_read(const char *text, size_t n, const struct ini_sink *sink);

#endif
