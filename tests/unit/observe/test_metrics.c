/* SPDX-License-Identifier: Apache-2.0
 * Counters: one writer, readers on other threads; AWS's names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <pthread.h>

#include "observe/metrics.h"
#include "observe/recent.h"

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
    metric_sub(&m, METRIC_ACTIVE_FLOWS_TCP, 1000);
    assert_int_equal(metric_read(&m, METRIC_ACTIVE_FLOWS_TCP), METRIC_ACTIVE_FLOWS_TCP + 1);
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

static void workers_are_summed_then_kinds(void **state)
{
    static struct metrics a, b;
    struct metrics_view view = { .load_balancer = "net/n/1" };

    (void)state;
    metric_add(&a, METRIC_NEW_FLOWS_TCP, 3);
    metric_add(&b, METRIC_NEW_FLOWS_TCP, 4);
    metric_add(&b, METRIC_NEW_FLOWS_TLS, 5);
    metrics_gather(&view, &a);
    metrics_gather(&view, &b);
    metrics_total(&view);
    assert_int_equal(view.count[METRIC_NEW_FLOWS_TCP], 7);
    assert_int_equal(view.count[METRIC_NEW_FLOWS], 12);
    assert_int_equal(view.count[METRIC_ACTIVE_FLOWS], 0);
}

static void labels_are_escaped(void **state)
{
    const struct metrics_hosts hosts[] = {
        { "targetgroup/g/1", "a\"b\\c\nd", 2, 1 },
    };
    const struct metrics_view view = {
        .load_balancer = "net/n/1", .zone = "z", .hosts = hosts, .n_hosts = 1
    };
    char *text = metrics_prometheus(&view);

    (void)state;
    assert_non_null(strstr(text, "nlb_unhealthy_hosts{load_balancer=\"net/n/1\","
                                 "availability_zone=\"a\\\"b\\\\c\\nd\","
                                 "target_group=\"targetgroup/g/1\"} 1\n"));
    free(text);
}

static void hosts_are_summed_over_zones(void **state)
{
    static const char group[] = "targetgroup/g/1", other[] = "targetgroup/h/2";
    const struct metrics_hosts hosts[] = { { group, "a", 2, 1 },
                                           { group, "b", 3, 0 },
                                           { other, "a", 9, 9 } };
    const struct metrics_view view = {
        .load_balancer = "net/n/1", .zone = "a", .hosts = hosts, .n_hosts = 3
    };
    json_t *doc, *row;
    size_t i, sums = 0, zoned = 0;
    char *text = metrics_cloudwatch(&view);

    (void)state;
    doc = json_loads(text, 0, NULL);
    json_array_foreach(json_object_get(doc, "MetricData"), i, row)
    {
        const char *name = json_string_value(json_object_get(row, "MetricName"));
        json_t *dimensions = json_object_get(row, "Dimensions");

        if (strcmp(name, "HealthyHostCount") != 0)
            continue;
        zoned += json_array_size(dimensions) == 3;
        if (json_array_size(dimensions) == 2 && sums++ == 0)
            assert_int_equal(json_integer_value(json_object_get(row, "Value")), 5);
    }
    assert_int_equal(sums, 2);
    assert_int_equal(zoned, 3);
    json_decref(doc);
    free(text);
}

static void count_lines(struct recent_events *r, uint64_t after, size_t n, uint64_t newest)
{
    uint64_t last;
    char *text = recent_events_text(r, after, &last);
    size_t lines = 0;

    assert_int_equal(last, newest);
    for (char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, n);
    free(text);
}

static void the_last_events_are_kept(void **state)
{
    struct recent_events *r = recent_events_new(SIZE_MAX, NULL);
    uint64_t last;
    char *text;

    (void)state;
    count_lines(r, 0, 0, 0);
    for (int i = 1; i <= RECENT_EVENTS + 10; i++) {
        char line[32];

        snprintf(line, sizeof line, "line %d", i);
        recent_events_add(r, strdup(line));
    }
    count_lines(r, 0, RECENT_EVENTS, RECENT_EVENTS + 10);
    count_lines(r, RECENT_EVENTS + 8, 2, RECENT_EVENTS + 10);
    count_lines(r, RECENT_EVENTS + 10, 0, RECENT_EVENTS + 10);
    count_lines(r, 1000000, RECENT_EVENTS, RECENT_EVENTS + 10); /* of an earlier process */
    text = recent_events_text(r, 0, &last);
    assert_memory_equal(text, "line 11\nline 12\n", 16);
    free(text);
    recent_events_free(r);
    recent_events_free(NULL);
}

static void the_last_events_are_kept_by_bytes(void **state)
{
    struct ceilings ceilings = { 0 };
    struct recent_events *r = recent_events_new(30, &ceilings);
    uint64_t last;
    char *text;

    (void)state;
    for (int i = 1; i <= 3; i++)
        recent_events_add(r, strdup("ten octets"));
    assert_int_equal(ceiling_count(&ceilings, CEILING_RECENT), 0);
    count_lines(r, 0, 3, 3);
    recent_events_add(r, strdup("more"));
    count_lines(r, 0, 3, 4);
    count_lines(r, 1, 3, 4);
    assert_int_equal(ceiling_count(&ceilings, CEILING_RECENT), 1);
    recent_events_add(r, strdup("this is longer than all there may be"));
    count_lines(r, 0, 0, 5);
    recent_events_add(r, strdup("again"));
    text = recent_events_text(r, 0, &last);
    assert_string_equal(text, "again\n");
    free(text);
    assert_int_equal(ceiling_count(&ceilings, CEILING_RECENT), 2);
    recent_events_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(names_are_those_of_the_guide),
        cmocka_unit_test(another_thread_reads_a_rising_count),
        cmocka_unit_test(workers_are_summed_then_kinds),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(hosts_are_summed_over_zones),
        cmocka_unit_test(the_last_events_are_kept),
        cmocka_unit_test(the_last_events_are_kept_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
