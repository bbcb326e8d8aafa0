/* SPDX-License-Identifier: Apache-2.0
 * The INI reader alone: sections and pairs come in the order of their lines, each text is clean,
 * and what cannot be read is a problem of a line that there is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct seen {
    int line;
    size_t called;
};

static void note(struct seen *s, int line)
{
    if (line < s->line)
        abort();
    s->line = line;
    s->called++;
}

static void clean(const char *text, size_t most)
{
    size_t n = strlen(text);

    if (n > most || strpbrk(text, "\r\n\x7f") != NULL ||
        (n > 0 && (text[0] == ' ' || text[n - 1] == ' ')))
        abort();
}

static void section_cb(void *user, int line, const char *text)
{
    note(user, line);
    if (text != NULL)
        clean(text, INI_SECTION_MAX);
}

static void pair_cb(void *user, int line, const char *key, const char *value)
{
    note(user, line);
    if (key[0] == '\0')
        abort();
    clean(key, INI_LINE_MAX);
    clean(value, INI_LINE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problems problems = { .path = "fuzz" };
    struct seen seen = { 0 };
    const struct ini_sink sink = { section_cb, pair_cb, &seen, &problems };
    int lines = 1;

    for (size_t i = 0; i < n; i++)
        lines += data[i] == '\n';
    ini_read((const char *)data, n, &sink);
    problems_sort(&problems);
    if (seen.line > lines)
        abort();
    for (size_t i = 0; i < problems.n; i++) {
        if (problems.v[i].line < 1 || problems.v[i].line > lines)
            abort();
    }
    problems_clear(&problems);
    return 0;
}
