/* SPDX-License-Identifier: Apache-2.0
 * Thresholds, states and reasons of one target, in fake time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "targets/health.h"

#define S 1000000ULL

static const struct health_rules usual = {
    .healthy_threshold = 5,
    .unhealthy_threshold = 2,
    .unhealthy_terminates = true,
    .deregistration_us = 300 * S,
};
static const struct health_rules grace = {
    .healthy_threshold = 3,
    .unhealthy_threshold = 2,
    .unhealthy_terminates = false,
    .unhealthy_draining_us = 60 * S,
    .deregistration_us = 300 * S,
};

static int start_clock(void **state)
{
    (void)state;
    clock_fake_set(1000 * S, 0);
    return 0;
}

static int stop_clock(void **state)
{
    (void)state;
    clock_fake_off();
    return 0;
}

static bool check(struct health *h, const struct health_rules *rules, enum check_result result)
{
    clock_fake_advance(30 * S);
    return health_checked(h, rules, result, clock_mono_us());
}

static void expect(const struct health *h, enum health_state state, enum health_reason reason)
{
    assert_string_equal(health_state_name(h->state), health_state_name(state));
    assert_int_equal(h->reason, reason);
}

static struct health registered(void)
{
    struct health h = { 0 };

    assert_true(health_register(&h));
    expect(&h, HEALTH_INITIAL, HEALTH_REASON_REGISTRATION);
    assert_true(health_checking(&h));
    expect(&h, HEALTH_INITIAL, HEALTH_REASON_INITIAL_CHECKS);
    assert_false(health_checking(&h));
    assert_false(health_register(&h));
    return h;
}

static struct health healthy(const struct health_rules *rules)
{
    struct health h = registered();

    assert_true(check(&h, rules, CHECK_PASSED));
    return h;
}

static struct health unhealthy(const struct health_rules *rules)
{
    struct health h = healthy(rules);

    for (uint64_t i = 0; i < rules->unhealthy_threshold; i++)
        (void)check(&h, rules, CHECK_FAILED);
    return h;
}

static void first_passing_check_is_enough(void **state)
{
    struct health h = registered();

    (void)state;
    assert_true(check(&h, &usual, CHECK_PASSED));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
    /* also after a failed one */
    h = registered();
    assert_false(check(&h, &usual, CHECK_FAILED));
    expect(&h, HEALTH_INITIAL, HEALTH_REASON_INITIAL_CHECKS);
    assert_true(check(&h, &usual, CHECK_PASSED));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
}

static void never_healthy(void **state)
{
    struct health h = registered();

    (void)state;
    assert_false(check(&h, &usual, CHECK_FAILED));
    assert_true(check(&h, &usual, CHECK_FAILED));
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
}

static void thresholds_count_in_a_row(void **state)
{
    struct health h = healthy(&usual);

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_false(check(&h, &usual, CHECK_FAILED));
        assert_false(check(&h, &usual, CHECK_PASSED));
    }
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
    assert_false(check(&h, &usual, CHECK_FAILED));
    assert_true(check(&h, &usual, CHECK_FAILED));
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++)
            assert_false(check(&h, &usual, CHECK_PASSED));
        if (round == 0)
            assert_false(check(&h, &usual, CHECK_FAILED));
    }
    assert_true(check(&h, &usual, CHECK_PASSED));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
}

static void grace_period(void **state)
{
    struct health h = unhealthy(&grace);

    (void)state;
    expect(&h, HEALTH_UNHEALTHY_DRAINING, HEALTH_REASON_FAILED_CHECKS);
    assert_false(health_tick(&h, clock_mono_us()));
    assert_false(check(&h, &grace, CHECK_FAILED)); /* 30 s later: nothing new */
    clock_fake_advance(30 * S - 1);
    assert_false(health_tick(&h, clock_mono_us()));
    clock_fake_advance(1);
    assert_true(health_tick(&h, clock_mono_us()));
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
    assert_false(health_tick(&h, clock_mono_us()));
    /* no second grace period without having been healthy */
    assert_false(check(&h, &grace, CHECK_FAILED));
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
}

static void recovery_ends_the_grace_period(void **state)
{
    struct health_rules rules = grace;
    struct health h;

    (void)state;
    rules.unhealthy_draining_us = 3600 * S;
    h = unhealthy(&rules);
    assert_false(check(&h, &rules, CHECK_PASSED));
    assert_false(check(&h, &rules, CHECK_PASSED));
    assert_true(check(&h, &rules, CHECK_PASSED));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
    clock_fake_advance(3600 * S);
    assert_false(health_tick(&h, clock_mono_us()));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
}

static void draining_needs_termination_off(void **state)
{
    struct health_rules rules = grace;
    struct health h;

    (void)state;
    rules.unhealthy_terminates = true;
    h = unhealthy(&rules);
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
    rules = grace;
    rules.unhealthy_draining_us = 0;
    h = unhealthy(&rules);
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
}

static void deregistration(void **state)
{
    struct health h = healthy(&usual);

    (void)state;
    assert_true(health_deregister(&h, &usual, clock_mono_us()));
    expect(&h, HEALTH_DRAINING, HEALTH_REASON_DEREGISTRATION);
    assert_false(health_deregister(&h, &usual, clock_mono_us()));
    assert_false(check(&h, &usual, CHECK_FAILED)); /* 30 s of the 300 */
    expect(&h, HEALTH_DRAINING, HEALTH_REASON_DEREGISTRATION);
    clock_fake_advance(270 * S - 1);
    assert_false(health_tick(&h, clock_mono_us()));
    clock_fake_advance(1);
    assert_true(health_tick(&h, clock_mono_us()));
    expect(&h, HEALTH_UNUSED, HEALTH_REASON_NOT_REGISTERED);
    /* and back */
    assert_true(health_register(&h));
    expect(&h, HEALTH_INITIAL, HEALTH_REASON_REGISTRATION);
}

static void deregistration_of_every_state(void **state)
{
    struct health_rules at_once = usual;
    struct health h = unhealthy(&grace);

    (void)state;
    assert_true(health_deregister(&h, &grace, clock_mono_us()));
    expect(&h, HEALTH_DRAINING, HEALTH_REASON_DEREGISTRATION);
    at_once.deregistration_us = 0;
    h = healthy(&usual);
    assert_true(health_deregister(&h, &at_once, clock_mono_us()));
    expect(&h, HEALTH_UNUSED, HEALTH_REASON_NOT_REGISTERED);
    h = registered();
    assert_true(health_not_in_use(&h));
    assert_true(health_deregister(&h, &usual, clock_mono_us()));
    expect(&h, HEALTH_UNUSED, HEALTH_REASON_NOT_REGISTERED);
}

static void registered_again_while_draining(void **state)
{
    struct health h = healthy(&usual);

    (void)state;
    (void)health_deregister(&h, &usual, clock_mono_us());
    assert_true(health_register(&h));
    expect(&h, HEALTH_INITIAL, HEALTH_REASON_REGISTRATION);
    clock_fake_advance(400 * S);
    assert_false(health_tick(&h, clock_mono_us()));
    assert_true(check(&h, &usual, CHECK_PASSED));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
}

static void not_in_use(void **state)
{
    struct health h = healthy(&usual);

    (void)state;
    assert_true(health_not_in_use(&h));
    assert_false(health_not_in_use(&h));
    expect(&h, HEALTH_UNUSED, HEALTH_REASON_NOT_IN_USE);
    assert_false(check(&h, &usual, CHECK_PASSED));
    assert_true(health_register(&h));
    assert_true(check(&h, &usual, CHECK_PASSED));
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
}

static void what_we_cannot_check_is_unavailable(void **state)
{
    struct health h = healthy(&usual);

    (void)state;
    assert_false(check(&h, &usual, CHECK_BROKEN));
    assert_false(check(&h, &usual, CHECK_PASSED));
    assert_false(check(&h, &usual, CHECK_BROKEN));
    assert_true(check(&h, &usual, CHECK_BROKEN));
    expect(&h, HEALTH_UNAVAILABLE, HEALTH_REASON_INTERNAL_ERROR);
    assert_true(check(&h, &usual, CHECK_PASSED)); /* one is enough, as for a new target */
    expect(&h, HEALTH_HEALTHY, HEALTH_REASON_NONE);
    /* it does not make an unhealthy target better */
    h = unhealthy(&usual);
    for (int i = 0; i < 5; i++)
        assert_false(check(&h, &usual, CHECK_BROKEN));
    expect(&h, HEALTH_UNHEALTHY, HEALTH_REASON_FAILED_CHECKS);
}

static void names_are_those_of_aws(void **state)
{
    (void)state;
    assert_string_equal(health_state_name(HEALTH_UNHEALTHY_DRAINING), "unhealthy.draining");
    assert_string_equal(health_reason_code(HEALTH_REASON_FAILED_CHECKS),
                        "Target.FailedHealthChecks");
    assert_string_equal(health_reason_text(HEALTH_REASON_FAILED_CHECKS), "Health checks failed");
    assert_null(health_reason_code(HEALTH_REASON_NONE));
    for (int s = 0; s < HEALTH_N_STATES; s++)
        assert_non_null(health_state_name((enum health_state)s));
    for (int r = 1; r < HEALTH_N_REASONS; r++)
        assert_true(health_reason_code((enum health_reason)r) != NULL &&
                    health_reason_text((enum health_reason)r) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_passing_check_is_enough),
        cmocka_unit_test(never_healthy),
        cmocka_unit_test(thresholds_count_in_a_row),
        cmocka_unit_test(grace_period),
        cmocka_unit_test(recovery_ends_the_grace_period),
        cmocka_unit_test(draining_needs_termination_off),
        cmocka_unit_test(deregistration),
        cmocka_unit_test(deregistration_of_every_state),
        cmocka_unit_test(registered_again_while_draining),
        cmocka_unit_test(not_in_use),
        cmocka_unit_test(what_we_cannot_check_is_unavailable),
        cmocka_unit_test(names_are_those_of_aws),
    };

    return cmocka_run_group_tests(tests, start_clock, stop_clock);
}
