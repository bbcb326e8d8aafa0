/* SPDX-License-Identifier: Apache-2.0
 * A turn's budget, and what others see of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/turn.h"

static void the_budget_ends(void **state)
{
    (void)state;
    assert_true(turn_take(TURN_BUDGET * 10)); /* outside a turn everything is free */
    assert_false(turn_spent());
    turn_begin("a test", 0, NULL);
    for (unsigned i = 0; i < TURN_BUDGET / TURN_COST_READ; i++) {
        assert_true(turn_take(TURN_COST_READ));
        assert_false(turn_spent());
    }
    assert_false(turn_take(TURN_COST_RECORD));
    assert_true(turn_spent());
    turn_begin("a test", 0, NULL);
    assert_false(turn_spent());
    assert_true(turn_take(TURN_BUDGET));
    assert_false(turn_take(1));
    turn_end();
    assert_false(turn_spent());
    assert_true(turn_take(1));
}

static void others_see_where_it_is(void **state)
{
    struct turn t = { 0 };

    (void)state;
    turn_tell(&t);
    turn_begin("a test", 7, "begun");
    assert_string_equal(t.doing, "a test");
    assert_string_equal(t.state, "begun");
    assert_int_equal(t.flow, 7);
    assert_int_equal(t.rounds, 1);
    turn_state("going on");
    assert_string_equal(t.state, "going on");
    turn_end();
    assert_null(t.doing);
    turn_begin("another", 0, NULL);
    assert_int_equal(t.rounds, 2);
    assert_null(t.state);
    turn_end();
    turn_tell(NULL);
    turn_begin("untold", 0, NULL);
    assert_int_equal(t.rounds, 2);
    turn_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_ends),
        cmocka_unit_test(others_see_where_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
