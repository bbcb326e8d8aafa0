/* SPDX-License-Identifier: Apache-2.0
 * vpclink/texts.c: what API Gateway writes and answers for each way a call can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vpclink/texts.h"

#define CE "Execution failed due to configuration error: "
#define NE "Execution failed due to a network error communicating with endpoint: "

static struct gateway_outcome word(enum gateway_break broke, const char *alert,
                                   const struct gateway_wording *w)
{
    struct gateway_result r = { .broke = broke, .accepts = "TLS12" };
    struct gateway_outcome out;

    snprintf(r.alert, sizeof r.alert, "%s", alert);
    gateway_word(&r, w, &out);
    return out;
}

static void check(enum gateway_break broke, const char *alert, unsigned status, const char *error,
                  const char *body, const char *evidence)
{
    const struct gateway_outcome out = word(broke, alert, &(struct gateway_wording){ 0 });

    assert_false(out.ok);
    assert_true(out.simulated);
    assert_int_equal(out.status, status);
    assert_string_equal(out.error, error);
    assert_string_equal(out.body, body);
    assert_string_equal(out.evidence, evidence);
    assert_true(out.source[0] != '\0');
}

/* The error texts, as users have posted them from their execution logs. */
static void documented_and_reported(void **state)
{
    const char *const ise = "{\"message\": \"Internal server error\"}";
    const char *const net = "{\"message\": \"Network error communicating with endpoint\"}";
    const char *const late = "{\"message\": \"Endpoint request timed out\"}";

    (void)state;
    assert_int_equal(strlen(ise), 36); /* Content-Length values seen in a user's log */
    assert_int_equal(strlen(net), 56);
    check(BREAK_BAD_ENDPOINT, "", 500, CE "Invalid endpoint address", ise, "documented");
    check(BREAK_UNREACHABLE, "", 500, CE "There was an internal error while executing your request",
          ise, "documented");
    check(BREAK_CLOSED, "", 504, NE "Connection is closed", net, "reported");
    check(BREAK_RESET, "", 504, NE "Connection reset by peer", net, "reported");
    check(BREAK_LINK_ERROR, "", 500, "Execution failed due to an vpc link error", ise, "reported");
    check(BREAK_ANSWER_TIMEOUT, "", 504, "Execution failed due to a timeout error", late,
          "documented");
    check(BREAK_HANDSHAKE_TIMEOUT, "", 504, "Execution failed due to a timeout error", late,
          "inferred");
    check(BREAK_ALERT, "handshake_failure", 500, CE "Received fatal alert: handshake_failure", ise,
          "inferred");
    check(BREAK_ALERT_UNKNOWN, "-1", 500, CE "Unknown alert description (-1)", ise, "inferred");
    check(BREAK_WARNING, "unrecognized_name", 500,
          CE "received handshake warning: unrecognized_name", ise, "inferred");
    check(BREAK_CLOSE_NOTIFY, "", 500, CE "Received close_notify during handshake", ise,
          "inferred");
    check(BREAK_NOT_TLS, "", 500, CE "Unrecognized SSL message, plaintext connection?", ise,
          "inferred");
    check(BREAK_VERSION, "TLS10", 500,
          CE "The server selected protocol version TLS10 is not accepted by client preferences "
             "[TLS12]",
          ise, "inferred");
}

static void handshake_break_is_a_setting(void **state)
{
    const struct gateway_wording w = { .handshake_break = HANDSHAKE_BREAK_NETWORK };
    struct gateway_outcome out;

    (void)state;
    out = word(BREAK_HANDSHAKE_CLOSED, "", &w);
    assert_int_equal(out.status, 504);
    assert_string_equal(out.error, NE "Connection is closed");
    out = word(BREAK_ALERT, "unknown_ca", &w);
    assert_int_equal(out.status, 504);
    assert_string_equal(out.error, NE "Received fatal alert: unknown_ca");
    out = word(BREAK_CERTIFICATE, "", &w); /* nothing that the peer breaks off */
    assert_int_equal(out.status, 500);
}

static void certificates_carry_the_judges_text(void **state)
{
    struct gateway_result r = { .broke = BREAK_CERTIFICATE, .judged = true };
    struct gateway_wording w = { 0 };
    struct gateway_outcome out;

    (void)state;
    snprintf(r.verdict.error, sizeof r.verdict.error, "PKIX path building failed: x");
    r.verdict.evidence = "documented";
    r.verdict.source = "s";
    gateway_word(&r, &w, &out);
    assert_string_equal(out.error, CE "PKIX path building failed: x");
    assert_string_equal(out.evidence, "documented");
    w.wording = WORDING_CLASSIC;
    gateway_word(&r, &w, &out);
    assert_string_equal(out.error, CE "General SSLEngine problem");
    r.broke = BREAK_HOST_NAME; /* told after the handshake, so it always had its own words */
    gateway_word(&r, &w, &out);
    assert_string_equal(out.error, CE "PKIX path building failed: x");
}

static void http_apis(void **state)
{
    const struct gateway_wording w = { .http_api = true };
    struct gateway_outcome out = word(BREAK_UNREACHABLE, "", &w);

    (void)state;
    assert_int_equal(out.status, 500);
    assert_string_equal(out.body, "{\"message\":\"Internal Server Error\"}");
    assert_int_equal(strlen(out.body), 35);
    assert_string_equal(out.evidence, "inferred");
    out = word(BREAK_CLOSED, "", &w);
    assert_int_equal(out.status, 503);
    assert_string_equal(out.body, "{\"message\":\"Service Unavailable\"}");
    assert_int_equal(strlen(out.body), 33);
}

static void answers_pass(void **state)
{
    struct gateway_result r = { .broke = BREAK_NONE, .status = 418 };
    const struct gateway_wording w = { 0 };
    struct gateway_outcome out;

    (void)state;
    gateway_word(&r, &w, &out);
    assert_true(out.ok);
    assert_int_equal(out.status, 418);
    assert_string_equal(out.error, "");
    assert_null(out.body);
}

/* Each row has what its class needs, and every break can be worded. */
static void every_row(void **state)
{
    (void)state;
    for (int i = 0; i < BREAK_N; i++) {
        struct gateway_result r = { .broke = (enum gateway_break)i };

        r.verdict.evidence = "inferred";
        r.verdict.source = "s";
        for (int http = 0; http < 2; http++) {
            const struct gateway_wording w = { .http_api = http != 0 };
            struct gateway_outcome out;

            gateway_word(&r, &w, &out);
            assert_non_null(out.evidence);
            assert_null(strchr(out.error, '{'));
            assert_true(out.ok || out.error[0] != '\0');
            assert_true(out.ok || !out.simulated || out.status >= 500);
            assert_true(out.ok || !out.simulated || out.body != NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_and_reported),
        cmocka_unit_test(handshake_break_is_a_setting),
        cmocka_unit_test(certificates_carry_the_judges_text),
        cmocka_unit_test(http_apis),
        cmocka_unit_test(answers_pass),
        cmocka_unit_test(every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
