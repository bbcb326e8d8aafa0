/* SPDX-License-Identifier: Apache-2.0
 * core/problems.c: order, duplicates, text, exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/problems.h"

static void sorted_by_line_and_stable(void **state)
{
    struct problems p = { .path = "a.ini" };
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    (void)state;
    problems_add(&p, 9, "nine");
    problems_add(&p, 2, "first of two");
    problems_add(&p, 2, "second of %s", "two");
    problems_add(&p, 0, "whole");
    problems_add(&p, 2, "first of two"); /* said before */
    problems_sort(&p);
    problems_print(&p, out);
    fclose(out);
    assert_string_equal(text, "a.ini: whole\n"
                              "a.ini:2: first of two\n"
                              "a.ini:2: second of two\n"
                              "a.ini:9: nine\n");
    free(text);
    assert_int_equal(problems_exit_status(&p), 2);
    problems_clear(&p);
    assert_int_equal(problems_exit_status(&p), 0);
}

static void foreign_text_forges_no_line(void **state)
{
    struct problems p = { .path = "a.ini" };

    (void)state;
    problems_add(&p, 1, "bad '%s'", "x\na.ini:2: \x1b[31mforged\x7f");
    assert_string_equal(p.v[0].text, "bad 'x\\u000aa.ini:2: \\u001b[31mforged\\u007f'");
    problems_clear(&p);
}

static void long_text_is_cut(void **state)
{
    struct problems p = { .path = "a.ini" };
    char text[3000];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = 'x';
    text[sizeof text - 1] = '\0';
    problems_add(&p, 1, "%s", text);
    assert_int_equal(p.n, 1);
    problems_clear(&p);
}

static void a_flood_is_counted(void **state)
{
    struct problems p = { .path = "a.ini" };
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    (void)state;
    for (int i = 1; i <= PROBLEMS_MAX + 7; i++)
        problems_add(&p, i, "bad");
    assert_int_equal(p.n, PROBLEMS_MAX);
    problems_print(&p, out);
    fclose(out);
    assert_non_null(strstr(text, "a.ini: and 7 problems more\n"));
    free(text);
    problems_clear(&p);
}

static void the_environment_counts_more(void **state)
{
    struct problems p = { .path = "a.ini", .environment = true };

    (void)state;
    problems_add(&p, 1, "bad");
    assert_int_equal(problems_exit_status(&p), 3);
    problems_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_by_line_and_stable),
        cmocka_unit_test(foreign_text_forges_no_line),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(a_flood_is_counted),
        cmocka_unit_test(the_environment_counts_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
