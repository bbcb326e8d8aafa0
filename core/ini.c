/* SPDX-License-Identifier: Apache-2.0
 * The reader around inih: hands it one checked line at a time and knows the number of each. */
#include "core/ini.h"

#include <ini.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "core/foreign.h"

struct reader {
    const char *at, *end;
    int line;
    size_t most;   /* characters of a line that fit into inih's buffer */
    char word[48]; /* the first of the line that inih looks at; empty: the only one */
    bool waiting;  /* inih got a line that should come back as a pair, and has not yet */
    const struct ini_sink *sink;
};

/* One line of the file, without its line break. */
struct line {
    const char *text;
    size_t n;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct line next_line(struct reader *r)
{
    const char *lf = memchr(r->at, '\n', (size_t)(r->end - r->at));
    struct line l = { .text = r->at };
    const char *stop = lf == NULL ? r->end : lf;

    l.n = (size_t)(stop - r->at);
    if (l.n > 0 && lf != NULL && l.text[l.n - 1] == '\r')
        l.n--;
    r->at = lf == NULL ? r->end : lf + 1;
    r->line++;
    return l;
}

static bool is_utf8(struct line l)
{
    json_t *j = json_stringn(l.text, l.n);
    bool ok = j != NULL;

    json_decref(j);
    return ok;
}

static bool check_character(struct reader *r, const char *at, size_t n, size_t column)
{
    uint32_t c;

    foreign_next(at, n, &c);
    if (c == UINT32_MAX || c < 0x80 || !foreign_is_harmful(c))
        return true;
    problems_add(r->sink->problems, r->line,
                 "the invisible control character U+%04X in column %zu; remove it", (unsigned)c,
                 column);
    return false;
}

static bool check_octets(struct reader *r, struct line l)
{
    for (size_t i = 0; i < l.n; i++) {
        unsigned char c = (unsigned char)l.text[i];

        if (c == 0) {
            problems_add(r->sink->problems, r->line,
                         "a NUL byte in column %zu: this is not a text file (or it is UTF-16; "
                         "save it as UTF-8)",
                         i + 1);
            return false;
        }
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            problems_add(r->sink->problems, r->line,
                         "control character 0x%02x in column %zu; remove it", c, i + 1);
            return false;
        }
        if (c >= 0xc2 && !check_character(r, l.text + i, l.n - i, i + 1))
            return false;
    }
    if (!is_utf8(l)) {
        problems_add(r->sink->problems, r->line, "not valid UTF-8; save the file as UTF-8");
        return false;
    }
    return true;
}

static struct line trim(struct line l)
{
    while (l.n > 0 && is_blank(l.text[0])) {
        l.text++;
        l.n--;
    }
    while (l.n > 0 && is_blank(l.text[l.n - 1]))
        l.n--;
    return l;
}

/* "[section]" with nothing but a comment behind it: tell the sink; true when inih may see it. */
static bool take_section(struct reader *r, struct line l)
{
    const char *close = memchr(l.text, ']', l.n);
    char name[INI_LINE_MAX + 1];
    struct line inside, after;

    if (close == NULL || (size_t)(close - l.text) > INI_LINE_MAX) {
        problems_add(r->sink->problems, r->line, "section header '%.*s' has no ']'",
                     (int)(l.n < 60 ? l.n : 60), l.text);
        r->sink->section_cb(r->sink->user, r->line, NULL);
        return false;
    }
    inside = trim((struct line){ l.text + 1, (size_t)(close - l.text) - 1 });
    after = trim((struct line){ close + 1, (size_t)(l.text + l.n - close) - 1 });
    if (inside.n > INI_SECTION_MAX)
        problems_add(r->sink->problems, r->line,
                     "section header of %zu characters; at most %d between the brackets: use a "
                     "shorter name",
                     inside.n, INI_SECTION_MAX);
    if (after.n > 0 && after.text[0] != ';' && after.text[0] != '#')
        problems_add(r->sink->problems, r->line,
                     "'%.*s' after ']'; a section header stands alone on its line",
                     (int)(after.n < 60 ? after.n : 60), after.text);
    memcpy(name, inside.text, inside.n);
    name[inside.n] = '\0';
    r->sink->section_cb(r->sink->user, r->line, inside.n > INI_SECTION_MAX ? NULL : name);
    return inside.n <= INI_SECTION_MAX;
}

/* The first word of a line of several, for when it turns out to be no "key = value". */
static void note_word(struct reader *r, struct line l)
{
    size_t n = 0;

    while (n < l.n && !is_blank(l.text[n]))
        n++;
    r->word[0] = '\0';
    if (n > 0 && n < l.n && n < sizeof r->word) {
        memcpy(r->word, l.text, n);
        r->word[n] = '\0';
    }
}

/* May inih see this line? Problems and section headers are told to the sink. */
static bool admit(struct reader *r, struct line l)
{
    struct line bare = trim(l);

    if (!check_octets(r, l) || bare.n == 0 || bare.text[0] == ';' || bare.text[0] == '#')
        return false;
    if (is_blank(l.text[0])) {
        problems_add(r->sink->problems, r->line,
                     "indented line '%.*s': continued values are not supported; start it in the "
                     "first column (a key that takes several values is repeated)",
                     (int)(bare.n < 60 ? bare.n : 60), bare.text);
        return false;
    }
    if (l.text[0] == '[' && !take_section(r, l))
        return false;
    if (l.n > r->most) {
        problems_add(r->sink->problems, r->line,
                     "line of %zu characters; at most %zu are read: use a path relative to this "
                     "file, repeat the key for more values, or move the comment",
                     l.n, r->most);
        return false;
    }
    r->waiting = l.text[0] != '[';
    note_word(r, bare);
    return true;
}

static void missed(struct reader *r)
{
    if (r->waiting && r->word[0] != '\0')
        problems_add(
            r->sink->problems, r->line,
            "expected 'key = value', a [section] or a comment (; or #); is the '=' missing "
            "behind '%s'?",
            r->word);
    else if (r->waiting)
        problems_add(r->sink->problems, r->line,
                     "expected 'key = value', a [section] or a comment (; or #)");
    r->waiting = false;
}

/* What inih reads lines with, in the manner of fgets(). */
static char *read_line(char *out, int room, void *user)
{
    struct reader *r = user;

    missed(r);
    if (room < 3)
        return NULL;
    r->most = (size_t)room - 2 < INI_LINE_MAX ? (size_t)room - 2 : INI_LINE_MAX;
    while (r->at < r->end) {
        struct line l = next_line(r);

        if (!admit(r, l))
            continue;
        memcpy(out, l.text, l.n);
        out[l.n] = '\n';
        out[l.n + 1] = '\0';
        return out;
    }
    return NULL;
}

static int take_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reader *r = user;

    (void)section; /* cut at 49 characters; the sink knows the whole */
    r->waiting = false;
    if (name[0] == '\0')
        problems_add(r->sink->problems, r->line, "no key before '='");
    else
        r->sink->pair_cb(r->sink->user, r->line, name, value == NULL ? "" : value);
    return 1;
}

/* What AWS's command line prints, say: one sentence instead of one per line. */
static bool begins_with_brace(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r\n", *at) != NULL && *at != '\0')
        at++;
    return at < end && *at == '{';
}

void ini_read(const char *text, size_t n, const struct ini_sink *sink)
{
    struct reader r = { .at = text, .end = text + n, .sink = sink };

    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        r.at += 3;
    if (begins_with_brace(r.at, r.end)) {
        problems_add(sink->problems, 1,
                     "this is JSON, not an INI file: a configuration has [sections] with lines of "
                     "'key = value'");
        return;
    }
    /* An inih built to stop at its first error is called again for the rest. */
    do {
        ini_parse_stream(read_line, &r, take_pair, &r);
        missed(&r);
    } while (r.at < r.end);
}
