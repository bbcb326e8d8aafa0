/* SPDX-License-Identifier: Apache-2.0
 * Facts by name, conditions over them, and sentences with them. */
#include "diagnose/facts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"

#define FACT_TEXT_MAX 1200

static const char *const names[] = {
#define FACT(name, meaning) name,
#include "diagnose/facts.def"
#undef FACT
};
#define N_NAMES (sizeof names / sizeof names[0])

struct facts {
    struct fact {
        const char *name; /* of the table */
        char *text;
    } at[N_NAMES];
    size_t n;
    bool bad;
};

/* --- the list --- */
static const char *find_name(const char *name, size_t n)
{
    for (size_t i = 0; i < N_NAMES; i++) {
        if (strlen(names[i]) == n && tolower((unsigned char)name[0]) == names[i][0] &&
            strncmp(names[i] + 1, name + 1, n - 1) == 0)
            return names[i];
    }
    return NULL;
}

bool facts_known(const char *name, size_t n)
{
    return n > 0 && find_name(name, n) != NULL;
}

struct facts *facts_new(void)
{
    return calloc(1, sizeof(struct facts));
}

void facts_free(struct facts *f)
{
    for (size_t i = 0; f != NULL && i < f->n; i++)
        free(f->at[i].text);
    free(f);
}

static const char *get(const struct facts *f, const char *name, size_t n)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].text != NULL && strlen(f->at[i].name) == n &&
            strncmp(f->at[i].name + 1, name + 1, n - 1) == 0 &&
            f->at[i].name[0] == tolower((unsigned char)name[0]))
            return f->at[i].text;
    }
    return NULL;
}

const char *facts_get(const struct facts *f, const char *name)
{
    return get(f, name, strlen(name));
}

bool facts_is(const struct facts *f, const char *name, const char *text)
{
    const char *known = facts_get(f, name);

    return known != NULL && strcmp(known, text) == 0;
}

bool facts_bad(const struct facts *f)
{
    return f->bad;
}

static struct fact *slot(struct facts *f, const char *name)
{
    const char *known = find_name(name, strlen(name));

    for (size_t i = 0; i < f->n; i++) {
        if (f->at[i].name == known)
            return &f->at[i];
    }
    if (known == NULL) {
        f->bad = true;
        return NULL;
    }
    f->at[f->n] = (struct fact){ .name = known };
    return &f->at[f->n++];
}

void facts_set(struct facts *f, const char *name, const char *text)
{
    char shown[6 * FACT_TEXT_MAX + 1];
    struct fact *at;

    if (text == NULL || text[0] == '\0' || (at = slot(f, name)) == NULL)
        return;
    foreign_line(shown, sizeof shown, text, strnlen(text, FACT_TEXT_MAX));
    free(at->text);
    at->text = strdup(shown);
    f->bad |= at->text == NULL;
}

void facts_setf(struct facts *f, const char *name, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        f->bad = true;
    else
        facts_set(f, name, text);
    va_end(ap);
    free(text);
}

void facts_flag(struct facts *f, const char *name, bool holds)
{
    if (holds)
        facts_set(f, name, "yes");
    else
        facts_forget(f, name);
}

void facts_forget(struct facts *f, const char *name)
{
    struct fact *at = slot(f, name);

    if (at == NULL)
        return;
    free(at->text);
    at->text = NULL;
}

/* --- conditions --- */
/* Is `text` (or, with `part`, some part of it) the `n` bytes at `want`, where '+' is a blank? */
static bool same_text(const char *text, const char *want, size_t n, bool part)
{
    size_t length = strlen(text);

    for (size_t at = 0; at + n <= length; at++) {
        size_t i = 0;

        while (i < n && text[at + i] == (want[i] == '+' ? ' ' : want[i]))
            i++;
        if (i == n && (part || n == length))
            return true;
        if (!part)
            break;
    }
    return false;
}

static bool one_of(const char *text, const char *list, size_t n, bool part)
{
    for (size_t at = 0; at <= n;) {
        size_t length = 0;

        while (at + length < n && list[at + length] != '|')
            length++;
        if (same_text(text, list + at, length, part))
            return true;
        at += length + 1;
    }
    return false;
}

static bool term_holds(const struct facts *f, const char *term, size_t n)
{
    bool not_known = term[0] == '!';
    const char *name = term + not_known, *text;
    size_t length = 0, after;

    n -= not_known;
    while (length < n && strchr("=~!", name[length]) == NULL)
        length++;
    text = get(f, name, length);
    if (length == n)
        return (text == NULL) == not_known;
    after = length + (name[length] == '!' ? 2 : 1);
    if (name[length] == '!')
        return text == NULL || !one_of(text, name + after, n - after, false);
    return text != NULL && one_of(text, name + after, n - after, name[length] == '~');
}

bool facts_match(const struct facts *f, const char *condition)
{
    for (const char *at = condition + strspn(condition, " "); *at != '\0';) {
        size_t n = strcspn(at, " ");

        if (!term_holds(f, at, n))
            return false;
        at += n;
        at += strspn(at, " ");
    }
    return true;
}

/* --- sentences --- */
static void put_text(FILE *out, const char *text, bool capital)
{
    if (capital && text[0] != '\0')
        fputc(toupper((unsigned char)*text++), out);
    fputs(text, out);
}

/* One run of text without optional parts. False when a fact is missing; then `missing` stands. */
static bool put_run(const struct facts *f, const char *text, size_t n, FILE *out)
{
    bool all = true;

    for (size_t at = 0; at < n;) {
        size_t plain = 0, length = 0;
        const char *known;

        while (at + plain < n && text[at + plain] != '{')
            plain++;
        fwrite(text + at, 1, plain, out);
        at += plain;
        if (at == n)
            break;
        while (at + 1 + length < n && text[at + 1 + length] != '}')
            length++;
        known = get(f, text + at + 1, length);
        all = all && known != NULL;
        put_text(out, known != NULL ? known : "?", isupper((unsigned char)text[at + 1]));
        at += length + 2;
    }
    return all;
}

/* The part is written apart, for it may have to be left out. */
static void put_part(const struct facts *f, const char *text, size_t n, FILE *out)
{
    char *part = NULL;
    size_t size = 0;
    FILE *apart = open_memstream(&part, &size);
    bool all;

    if (apart == NULL)
        return;
    all = put_run(f, text, n, apart);
    if (fclose(apart) == 0 && all)
        fputs(part, out);
    free(part);
}

/* Where the part ends that begins at `open`: of ")))" the first closes what stands inside. */
static const char *part_end(const char *open)
{
    const char *close = strstr(open, "))");

    while (close != NULL && close[2] == ')')
        close++;
    return close;
}

char *facts_fill(const struct facts *f, const char *text)
{
    char *filled = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&filled, &size);

    if (out == NULL)
        return NULL;
    while (*text != '\0') {
        const char *open = strstr(text, "(("), *close = open == NULL ? NULL : part_end(open);

        if (close == NULL)
            open = text + strlen(text);
        put_run(f, text, (size_t)(open - text), out);
        if (close == NULL)
            break;
        put_part(f, open + 2, (size_t)(close - open - 2), out);
        text = close + 2;
    }
    if (fclose(out) != 0) {
        free(filled);
        return NULL;
    }
    return filled;
}
