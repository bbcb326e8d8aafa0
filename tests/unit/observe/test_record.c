/* SPDX-License-Identifier: Apache-2.0
 * The table of ends: every row complete, codes unlike each other, closes that fit the party. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "observe/record.h"

static bool one_of(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

static void rows_are_complete(void **state)
{
    static const char *const parties[] = { "client", "listener", "target", "network", "none" };
    static const char *const places[] = { "hello", "handshake", "connect", "relay", "stop" };

    (void)state;
    for (int i = 0; i < END_N; i++) {
        const struct flow_end_row *row = flow_end_row((enum flow_end)i);

        assert_non_null(row->code);
        assert_non_null(row->text);
        assert_true(one_of(row->party, parties, 5));
        assert_true(one_of(row->where, places, 5));
        assert_in_range(row->metric, 0, METRIC_NONE);
        assert_in_range(row->front, CLOSE_FIN, CLOSE_DRAIN);
        assert_in_range(row->back, CLOSE_FIN, CLOSE_DRAIN);
        /* Scripts match codes: lower snake case. Texts are clauses of a sentence. */
        assert_int_equal(strspn(row->code, "abcdefghijklmnopqrstuvwxyz_"), strlen(row->code));
        assert_true(strlen(row->text) > 10);
        assert_int_not_equal(row->text[strlen(row->text) - 1], '.');
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(row->code, flow_end_row((enum flow_end)j)->code);
            assert_string_not_equal(row->text, flow_end_row((enum flow_end)j)->text);
        }
    }
}

/* Where an end lies decides which metrics it may move (NLB guide, "CloudWatch metrics"), and a
 * failure on the target's side is a reset for the client (github.com/istio/istio, issue 35420). */
static void rows_make_sense(void **state)
{
    (void)state;
    for (int i = 0; i < END_N; i++) {
        const struct flow_end_row *row = flow_end_row((enum flow_end)i);

        if (row->metric == METRIC_CLIENT_TLS_NEGOTIATION_ERRORS)
            assert_true(strcmp(row->where, "hello") == 0 || strcmp(row->where, "handshake") == 0);
        if (row->metric == METRIC_TARGET_TLS_NEGOTIATION_ERRORS)
            assert_string_equal(row->where, "handshake");
        if (row->metric == METRIC_TCP_CLIENT_RESETS)
            assert_string_equal(row->party, "client");
        if (row->metric == METRIC_TCP_TARGET_RESETS)
            assert_string_equal(row->party, "target");
        if (row->metric == METRIC_TCP_ELB_RESETS || row->metric == METRIC_REJECTED_FLOWS)
            assert_string_equal(row->party, "listener");
        if (strcmp(row->party, "target") == 0 || strcmp(row->where, "connect") == 0)
            assert_int_equal(row->front, CLOSE_RST);
        assert_true(i == END_COMPLETED || strcmp(row->party, "none") != 0);
    }
    assert_int_equal(flow_end_row(END_CLIENT_RESET)->back, CLOSE_RST);
    assert_int_equal(flow_end_row(END_TARGET_RESET)->front, CLOSE_RST);
    assert_int_equal(flow_end_row(END_COMPLETED)->metric, METRIC_NONE);
}

static void clearing_frees_and_may_be_repeated(void **state)
{
    struct flow_record r = { .front = calloc(1, sizeof(struct tls_facts)),
                             .back = calloc(1, sizeof(struct tls_facts)) };

    (void)state;
    assert_non_null(r.front);
    assert_non_null(r.back);
    r.back_chain.n = RECORD_CERTS;
    for (size_t i = 0; i < RECORD_CERTS; i++) {
        r.back_chain.at[i].subject = strdup("CN=a");
        r.back_chain.at[i].issuer = strdup("CN=b");
        r.back_chain.at[i].names = i % 2 == 0 ? strdup("a") : NULL;
        r.back_chain.at[i].key = strdup("EC 256");
        r.back_chain.at[i].refusal = i % 2 == 1 ? strdup("odd") : NULL;
    }
    r.validating_client_opinion.error = strdup("no");
    flow_record_clear(&r);
    assert_null(r.front);
    assert_null(r.back);
    assert_int_equal(r.back_chain.n, 0);
    flow_record_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(rows_make_sense),
        cmocka_unit_test(clearing_frees_and_may_be_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
