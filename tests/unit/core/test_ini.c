/* SPDX-License-Identifier: Apache-2.0
 * core/ini.c: what it reads, and what it refuses instead of reading it wrongly as inih would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/ini.h"

/* Events as text: "2[section]" and "3 key=value|". */
static void on_section(void *user, int line, const char *text)
{
    fprintf(user, "%d[%s]|", line, text == NULL ? "?" : text);
}

static void on_pair(void *user, int line, const char *key, const char *value)
{
    fprintf(user, "%d %s=%s|", line, key, value);
}

static struct problems problems;
static char *events;

static void read_bytes(const char *text, size_t n)
{
    size_t size;
    FILE *out;

    free(events);
    events = NULL;
    problems_clear(&problems);
    problems.path = "t";
    out = open_memstream(&events, &size);
    struct ini_sink sink = { on_section, on_pair, out, &problems };

    ini_read(text, n, &sink);
    fclose(out);
}

static void read_text(const char *text)
{
    read_bytes(text, strlen(text));
}

static void expect(const char *want)
{
    assert_string_equal(events, want);
    if (problems.n > 0)
        fail_msg("unexpected problem, line %d: %s", problems.v[0].line, problems.v[0].text);
}

static void expect_problem(int line, const char *part)
{
    for (size_t i = 0; i < problems.n; i++) {
        if (problems.v[i].line == line && strstr(problems.v[i].text, part) != NULL)
            return;
    }
    fail_msg("no problem with '%s' on line %d (there are %zu, first: %s)", part, line, problems.n,
             problems.n == 0 ? "none" : problems.v[0].text);
}

static void plain(void **state)
{
    (void)state;
    read_text("; comment\n# comment\n\n[nlb]\nname = x ; why\n a \n");
    expect_problem(6, "indented line 'a'");
    read_text(
        "[nlb]\nname=x\nkey with spaces =  a b\t\nempty =\nhash = a # b\nsemi = a;b\ncolon: c\n");
    expect("1[nlb]|2 name=x|3 key with spaces=a b|4 empty=|5 hash=a # b|6 semi=a;b|7 colon=c|");
}

static void repeated_keys_and_sections(void **state)
{
    (void)state;
    read_text("[a b]\nk=1\nk=2\n[ a b ]\nk=3\n");
    expect("1[a b]|2 k=1|3 k=2|4[a b]|5 k=3|");
}

static void empty_sections_are_seen(void **state)
{
    (void)state;
    read_text("[a]\n[b] ; comment\n[c]# comment\n");
    expect("1[a]|2[b]|3[c]|");
    read_text("[]\n");
    expect("1[]|");
}

static void line_ends_and_byte_order_mark(void **state)
{
    (void)state;
    read_text("\xef\xbb\xbf[a]\r\nk = v\r\n\r\nl = w");
    expect("1[a]|2 k=v|4 l=w|");
    read_text("");
    expect("");
    read_text("\xef\xbb\xbf");
    expect("");
    read_text("[a]\nk = v\rl = w\n");
    expect_problem(2, "control character 0x0d");
}

static void lines_that_are_no_pairs(void **state)
{
    (void)state;
    read_text("[a]\nnonsense\nk=1\nmore nonsense ; = x\n= 5\nlast");
    expect_problem(2, "expected 'key = value'");
    expect_problem(4, "expected 'key = value'");
    expect_problem(5, "no key before '='");
    expect_problem(6, "expected 'key = value'");
    assert_int_equal(problems.n, 4);
    assert_string_equal(events, "1[a]|3 k=1|");
}

static void long_lines(void **state)
{
    char text[1000];
    size_t n;

    (void)state;
    n = (size_t)sprintf(text, "[a]\nk = ");
    memset(text + n, 'x', INI_LINE_MAX - 4);
    strcpy(text + n + INI_LINE_MAX - 4, "\nl = 1\n"); /* as long as allowed */
    read_text(text);
    assert_int_equal(problems.n, 0);
    assert_non_null(strstr(events, "xxx|3 l=1|"));
    assert_int_equal(strlen(events), strlen("1[a]|2 k=|3 l=1|") + INI_LINE_MAX - 4);

    memset(text + n, 'x', INI_LINE_MAX - 3);
    strcpy(text + n + INI_LINE_MAX - 3, "\nl = 1\n"); /* one more */
    read_text(text);
    expect_problem(2, "line of 199 characters; at most 198");
    assert_string_equal(events, "1[a]|3 l=1|");

    text[4] = ';'; /* a comment may be as long as it likes */
    read_text(text);
    expect("1[a]|3 l=1|");
}

static void odd_section_headers(void **state)
{
    (void)state;
    read_text("[a] junk\nk=1\n[b\nl=2\n[c]]\nm=3\n");
    expect_problem(1, "'junk' after ']'");
    expect_problem(3, "'[b' has no ']'");
    expect_problem(5, "']' after ']'");
    assert_string_equal(events, "1[a]|2 k=1|3[?]|4 l=2|5[c]|6 m=3|");

    read_text("[1234567890123456789012345678901234567890123456789]\n"
              "[12345678901234567890123456789012345678901234567890]\nk=1\n");
    assert_int_equal(problems.n, 1);
    expect_problem(2, "section header of 50 characters; at most 49");
    assert_non_null(strstr(events, "|2[?]|3 k=1|"));
}

static void indented_lines_continue_nothing(void **state)
{
    (void)state;
    read_text("[a]\nk = 1\n  l = 2\n\t[b]\n  ; comment\n   \nm = 3\n");
    expect_problem(3, "indented line 'l = 2'");
    expect_problem(4, "indented line '[b]'");
    assert_int_equal(problems.n, 2);
    assert_string_equal(events, "1[a]|2 k=1|7 m=3|");
}

static void bytes_that_are_no_text(void **state)
{
    static const char nul[] = "[a]\nk = a\0b\nl = 1\n";

    (void)state;
    read_bytes(nul, sizeof nul - 1);
    expect_problem(2, "a NUL byte in column 6");
    assert_string_equal(events, "1[a]|3 l=1|");
    read_text("[a]\nk = \x01\nl = \xff\nm = \xc3\xa4\n");
    expect_problem(2, "control character 0x01 in column 5");
    expect_problem(3, "not valid UTF-8");
    assert_string_equal(events, "1[a]|4 m=\xc3\xa4|");
}

static void many_lines_keep_their_numbers(void **state)
{
    enum { LINES = 5000 };
    char *text = malloc(LINES * 8), *at = text;

    (void)state;
    for (int i = 1; i <= LINES; i++)
        at += sprintf(at, i % 1000 == 0 ? "bad\n" : "k = 1\n");
    read_text(text);
    assert_int_equal(problems.n, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(problems.v[i].line, (i + 1) * 1000);
    free(text);
}

static int done(void **state)
{
    (void)state;
    free(events);
    problems_clear(&problems);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(repeated_keys_and_sections),
        cmocka_unit_test(empty_sections_are_seen),
        cmocka_unit_test(line_ends_and_byte_order_mark),
        cmocka_unit_test(lines_that_are_no_pairs),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(odd_section_headers),
        cmocka_unit_test(indented_lines_continue_nothing),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(many_lines_keep_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
