/* SPDX-License-Identifier: Apache-2.0
 * Stories of events: every way to fail has one, words are filled in, the same is told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "explain/explain.h"
#include "observe/record.h"

static bool policy(const char *name, const char *what, char *out, size_t size)
{
    if (strcmp(name, "P") != 0)
        return false;
    snprintf(out, size, "the %s that P has", what);
    return true;
}

static enum explained line(struct explain *x, const char *text, const struct story **story)
{
    return explain_line(x, text, strlen(text), story);
}

static void every_failure_has_a_story(void **state)
{
    static const enum flow_end fine[] = { END_COMPLETED, END_STOPPED, END_CLIENT_NO_HELLO };
    struct explain *x = explain_new(policy);

    (void)state;
    for (int i = 0; i < END_N; i++) {
        const struct story *story;
        bool is_fine = false;
        char text[256];

        for (size_t j = 0; j < sizeof fine / sizeof fine[0]; j++)
            is_fine = is_fine || fine[j] == (enum flow_end)i;
        snprintf(text, sizeof text, "{\"protocol\":\"TLS\",\"end\":{\"code\":\"%s\"}}",
                 flow_end_row((enum flow_end)i)->code);
        if (line(x, text, &story) != (is_fine ? EXPLAIN_FINE : EXPLAIN_STORY))
            fail_msg("%s", text);
        if (is_fine)
            continue;
        assert_non_null(story);
        assert_null(strchr(story->what, '{')); /* every word is known */
        assert_null(strchr(story->todo, '{'));
        assert_true(strlen(story->what) > 20 && strlen(story->todo) > 5);
    }
    explain_free(x);
}

#define REFUSED                                                                                    \
    "{\"flow\":%d,\"time\":\"2026-01-01T00:00:0%dZ\",\"listener\":\"https\",\"protocol\":\"TLS\"," \
    "\"client\":\"10.0.0.%d:4%d\",\"front\":{\"policy\":\"P\",\"offer\":{\"sni\":\"a.test\","      \
    "\"versions\":[\"GREASE\",\"TLSv1.1\"]},\"served\":{\"certificate\":\"lab:x/y\",\"subject\":"  \
    "\"CN=y\",\"rule\":\"exact name\"},\"alert_received\":{\"level\":\"fatal\",\"number\":48,"     \
    "\"name\":\"unknown_ca\"}},\"end\":{\"code\":\"%s\",\"party\":\"client\",\"metric\":"          \
    "\"ClientTLSNegotiationErrorCount\"}}"

static void the_same_story_is_counted(void **state)
{
    struct explain *x = explain_new(policy);
    const struct story *story = NULL;
    json_t *doc, *first;
    char text[1024], *json;

    (void)state;
    for (int i = 1; i <= 8; i++) {
        snprintf(text, sizeof text, REFUSED, i, i, i, i, "client_tls_refused");
        assert_int_equal(line(x, text, &story), EXPLAIN_STORY);
    }
    assert_int_equal(story->count, 8);
    assert_int_equal(story->n_clients, EXPLAIN_CLIENTS);
    assert_int_equal(story->more, 3);
    assert_string_equal(story->first, "2026-01-01T00:00:01Z");
    assert_string_equal(story->last, "2026-01-01T00:00:08Z");
    assert_int_equal(story->flow, 1);
    assert_non_null(strstr(story->what, "alert 48 unknown_ca"));
    assert_non_null(strstr(story->what, "lab:x/y (CN=y)"));
    assert_non_null(strstr(story->what, "asked for a.test"));
    assert_non_null(strstr(story->access_log, "field 12"));
    snprintf(text, sizeof text, REFUSED, 9, 9, 9, 9, "listener_no_version");
    assert_int_equal(line(x, text, &story), EXPLAIN_STORY);
    assert_non_null(strstr(story->what, "offers TLSv1.1, the policy P wants the versions that P"));
    json = explain_json(x);
    doc = json_loads(json, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(doc, "failed")), 9);
    first = json_array_get(json_object_get(doc, "stories"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "count")), 8);
    json_decref(doc);
    free(json);
    explain_free(x);
}

static void passed_alerts_are_stories_of_tcp_listeners(void **state)
{
    struct explain *x = explain_new(NULL);
    const struct story *story;

    (void)state;
    assert_int_equal(
        line(x,
             "{\"listener\":\"p\",\"protocol\":\"TCP\",\"back\":{\"target\":\"1.2.3.4:5\"},"
             "\"observed\":{\"alert_from_client\":{\"level\":\"fatal\",\"number\":45,\"name\":"
             "\"certificate_expired\"},\"certificates\":[{\"subject\":\"CN=t\\u0007\"}]},"
             "\"end\":{\"code\":\"completed\"}}",
             &story),
        EXPLAIN_STORY);
    assert_string_equal(story->code, "pass_client_alert");
    assert_string_equal(story->who, "client");
    assert_non_null(strstr(story->what, "presented CN=t\\u0007.")); /* no control characters */
    assert_non_null(strstr(story->access_log, "TCP listeners are not logged"));
    /* close_notify is no failure */
    assert_int_equal(line(x,
                          "{\"protocol\":\"TCP\",\"observed\":{\"alert_from_client\":{\"level\":"
                          "\"warning\",\"number\":0}},\"end\":{\"code\":\"completed\"}}",
                          &story),
                     EXPLAIN_FINE);
    explain_free(x);
}

static void target_failures_say_that_the_log_is_silent(void **state)
{
    struct explain *x = explain_new(policy);
    const struct story *story;

    (void)state;
    (void)line(x,
               "{\"listener\":\"l\",\"protocol\":\"TLS\",\"back\":{\"target\":\"1.2.3.4:5\","
               "\"policy\":\"P\",\"alert_received\":{\"number\":112,\"name\":\"unrecognized_name\"}"
               "},\"end\":{\"code\":\"target_tls_refused\",\"party\":\"target\"}}",
               &story);
    assert_memory_equal(story->access_log, "NOT shown", 9);
    assert_non_null(strstr(story->what, "insists on a server name"));
    assert_non_null(strstr(story->todo, "TCP listener"));
    explain_free(x);
}

static void rubbish_is_unreadable(void **state)
{
    static const char *const bad[] = { "", "{", "[]", "null", "{\"end\":1}", "{}", "\xff\xfe" };
    struct explain *x = explain_new(policy);
    const struct story *story;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(line(x, bad[i], &story), EXPLAIN_UNREADABLE);
    /* fields of other kinds than they should be */
    assert_int_equal(line(x,
                          "{\"front\":[],\"back\":3,\"listener\":{},\"client\":7,\"time\":[],"
                          "\"end\":{\"code\":\"client_tls_refused\",\"party\":1,\"metric\":[]}}",
                          &story),
                     EXPLAIN_STORY);
    explain_free(x);
    explain_free(NULL);
}

static void stories_are_bounded(void **state)
{
    struct explain *x = explain_new(policy);
    const struct story *story;
    char text[200];

    (void)state;
    for (int i = 0; i < EXPLAIN_STORIES_MAX + 5; i++) {
        snprintf(text, sizeof text, "{\"listener\":\"l%d\",\"end\":{\"code\":\"no_target\"}}", i);
        assert_int_equal(line(x, text, &story), EXPLAIN_STORY);
        assert_int_equal(story == NULL, i >= EXPLAIN_STORIES_MAX);
    }
    explain_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_a_story),
        cmocka_unit_test(the_same_story_is_counted),
        cmocka_unit_test(passed_alerts_are_stories_of_tcp_listeners),
        cmocka_unit_test(target_failures_say_that_the_log_is_silent),
        cmocka_unit_test(rubbish_is_unreadable),
        cmocka_unit_test(stories_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
