/* SPDX-License-Identifier: Apache-2.0
 * Foreign text: one table of nasty strings through every escaping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/err.h"
#include "core/foreign.h"
#include "core/problems.h"

#define TEXT(s) s, sizeof s - 1

/* What is given, as a line, as markup, and what a JSON reader gets back. */
static const struct nasty {
    const char *given;
    size_t n;
    const char *line, *markup, *json;
} table[] = {
    /* clang-format off */
    { TEXT("plain text, Z\xc3\xbcrich \xe6\x97\xa5"), "plain text, Z\xc3\xbcrich \xe6\x97\xa5", NULL, NULL },
    { TEXT("a\nb\rc\td"), "a\\u000ab\\u000dc\\u0009d", NULL, "a\nb\rc\td" },
    { TEXT("\x1b]0;pwned\x07\x1b[31m"), "\\u001b]0;pwned\\u0007\\u001b[31m", NULL, "\x1b]0;pwned\x07\x1b[31m" },
    { TEXT("\x7f"), "\\u007f", NULL, "\x7f" },
    { TEXT("\xc2\x80\xc2\x9b" "31m\xc2\x9f\xc2\xa0"), "\\u0080\\u009b31m\\u009f\xc2\xa0", NULL, NULL },
    { TEXT("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae"), "\\u202a\\u202b\\u202c\\u202d\\u202e", NULL, NULL },
    { TEXT("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9"), "\\u2066\\u2067\\u2068\\u2069", NULL, NULL },
    { TEXT("\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c"), "\\u200e\\u200f\\u061c", NULL, NULL },
    { TEXT("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029", NULL, NULL },
    { TEXT("a\0b"), "a\xef\xbf\xbd" "b", NULL, "a\xef\xbf\xbd" "b" },
    { TEXT("\xc0\x80"), "\\xc0\\x80", NULL, "\\xc0\\x80" },                   /* overlong */
    { TEXT("\xed\xa0\x80"), "\\xed\\xa0\\x80", NULL, "\\xed\\xa0\\x80" },     /* a surrogate */
    { TEXT("\xf5\x80\x80\x80\xff"), "\\xf5\\x80\\x80\\x80\\xff", NULL, "\\xf5\\x80\\x80\\x80\\xff" },
    { TEXT("cut \xe2\x82"), "cut \\xe2\\x82", NULL, "cut \\xe2\\x82" },
    { TEXT("\x9b" "31m"), "\\x9b31m", NULL, "\\x9b31m" },                     /* C1 as one octet */
    { TEXT("<script>alert('x')</script>&\"{{7*7}}"), "<script>alert('x')</script>&\"{{7*7}}",
      "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;{{7*7}}", NULL },
    { TEXT("##[error]x ##vso[task.setvariable]y ## x"), "\\u0023#[error]x \\u0023#vso[task.setvariable]y ## x", NULL, NULL },
    { TEXT("::error file=a::b"), "\\u003a:error file=a::b", NULL, NULL },
    { TEXT("  ::set-env name=a::b"), "  \\u003a:set-env name=a::b", NULL, NULL },
    { TEXT("x ::error::b"), "x ::error::b", NULL, NULL }, /* a command begins its line */
    { TEXT("::ffff:192.0.2.1"), "::ffff:192.0.2.1", NULL, NULL },
    { TEXT(""), "", NULL, NULL },
    /* clang-format on */
};
#define TABLE_N (sizeof table / sizeof table[0])

static char *printed(void (*put)(FILE *, const char *), const char *text)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    put(f, text);
    fclose(f);
    return out;
}

static void as_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLE_N; i++) {
        const struct nasty *t = &table[i];
        char out[256], again[256], *text;

        assert_int_equal(foreign_line(out, sizeof out, t->given, t->n), strlen(t->line));
        assert_string_equal(out, t->line);
        foreign_line(again, sizeof again, out, strlen(out)); /* twice is once */
        assert_string_equal(again, t->line);
        if (memchr(t->given, '\0', t->n) != NULL)
            continue;
        text = printed(foreign_put, t->given);
        assert_string_equal(text, t->line);
        free(text);
        memcpy(out, t->given, t->n + 1);
        foreign_clean(out, sizeof out);
        assert_string_equal(out, t->line);
        text = foreign_take(strdup(t->given));
        assert_string_equal(text, t->line);
        free(text);
    }
}

static void cut_between_characters(void **state)
{
    static const char text[] = "a\x1b\xe6\x97\xa5z";
    static const size_t lengths[] = { 0, 1, 1, 1, 1, 1, 1, 7, 7, 7, 10, 11 };

    (void)state;
    for (size_t size = 1; size <= sizeof lengths / sizeof lengths[0]; size++) {
        char out[16];

        memset(out, 'x', sizeof out);
        assert_int_equal(foreign_line(out, size, text, sizeof text - 1), lengths[size - 1]);
        assert_int_equal(out[lengths[size - 1]], '\0');
        assert_int_equal(out[size], 'x');
    }
}

static void as_markup(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLE_N; i++) {
        const struct nasty *t = &table[i];
        char *text;

        if (memchr(t->given, '\0', t->n) != NULL)
            continue;
        text = printed(foreign_put_markup, t->given);
        if (t->given[0] != ':' && t->given[0] != ' ') /* a tag begins the line */
            assert_string_equal(text, t->markup != NULL ? t->markup : t->line);
        free(text);
    }
}

static void as_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLE_N; i++) {
        const struct nasty *t = &table[i];
        json_t *j = foreign_json_n(t->given, t->n), *list, *back;
        const char *want = t->json != NULL ? t->json : t->given;
        char *text;

        assert_string_equal(json_string_value(j), want);
        list = json_pack("{s:[o]}", "list", j);
        for (size_t indent = 0; indent < 2; indent++) {
            text = foreign_dumps(list, JSON_INDENT(indent));
            for (size_t k = 0, used; text[k] != '\0'; k += used) { /* what is in it is harmless */
                uint32_t c;

                used = foreign_next(text + k, strlen(text + k), &c);
                assert_true(c == '\n' || (c != UINT32_MAX && !foreign_is_harmful(c)));
            }
            assert_null(strstr(text, "##["));
            back = json_loads(text, 0, NULL);
            assert_true(json_equal(list, back)); /* and it means the same */
            json_decref(back);
            free(text);
        }
        json_decref(list);
    }
    assert_true(json_is_null(foreign_json(NULL)));
    assert_null(foreign_dumps(NULL, 0));
}

static void lines_keep_their_ends(void **state)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    (void)state;
    foreign_put_lines(f, TEXT("a\tb\r\n::error::x\n\x1b[2J\rz\n\n\0end"));
    fclose(f);
    assert_string_equal(out, "a\tb\n\\u003a:error::x\n\\u001b[2J\\u000dz\n\n\xef\xbf\xbd"
                             "end");
    free(out);
    f = open_memstream(&out, &n);
    foreign_printf(f, "%d %s|%s\n", 7, "a\nb\n", "\x1b");
    foreign_printf(f, "%s", "x\n");
    fclose(f);
    assert_string_equal(out, "7 a\\u000ab\\u000a|\\u001b\nx\\u000a");
    free(out);
}

static void errors_and_problems_are_lines(void **state)
{
    struct problems p = { .path = "a\nb.ini" };
    struct err err = { 0 };
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    (void)state;
    err_set(&err, ERR_FORMAT, "CN=%s", "x\n::error::y\xc2\x9b");
    err_prefix(&err, "%s", "dir/\x1b");
    assert_string_equal(err.text, "dir/\\u001b: CN=x\\u000a::error::y\\u009b");
    problems_add(&p, 3, "bad '%s'", "\xe2\x80\xae\n");
    problems_print(&p, f);
    fclose(f);
    assert_string_equal(out, "a\\u000ab.ini:3: bad '\\u202e\\u000a'\n");
    problems_clear(&p);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_line),
        cmocka_unit_test(cut_between_characters),
        cmocka_unit_test(as_markup),
        cmocka_unit_test(as_json),
        cmocka_unit_test(lines_keep_their_ends),
        cmocka_unit_test(errors_and_problems_are_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
