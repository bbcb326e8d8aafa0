/* SPDX-License-Identifier: Apache-2.0
 * Facts, conditions, sentences, and the table of causes: every name is known, every verdict of the
 * judge and every end of a flow has its cause, and what is in order has none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/judge/trust.h"
#include "diagnose/diagnose.h"

static void conditions(void **state)
{
    struct facts *f = facts_new();

    (void)state;
    facts_set(f, "end", "completed");
    facts_set(f, "target.first.text", "HTTP/1.1 400 Bad Request");
    facts_set(f, "alpn", "");
    assert_true(facts_match(f, ""));
    assert_true(facts_match(f, "end"));
    assert_true(facts_match(f, " end=completed "));
    assert_true(facts_match(f, "end=target_reset|completed !alpn"));
    assert_true(facts_match(f, "end!=target_reset alpn!=h2"));
    assert_true(facts_match(f, "target.first.text~400+Bad|502"));
    assert_false(facts_match(f, "alpn"));
    assert_false(facts_match(f, "!end"));
    assert_false(facts_match(f, "end=complete"));
    assert_false(facts_match(f, "end!=target_reset|completed"));
    assert_false(facts_match(f, "alpn=h2"));
    assert_false(facts_match(f, "target.first.text~500"));
    assert_false(facts_match(f, "end=completed alpn"));
    assert_false(facts_bad(f));
    facts_set(f, "no.such.fact", "x");
    assert_true(facts_bad(f));
    facts_free(f);
}

static void says(const struct facts *f, const char *text, const char *want)
{
    char *got = facts_fill(f, text);

    assert_string_equal(got, want);
    free(got);
}

static void sentences(void **state)
{
    struct facts *f = facts_new();

    (void)state;
    facts_set(f, "who", "the target");
    facts_set(f, "chain.n", "2");
    says(f, "plain", "plain");
    says(f, "{Who} and {who}.", "The target and the target.");
    says(f, "a((, {sni}))b(( ({chain.n} of them))).", "ab (2 of them).");
    says(f, "x((; {sni} {who}))", "x");
    says(f, "x(( ({sni})))y", "xy");
    says(f, "{sni}", "?");
    facts_set(f, "sni", "a\033[31m");
    says(f, "{sni}", "a\\u001b[31m"); /* foreign texts are harmless */
    facts_free(f);
}

/* Every {word} and every name in a condition is one of facts.def. */
static void check_words(const char *id, const char *text)
{
    for (const char *at = text; (at = strchr(at, '{')) != NULL; at++) {
        size_t n = strcspn(at + 1, "}");

        if (!facts_known(at + 1, n))
            fail_msg("%s: {%.*s} is no fact", id, (int)n, at + 1);
    }
}

static void check_condition(const struct cause_row *row)
{
    const char *at = row->condition;

    while (*(at += strspn(at, " ")) != '\0') {
        size_t bang = *at == '!', n = strcspn(at + bang, "=~! ");

        if (!facts_known(at + bang, n))
            fail_msg("%s: condition %.*s is no fact", row->id, (int)n, at + bang);
        at += strcspn(at, " ");
    }
}

static void rows(void **state)
{
    (void)state;
    assert_true(cause_n_rows > 100);
    for (size_t i = 0; i < cause_n_rows; i++) {
        const struct cause_row *r = &cause_rows[i];
        const char *const texts[] = { r->hop, r->section, r->key, r->what, r->change, r->next };

        check_condition(r);
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            check_words(r->id, texts[k]);
        assert_true(r->condition[0] != '\0' && r->source[0] != '\0');
        assert_true(strcmp(r->evidence, "documented") == 0 ||
                    strcmp(r->evidence, "reported") == 0 || strcmp(r->evidence, "inferred") == 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(cause_rows[k].id, r->id);
    }
}

static const char *cause_of(const struct facts *f, struct diagnosis *d)
{
    assert_int_equal(diagnose(f, d), 0);
    return d->n == 0 ? "" : d->at[0].id;
}

/* Whatever the judge says has a row of its own, not the last resort. */
static void every_verdict(void **state)
{
    (void)state;
    for (int i = VERDICT_OK + 1; i < VERDICT_N; i++) {
        struct facts *f = facts_new();
        struct diagnosis d;

        facts_set(f, "view", "call");
        facts_set(f, "refusal", verdict_name((enum verdict_code)i));
        facts_set(f, "validated", "target");
        if (strcmp(cause_of(f, &d), "") == 0)
            fail_msg("%s has no cause", verdict_name((enum verdict_code)i));
        assert_true(d.at[0].rank == CAUSE_SURE);
        assert_true(strlen(d.at[0].change) > 5);
        diagnosis_clear(&d);
        facts_free(f);
    }
}

/* Flags that are set, and flags that there are none of, are not advised. */
static void no_advice_to_do_what_is_done(void **state)
{
    static const char *const chains[] = { "chain.self_signed", "chain.root", "chain.gap" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int skip = 0; skip < 2; skip++) {
            struct facts *f = facts_new();
            struct diagnosis d;
            char *text;

            facts_set(f, "view", "call");
            facts_set(f, "refusal", "NO_PATH");
            facts_set(f, chains[i], "CN=x");
            if (skip)
                facts_set(f, "skip", "insecureSkipVerification");
            assert_int_equal(diagnose(f, &d), 0);
            text = diagnosis_text(&d);
            assert_null(strstr(text, "set insecureSkipVerification"));
            free(text);
            diagnosis_clear(&d);
            if (!skip)
                facts_set(f, "skip.advice", "set insecureSkipVerification on the integration");
            assert_int_equal(diagnose(f, &d), 0);
            text = diagnosis_text(&d);
            assert_true((strstr(text, "set insecureSkipVerification") != NULL) == !skip);
            free(text);
            diagnosis_clear(&d);
            facts_free(f);
        }
    }
}

static void in_order(void **state)
{
    struct facts *f = facts_new();
    struct diagnosis d;

    (void)state;
    facts_set(f, "view", "flow");
    facts_set(f, "end", "completed");
    facts_set(f, "protocol", "TCP");
    facts_set(f, "client.first", "http");
    facts_set(f, "target.first", "http");
    facts_set(f, "target.status", "200");
    assert_string_equal(cause_of(f, &d), "");
    facts_set(f, "target.status", "502");
    assert_string_equal(cause_of(f, &d), "TARGET_ANSWERED_FAILURE");
    diagnosis_clear(&d);
    facts_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions), cmocka_unit_test(sentences),
        cmocka_unit_test(rows),       cmocka_unit_test(every_verdict),
        cmocka_unit_test(in_order),   cmocka_unit_test(no_advice_to_do_what_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
