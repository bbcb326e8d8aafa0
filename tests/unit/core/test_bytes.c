/* SPDX-License-Identifier: Apache-2.0
 * The checked cursor: values in network order, and what a read past the end does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/bytes.h"

static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

static void reads_network_order(void **state)
{
    struct bytes b = bytes_of(data, sizeof data);

    (void)state;
    assert_int_equal(bytes_u8(&b), 1);
    assert_int_equal(bytes_u16(&b), 0x0203);
    assert_int_equal(bytes_u24(&b), 0x040506);
    assert_int_equal(bytes_u24(&b), 0x070809);
    assert_int_equal(bytes_u8(&b), 0x0a);
    assert_int_equal(b.left, 0);
    assert_false(b.bad);
}

static void past_the_end_everything_fails(void **state)
{
    struct bytes b = bytes_of(data, 3);

    (void)state;
    assert_int_equal(bytes_u16(&b), 0x0102);
    assert_int_equal(bytes_u16(&b), 0);
    assert_true(b.bad);
    assert_int_equal(b.left, 0);
    assert_int_equal(bytes_u8(&b), 0); /* though a byte had been there */
    assert_int_equal(bytes_u16(&b), 0);
    assert_int_equal(bytes_u24(&b), 0);
    assert_true(bytes_take(&b, 0).bad);
    assert_true(bytes_vec(&b, 1).bad);
}

static void vectors_of_each_width(void **state)
{
    static const uint8_t one[] = { 2, 'a', 'b', 'c' }, two[] = { 0, 2, 'a', 'b', 'c' },
                         three[] = { 0, 0, 2, 'a', 'b', 'c' };
    struct bytes b[] = { bytes_of(one, sizeof one), bytes_of(two, sizeof two),
                         bytes_of(three, sizeof three) };

    (void)state;
    for (unsigned width = 1; width <= 3; width++) {
        struct bytes v = bytes_vec(&b[width - 1], width);

        assert_true(bytes_eq(v, "ab", 2));
        assert_int_equal(b[width - 1].left, 1);
        assert_int_equal(bytes_u8(&b[width - 1]), 'c');
    }
}

static void a_vector_that_promises_too_much_is_bad(void **state)
{
    static const uint8_t lying[] = { 5, 'a', 'b' };
    struct bytes b = bytes_of(lying, sizeof lying), v = bytes_vec(&b, 1);

    (void)state;
    assert_true(v.bad);
    assert_true(b.bad);
    assert_int_equal(v.left, 0);
    assert_false(bytes_eq(v, "", 0));
    b = bytes_of(lying, 0);
    assert_true(bytes_vec(&b, 3).bad);
}

static void equal_means_whole(void **state)
{
    struct bytes b = bytes_of("abc", 3), none = bytes_of(NULL, 0);

    (void)state;
    assert_true(bytes_eq(b, "abc", 3));
    assert_false(bytes_eq(b, "abcd", 4));
    assert_false(bytes_eq(b, "ab", 2));
    assert_false(bytes_eq(b, "abd", 3));
    assert_true(bytes_eq(none, "", 0));
    assert_int_equal(bytes_take(&none, 0).left, 0);
    assert_false(none.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_network_order),
        cmocka_unit_test(past_the_end_everything_fails),
        cmocka_unit_test(vectors_of_each_width),
        cmocka_unit_test(a_vector_that_promises_too_much_is_bad),
        cmocka_unit_test(equal_means_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
