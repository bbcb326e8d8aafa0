/* SPDX-License-Identifier: Apache-2.0
 * core/arena.c: blocks, copies, growing arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arena.h"

static void copies(void **state)
{
    struct arena a = { 0 };

    (void)state;
    assert_string_equal(arena_strdup(&a, "text"), "text");
    assert_string_equal(arena_strndup(&a, "text", 2), "te");
    assert_string_equal(arena_strndup(&a, "", 0), "");
    arena_clear(&a);
    assert_null(a.blocks);
    arena_clear(&a);
}

static void arrays_grow_and_stay_zeroed(void **state)
{
    struct arena a = { 0 };
    struct {
        int number, zero;
    } *items = NULL;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        void *slot = arena_append(&a, &items, &n, sizeof *items);

        assert_non_null(slot);
        assert_ptr_equal(slot, &items[i]);
        assert_int_equal(items[i].number, 0);
        assert_int_equal(items[i].zero, 0);
        items[i].number = i;
    }
    assert_int_equal(n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i].number, i);
    arena_clear(&a);
}

static void impossible_sizes(void **state)
{
    struct arena a = { 0 };
    void *items = NULL;
    size_t n = 2;

    (void)state;
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_append(&a, &items, &n, SIZE_MAX / 2));
    assert_int_equal(n, 2);
    arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(arrays_grow_and_stay_zeroed),
        cmocka_unit_test(impossible_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
