/* SPDX-License-Identifier: Apache-2.0
 * Counters: one writer, readers on other threads; AWS's names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "observe/metrics.h"

static void counts(void **state)
{
    static struct metrics m;

    (void)state;
    for (int i = 0; i < METRIC_N; i++) {
        assert_int_equal(metric_read(&m, (enum metric)i), 0);
        metric_add(&m, (enum metric)i, (uint64_t)i + 1);
        metric_add(&m, (enum metric)i, 1000);
    }
    metric_add(&m, METRIC_NONE, 5); /* counts nowhere, harms nothing */
    for (int i = 0; i < METRIC_N; i++)
        assert_int_equal(metric_read(&m, (enum metric)i), i + 1001);
    assert_int_equal(m.active_flows, 0);
}

static void names_are_those_of_the_guide(void **state)
{
    (void)state;
    assert_null(metric_name(METRIC_NONE));
    for (int i = 0; i < METRIC_N; i++) {
        const char *name = metric_name((enum metric)i);

        assert_non_null(name);
        assert_true(name[0] >= 'A' && name[0] <= 'Z');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, metric_name((enum metric)j));
    }
    assert_string_equal(metric_name(METRIC_CLIENT_TLS_NEGOTIATION_ERRORS),
                        "ClientTLSNegotiationErrorCount");
    assert_string_equal(metric_name(METRIC_TARGET_TLS_NEGOTIATION_ERRORS),
                        "TargetTLSNegotiationErrorCount");
    assert_string_equal(metric_name(METRIC_TCP_CLIENT_RESETS), "TCP_Client_Reset_Count");
}

#define TIMES 200000

static void *add(void *arg)
{
    for (int i = 0; i < TIMES; i++)
        metric_add(arg, METRIC_NEW_FLOWS_TCP, 1);
    return NULL;
}

static void another_thread_reads_a_rising_count(void **state)
{
    static struct metrics m;
    uint64_t last = 0, now;
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, add, &m), 0);
    do {
        now = metric_read(&m, METRIC_NEW_FLOWS_TCP);
        assert_true(now >= last);
        last = now;
    } while (now < TIMES);
    pthread_join(t, NULL);
    assert_int_equal(metric_read(&m, METRIC_NEW_FLOWS_TCP), TIMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(names_are_those_of_the_guide),
        cmocka_unit_test(another_thread_reads_a_rising_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
