/* SPDX-License-Identifier: Apache-2.0
 * core/suggest.c: distances and what counts as near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/suggest.h"

static void distances(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("", "", SIZE_MAX), 0);
    assert_int_equal(suggest_distance("", "abc", SIZE_MAX), 3);
    assert_int_equal(suggest_distance("abc", "", SIZE_MAX), 3);
    assert_int_equal(suggest_distance("listen", "listen", SIZE_MAX), 0);
    assert_int_equal(suggest_distance("LISTEN", "listen", SIZE_MAX), 0);
    assert_int_equal(suggest_distance("lisetn", "listen", SIZE_MAX), 1); /* neighbours swapped */
    assert_int_equal(suggest_distance("listner", "listener", SIZE_MAX), 1);
    assert_int_equal(suggest_distance("kitten", "sitting", SIZE_MAX), 3);
    assert_int_equal(suggest_distance("ca", "abc", SIZE_MAX), 3);
    assert_int_equal(suggest_distance("kitten", "sitting", 3), 3);
    assert_true(suggest_distance("kitten", "sitting", 2) == SIZE_MAX);
    assert_int_equal(suggest_distance("xy", "yx", 1), 1); /* the row between them is no nearer */
}

static void best_of_several(void **state)
{
    struct suggest s = suggest_for("tcp.idle_timeout.secnds");
    char text[96];

    (void)state;
    suggest_try(&s, "target_group");
    suggest_try(&s, "tcp.idle_timeout.seconds");
    suggest_try(&s, "tls_error");
    assert_string_equal(suggest_best(&s), "tcp.idle_timeout.seconds");
    assert_string_equal(suggest_text(&s, text, sizeof text),
                        "; did you mean 'tcp.idle_timeout.seconds'?");
}

static void nothing_near(void **state)
{
    struct suggest s = suggest_for("banana");
    char text[96] = "x";

    (void)state;
    assert_null(suggest_best(&s));
    suggest_try(&s, "target_group");
    assert_null(suggest_best(&s));
    assert_string_equal(suggest_text(&s, text, sizeof text), "");
}

static void long_words(void **state)
{
    char a[400], b[400];

    (void)state;
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = 'x';
    a[399] = b[399] = '\0';
    b[0] = 'y';
    assert_int_equal(suggest_distance(a, b, SIZE_MAX), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(best_of_several),
        cmocka_unit_test(nothing_near),
        cmocka_unit_test(long_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
