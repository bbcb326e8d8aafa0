/* SPDX-License-Identifier: Apache-2.0
 * Text that came from outside, made harmless for the place it goes to. */
#include "core/foreign.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#define ONE_MAX 8 /* "\u202e" and a NUL */

static const struct {
    uint32_t from, to;
} harmful[] = {
    { 0x0000, 0x001f }, /* C0 */
    { 0x007f, 0x009f }, /* DEL, C1 */
    { 0x061c, 0x061c }, /* Arabic letter mark */
    { 0x200e, 0x200f }, /* left-to-right and right-to-left mark */
    { 0x2028, 0x202e }, /* line and paragraph separator, embeddings, overrides */
    { 0x2066, 0x2069 }, /* isolates */
};

size_t foreign_next(const char *s, size_t n, uint32_t *c)
{
    ucs4_t code = 0;
    int used = u8_mbtoucr(&code, (const uint8_t *)s, n);

    *c = used > 0 ? code : UINT32_MAX;
    return used > 0 ? (size_t)used : 1;
}

bool foreign_is_harmful(uint32_t c)
{
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++) {
        if (c >= harmful[i].from && c <= harmful[i].to)
            return true;
    }
    return false;
}

/* One character as it stands in a string of JSON or in a line, before quoting. */
static size_t plain(char out[ONE_MAX], const char *s, size_t used, uint32_t c)
{
    if (c == UINT32_MAX)
        return (size_t)snprintf(out, ONE_MAX, "\\x%02x", (unsigned char)*s);
    if (c == 0)
        return (size_t)snprintf(out, ONE_MAX, "\xef\xbf\xbd");
    memcpy(out, s, used);
    return used;
}

/* Does a CI system see a command here? Those with "##" anywhere in a line, "::" where it begins.
 * source: ActionCommand.TryParse and TryParseV2 of the GitHub Actions runner
 * [https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs]; Azure
 * Pipelines, "Logging commands"
 * [https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands]
 */
static bool begins_command(const char *s, size_t n, bool first)
{
    if (n > 2 && s[0] == '#' && s[1] == '#')
        return s[2] == '[' || (n > 5 && memcmp(s + 2, "vso[", 4) == 0);
    return first && n > 2 && s[0] == ':' && s[1] == ':' && /* twice: no address of IPv6 */
           memmem(s + 2, n - 2, "::", 2) != NULL;
}

/* One character for a line; `first`: only blanks came before it. */
static size_t of_line(char out[ONE_MAX], const char *s, size_t n, bool first, size_t *used)
{
    uint32_t c;

    *used = foreign_next(s, n, &c);
    if ((c != 0 && c != UINT32_MAX && foreign_is_harmful(c)) || begins_command(s, n, first))
        return (size_t)snprintf(out, ONE_MAX, "\\u%04x", (unsigned)c & 0xffff);
    return plain(out, s, *used, c);
}

size_t foreign_line(char *out, size_t size, const char *s, size_t n)
{
    bool first = true;
    size_t at = 0;

    if (size == 0)
        return 0;
    while (n > 0) {
        char one[ONE_MAX];
        size_t used, len = of_line(one, s, n, first, &used);

        if (len >= size - at)
            break;
        memcpy(out + at, one, len);
        first &= *s == ' ';
        at += len;
        s += used;
        n -= used;
    }
    out[at] = '\0';
    return at;
}

static bool needs_nothing(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f || *c == '#' || *c == ':')
            return false;
    }
    return true;
}

void foreign_clean(char *text, size_t size)
{
    char *copy = needs_nothing(text) ? NULL : strdup(text);

    if (copy != NULL) {
        foreign_line(text, size, copy, strlen(copy));
        free(copy);
        return;
    }
    for (char *c = text; *c != '\0'; c++) { /* without memory: harmless all the same */
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    }
}

static void put_line(FILE *out, const char *text, size_t n, bool tabs)
{
    bool first = true;
    size_t used;

    for (; n > 0; text += used, n -= used) {
        char one[ONE_MAX];
        size_t len = of_line(one, text, n, first, &used);

        if (tabs && *text == '\t')
            fputc('\t', out);
        else
            fwrite(one, 1, len, out);
        first &= *text == ' ' || *text == '\t';
    }
}

void foreign_put(FILE *out, const char *text)
{
    if (text != NULL)
        put_line(out, text, strlen(text), false);
}

void foreign_put_lines(FILE *out, const char *text, size_t n)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t len = end == NULL ? n : (size_t)(end - text), all = len + (end != NULL);

        put_line(out, text, len - (end != NULL && len > 0 && text[len - 1] == '\r'), true);
        if (end != NULL)
            fputc('\n', out);
        text += all;
        n -= all;
    }
}

void foreign_printf(FILE *out, const char *fmt, ...)
{
    size_t n = strlen(fmt);
    bool line = n > 0 && fmt[n - 1] == '\n';
    char *text = NULL;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (len < 0)
        return;
    put_line(out, text, (size_t)len - line, false);
    if (line)
        fputc('\n', out);
    free(text);
}

char *foreign_take(char *text)
{
    size_t n = text == NULL ? 0 : strlen(text);
    char *out = text == NULL ? NULL : malloc((ONE_MAX - 1) * n + 1);

    if (out != NULL)
        foreign_line(out, (ONE_MAX - 1) * n + 1, text, n);
    free(text);
    return out;
}

void foreign_put_markup(FILE *out, const char *text)
{
    size_t n = text == NULL ? 0 : strlen(text), used;

    for (; n > 0; text += used, n -= used) {
        char one[ONE_MAX];
        size_t len = of_line(one, text, n, false, &used); /* a tag begins the line */

        if (len > 1) /* not of ASCII, or escaped: none of the signs below is in it */
            fwrite(one, 1, len, out);
        else if (*one == '&')
            fputs("&amp;", out);
        else if (*one == '<')
            fputs("&lt;", out);
        else if (*one == '>')
            fputs("&gt;", out);
        else if (*one == '"')
            fputs("&quot;", out);
        else if (*one == '\'')
            fputs("&#39;", out);
        else
            fputc(*one, out);
    }
}

/* --- JSON --- */

json_t *foreign_json_n(const char *text, size_t n)
{
    json_t *j = memchr(text, '\0', n) == NULL ? json_stringn(text, n) : NULL;
    char *out;
    size_t at = 0, used;

    if (j != NULL || (out = malloc(4 * n + 1)) == NULL)
        return j;
    for (; n > 0; text += used, n -= used) {
        char one[ONE_MAX];
        uint32_t c;
        size_t len;

        used = foreign_next(text, n, &c);
        len = plain(one, text, used, c);
        memcpy(out + at, one, len);
        at += len;
    }
    j = json_stringn(out, at);
    free(out);
    return j;
}

json_t *foreign_json(const char *text)
{
    return text == NULL ? json_null() : foreign_json_n(text, strlen(text));
}

/* In a document of jansson's, octets outside strings are ASCII, and of the controls only newlines
 * that indent; within strings it has escaped C0. So what is harmful here is within a string. */
static bool stays(const char *s, size_t n, uint32_t c)
{
    return c == '\n' || c == UINT32_MAX || (!foreign_is_harmful(c) && !begins_command(s, n, false));
}

char *foreign_dumps(const json_t *json, size_t flags)
{
    char *text = json == NULL ? NULL : json_dumps(json, flags), *out;
    size_t n = text == NULL ? 0 : strlen(text), more = 0, used, at = 0;
    uint32_t c;

    for (size_t i = 0; i < n; i += used) {
        used = foreign_next(text + i, n - i, &c);
        more += stays(text + i, n - i, c) ? 0 : 6 - used;
    }
    if (more == 0)
        return text;
    out = malloc(n + more + 1);
    for (size_t i = 0; i < n && out != NULL; i += used) {
        used = foreign_next(text + i, n - i, &c);
        if (stays(text + i, n - i, c)) {
            memcpy(out + at, text + i, used);
            at += used;
        } else {
            at += (size_t)snprintf(out + at, 7, "\\u%04x", (unsigned)c & 0xffff);
        }
    }
    if (out != NULL)
        out[at] = '\0';
    free(text);
    return out;
}

int foreign_dumpf(const json_t *json, FILE *out, size_t flags)
{
    char *text = foreign_dumps(json, flags);
    int rc = text == NULL || fputs(text, out) == EOF ? -1 : 0;

    free(text);
    return rc;
}

int foreign_print_document(json_t *json, FILE *out)
{
    int rc = json == NULL ? -1 : foreign_dumpf(json, out, JSON_INDENT(2));

    fputc('\n', out);
    json_decref(json);
    return rc == 0 && fflush(out) == 0 ? 0 : -1;
}
