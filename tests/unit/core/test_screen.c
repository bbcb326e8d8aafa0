/* SPDX-License-Identifier: Apache-2.0 */
#include "core/screen.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void check_wrap(const char *text, size_t column, size_t indent, size_t columns,
                       const char *want, size_t end)
{
    char *got = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&got, &n);

    assert_int_equal(screen_wrap(out, text, column, indent, columns), end);
    fclose(out);
    assert_string_equal(got, want);
    free(got);
}

static void test_breaks_at_blanks_only(void **state)
{
    (void)state;
    check_wrap("one two three", 0, 0, 80, "one two three", 13);
    check_wrap("one two three", 0, 0, 13, "one two three", 13);
    check_wrap("one two three", 0, 0, 12, "one two\nthree", 5);
    check_wrap("one two three", 4, 4, 11, "one two\n    three", 9);
    check_wrap("a-word-that-fits-nowhere x", 0, 2, 10, "a-word-that-fits-nowhere\n  x", 3);
    check_wrap("", 3, 3, 10, "", 3);
}

static void test_line_ends_and_blanks_are_kept(void **state)
{
    (void)state;
    check_wrap("a\nb", 0, 2, 80, "a\n  b", 3);
    check_wrap("a\n\nb", 0, 0, 80, "a\n\nb", 1);
    check_wrap("a  b", 0, 0, 80, "a  b", 4);
}

static void test_a_character_is_a_column(void **state)
{
    (void)state;
    assert_int_equal(screen_width("──", strlen("──")), 2);
    check_wrap("──── ──", 0, 0, 7, "──── ──", 7);
}

static void test_columns(void **state)
{
    FILE *out = fopen("/dev/null", "w");
    int ends[2];

    (void)state;
    unsetenv("COLUMNS");
    assert_int_equal(screen_columns(out), 80);
    setenv("COLUMNS", "132", 1);
    assert_int_equal(screen_columns(out), 132);
    setenv("COLUMNS", "5", 1);
    assert_int_equal(screen_columns(out), 20);
    for (size_t i = 0; i < 5; i++) {
        setenv("COLUMNS", ((const char *const[]){ "", "0", "x", "-3", "999999999999" })[i], 1);
        assert_int_equal(screen_columns(out), 80);
    }
    fclose(out);

    assert_int_equal(pipe(ends), 0);
    out = fdopen(ends[1], "w");
    assert_false(screen_closed(out));
    close(ends[0]);
    assert_true(screen_closed(out));
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_breaks_at_blanks_only),
        cmocka_unit_test(test_line_ends_and_blanks_are_kept),
        cmocka_unit_test(test_a_character_is_a_column),
        cmocka_unit_test(test_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
