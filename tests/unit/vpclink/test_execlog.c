/* SPDX-License-Identifier: Apache-2.0
 * vpclink/execlog.c: the execution log, compared with lines seen in real logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpclink/execlog.h"

#define DATE "Tue Jun 23 02:21:45 UTC 2020 : "
#define WHEN (INT64_C(1592878905) * 1000000)

static struct gateway_task task_of(const char *uri)
{
    struct gateway_task t = { .method = "GET", .api_id = "abc" };

    assert_int_equal(gateway_uri_parse(&t.uri, uri, NULL), 0);
    return t;
}

static void date(void **state)
{
    char out[EXECLOG_DATE_MAX];

    (void)state;
    /* A real line of a user's log. */
    assert_string_equal(execlog_date(WHEN, out), "Tue Jun 23 02:21:45 UTC 2020");
    assert_string_equal(execlog_date(INT64_C(1704164645) * 1000000, out),
                        "Tue Jan 02 03:04:05 UTC 2024");
}

static void request_id(void **state)
{
    char a[37], b[37];

    (void)state;
    execlog_request_id(a);
    execlog_request_id(b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_string_not_equal(a, b);
}

static void expect(const struct gateway_task *task, const struct gateway_result *r,
                   const struct gateway_outcome *o, const char *want)
{
    char *text = execlog_text(task, r, o, "ID");

    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void failure(void **state)
{
    const struct gateway_task t = task_of("https://h.example/p?a=1&b&c=");
    const struct gateway_result r = { .broke = BREAK_CERTIFICATE, .started_wall_us = WHEN };
    struct gateway_outcome o = { .simulated = true, .status = 500 };

    (void)state;
    snprintf(o.error, sizeof o.error, "Execution failed due to configuration error: X");
    expect(&t, &r, &o,
           "Execution log for request ID\n" DATE "Starting execution for request: ID\n" DATE
           "HTTP Method: GET, Resource Path: /p\n" DATE "Method request path: {}\n" DATE
           "Method request query string: {a=1, b=, c=}\n" DATE "Method request headers: {}\n" DATE
           "Method request body before transformations: \n" DATE
           "Endpoint request URI: https://h.example/p?a=1&b&c=\n" DATE
           "Endpoint request headers: {x-amzn-apigateway-api-id=abc, "
           "User-Agent=AmazonAPIGateway_abc, Host=h.example}\n" DATE
           "Endpoint request body after transformations: \n" DATE
           "Sending request to https://h.example/p?a=1&b&c=\n" DATE
           "Execution failed due to configuration error: X\n" DATE
           "Method completed with status: 500\n");
}

/* "Invalid endpoint address" comes before there is an endpoint. */
static void no_endpoint(void **state)
{
    const struct gateway_task t = task_of("https:///");
    const struct gateway_result r = { .broke = BREAK_BAD_ENDPOINT, .started_wall_us = WHEN };
    struct gateway_outcome o = { .simulated = true, .status = 500, .error = "E" };

    (void)state;
    expect(&t, &r, &o,
           "Execution log for request ID\n" DATE "Starting execution for request: ID\n" DATE
           "HTTP Method: GET, Resource Path: /\n" DATE "Method request path: {}\n" DATE
           "Method request query string: {}\n" DATE "Method request headers: {}\n" DATE
           "Method request body before transformations: \n" DATE "E\n" DATE
           "Method completed with status: 500\n");
}

static void success(void **state)
{
    static struct gateway_answer_header headers[] = {
        { (char *)(uintptr_t) "A", (char *)(uintptr_t) "1" },
        { (char *)(uintptr_t) "connection", (char *)(uintptr_t) "close" },
    };
    const struct gateway_task t = task_of("http://h.example/p");
    const struct gateway_result r = { .started_wall_us = WHEN,
                                      .started_us = 1000,
                                      .ended_us = 20999,
                                      .status = 201,
                                      .headers = headers,
                                      .n_headers = 2,
                                      .body = (uint8_t *)(uintptr_t) "x\n\x1b[31my",
                                      .n_body = 8 };
    const struct gateway_outcome o = { .ok = true, .simulated = true, .status = 201 };
    char *text = execlog_text(&t, &r, &o, "ID");
    const char *tail = strstr(text, "Received");

    (void)state;
    assert_non_null(tail);
    assert_string_equal(tail, "Received response. Status: 201, Integration latency: 19 ms\n" DATE
                              "Endpoint response headers: {A=1, connection=close}\n" DATE
                              "Endpoint response body before transformations: x \\u001b[31my\n" DATE
                              "Method response body after transformations: x \\u001b[31my\n" DATE
                              "Method response headers: {A=1}\n" DATE
                              "Successfully completed execution\n" DATE
                              "Method completed with status: 201\n");
    free(text);
}

static void long_things_are_cut(void **state)
{
    static char value[3000], body[5000];
    static struct gateway_answer_header header = { (char *)(uintptr_t) "L", value };
    struct gateway_task t = task_of("http://h/");
    const struct gateway_result r = { .started_wall_us = WHEN,
                                      .status = 200,
                                      .headers = &header,
                                      .n_headers = 1,
                                      .body = (uint8_t *)body,
                                      .n_body = sizeof body - 1 };
    const struct gateway_outcome o = { .ok = true, .simulated = true, .status = 200 };
    char *text, *line;
    size_t lines = 0;

    (void)state;
    memset(value, 'v', sizeof value - 1);
    memset(body, 'b', sizeof body - 1);
    text = execlog_text(&t, &r, &o, "ID");
    assert_non_null(text);
    for (line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++)
        assert_true(strlen(line) <= 1024);
    assert_int_equal(lines, 18);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date),    cmocka_unit_test(request_id),
        cmocka_unit_test(failure), cmocka_unit_test(no_endpoint),
        cmocka_unit_test(success), cmocka_unit_test(long_things_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
