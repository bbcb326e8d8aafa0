/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab: every profile, seeds, dates, stores, revocation, and that "valid" is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "certs/lab/lab.h"
#include "certs/lab/lab_issue.h"
#include "certs/lab/profiles.h"
#include "certs/x509/parse.h"
#include "core/clock.h"

#define NOW  1795000000 /* 2026-11-18 */
#define DAY  86400
#define HOST "api.example.com"

static struct cert_lab *new_lab(const char *seed)
{
    struct err err = { 0 };
    struct cert_lab *lab = cert_lab_new(seed, NOW, &err);

    if (lab == NULL)
        fail_msg("%s", err.text);
    return lab;
}

static struct cert_lab_item issue(struct cert_lab *lab, const char *profile, const char *host)
{
    struct cert_lab_item item;
    struct err err = { 0 };

    if (cert_lab_issue(lab, profile, host, &item, &err) != 0)
        fail_msg("%s/%s: %s", profile, host, err.text);
    return item;
}

static void every_profile_gives_the_chain_of_its_row(void **state)
{
    struct cert_lab *lab = new_lab("rows");

    (void)state;
    for (size_t i = 0; i < lab_n_profiles; i++) {
        const struct lab_profile *p = &lab_profiles[i];
        const char *words[LAB_WORDS_MAX];
        struct cert_lab_item item, other;
        struct err err = { 0 };
        char buf[256];
        size_t n = lab_profile_chain(p, buf, sizeof buf, words);

        if (issue_key_is_large_rsa(p->key))
            continue; /* a second each; the behaviour tests have them */
        item = issue(lab, p->name, HOST);
        assert_int_equal(item.chain_len, n);
        for (size_t k = 1; k < n; k++) {
            assert_int_equal(cert_lab_authority(lab, words[k], HOST, &other, &err), 0);
            assert_ptr_equal(item.chain[k].at, other.chain[0].at);
        }
    }
    cert_lab_free(lab);
}

static void rows_name_authorities_that_exist(void **state)
{
    (void)state;
    for (size_t i = 0; i < lab_n_profiles; i++) {
        const struct lab_profile *p = &lab_profiles[i];
        const char *words[LAB_WORDS_MAX];
        struct err err = { 0 };
        char buf[256];
        size_t n = lab_profile_chain(p, buf, sizeof buf, words);

        assert_non_null(p->wrong);
        assert_non_null(p->hop);
        assert_non_null(p->source);
        assert_non_null(lab_store_find(p->store, &err));
        assert_string_equal(words[0], "leaf");
        for (size_t k = 1; k < n; k++)
            assert_non_null(lab_authority_find(words[k]));
        if (strcmp(lab_profile_issuer(p), "leaf") != 0)
            assert_non_null(lab_authority_find(lab_profile_issuer(p)));
        if (p->key_of != NULL)
            assert_non_null(lab_profile_find(p->key_of, &err));
    }
    for (size_t i = 0; i < lab_n_authorities; i++) {
        if (lab_authorities[i].issuer != NULL)
            assert_non_null(lab_authority_find(lab_authorities[i].issuer));
    }
    for (size_t i = 0; i < lab_n_stores; i++) {
        const char *words[LAB_WORDS_MAX];
        char buf[256];
        size_t n = lab_words(lab_stores[i].members, buf, sizeof buf, words);

        assert_true(n > 0);
        for (size_t k = 0; k < n; k++)
            assert_non_null(lab_authority_find(words[k]));
    }
}

static void a_seed_repeats_everything_in_any_order(void **state)
{
    static const char *const profiles[] = { "valid", "expired", "name-constraints-excluded",
                                            "rsa-1024", "long-chain-5" };
    struct cert_lab *a = new_lab("same"), *b = new_lab("same"), *c = new_lab("other");
    size_t n = sizeof profiles / sizeof profiles[0];

    (void)state;
    for (size_t i = 0; i < n; i++)
        issue(a, profiles[i], HOST);
    for (size_t i = n; i-- > 0;) {
        struct cert_lab_item x = issue(a, profiles[i], HOST), y = issue(b, profiles[i], HOST);
        struct cert_lab_item z = issue(c, profiles[i], HOST);

        for (size_t k = 0; k < x.chain_len; k++) {
            assert_true(der_span_eq(x.chain[k], y.chain[k]));
            assert_false(der_span_eq(x.chain[k], z.chain[k]));
        }
    }
    cert_lab_free(a);
    cert_lab_free(b);
    cert_lab_free(c);
}

static void without_a_seed_nothing_repeats(void **state)
{
    struct cert_lab *a = new_lab(NULL), *b = new_lab(NULL);
    struct cert_facts *x, *y;
    struct cert_lab_item p = issue(a, "valid", HOST), q = issue(b, "valid", HOST);

    (void)state;
    x = cert_facts_new(p.chain[0].at, p.chain[0].len);
    y = cert_facts_new(q.chain[0].at, q.chain[0].len);
    assert_false(der_span_eq(x->spki, y->spki));
    assert_false(der_span_eq(x->serial, y->serial));
    cert_facts_free(x);
    cert_facts_free(y);
    cert_lab_free(a);
    cert_lab_free(b);
}

static void nothing_is_issued_twice(void **state)
{
    struct cert_lab *lab = new_lab(NULL);
    struct cert_lab_item a = issue(lab, "valid", HOST), b = issue(lab, "valid", HOST);

    (void)state;
    assert_ptr_equal(a.chain[0].at, b.chain[0].at);
    assert_ptr_equal(a.key, b.key);
    cert_lab_free(lab);
}

static struct cert_facts *leaf_of(struct cert_lab *lab, const char *profile)
{
    struct cert_lab_item item = issue(lab, profile, HOST);

    return cert_facts_new(item.chain[0].at, item.chain[0].len);
}

static void dates_count_from_the_labs_now(void **state)
{
    struct cert_lab *lab = new_lab("dates");
    struct cert_facts *f = leaf_of(lab, "expired");

    (void)state;
    assert_int_equal(f->not_after_utc, NOW - 30 * DAY);
    cert_facts_free(f);
    f = leaf_of(lab, "not-yet-valid");
    assert_int_equal(f->not_before_utc, NOW + 30 * DAY);
    cert_facts_free(f);
    f = leaf_of(lab, "stage-client");
    assert_int_equal(f->not_after_utc - f->not_before_utc, 365 * DAY);
    cert_facts_free(f);
    cert_lab_free(lab);
}

static void stage_client_has_api_gateways_shape(void **state)
{
    struct cert_lab *lab = new_lab("stage");
    struct cert_facts *f = leaf_of(lab, "stage-client");
    char name[128];

    (void)state;
    assert_int_equal(f->version, 3);
    assert_int_equal(f->n_extensions, 0);
    assert_int_equal(f->key, CERT_KEY_RSA);
    assert_int_equal(f->key_bits, 2048);
    assert_string_equal(f->sig_algorithm, "SHA256withRSA");
    assert_true(f->self_issued);
    assert_int_equal(f->serial.len, 8);
    assert_string_equal(cert_name_text(f->subject, CERT_STYLE_JAVA, name, sizeof name),
                        "CN=ApiGateway, L=Seattle, C=US");
    cert_facts_free(f);
    cert_lab_free(lab);
}

static void a_mistyped_profile_is_answered_with_the_nearest(void **state)
{
    struct cert_lab *lab = new_lab(NULL);
    struct cert_lab_item item;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(cert_lab_issue(lab, "exipred", HOST, &item, &err), -1);
    assert_non_null(strstr(err.text, "did you mean 'expired'?"));
    assert_int_equal(err.code, ERR_CONFIG);
    cert_lab_free(lab);
}

static void hosts_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = { "",
                                       "a b",
                                       "b\xc3\xbc"
                                       "cher.example",
                                       "a/b",
                                       "a\nb",
                                       "a,b",
                                       "CN=x" };
    struct cert_lab *lab = new_lab(NULL);
    char longest[300];

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
        struct cert_lab_item item;
        struct err err = { 0 };
        const char *host = i < sizeof bad / sizeof bad[0] ? bad[i] : longest;

        assert_int_equal(cert_lab_issue(lab, "valid", host, &item, &err), -1);
        assert_non_null(strstr(err.text, "host name"));
    }
    cert_lab_free(lab);
}

/* --- "valid" always verifies --- */

static uint32_t rolls = 1;

static uint32_t roll(uint32_t sides)
{
    rolls = rolls * 1664525U + 1013904223U;
    return (rolls >> 8) % sides;
}

static void random_host(char *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ";
    size_t n = 0, labels = 1 + roll(8);

    for (size_t i = 0; i < labels; i++) {
        size_t len = 1 + roll(24);

        if (i > 0)
            out[n++] = '.';
        for (size_t k = 0; k < len; k++)
            out[n++] =
                k > 0 && k + 1 < len && roll(9) == 0 ? '-' : letters[roll(sizeof letters - 1)];
    }
    out[n] = '\0';
}

static void valid_verifies_for_any_host(void **state)
{
    struct cert_lab *lab = new_lab("property");
    struct der_span anchors[CERT_LAB_CHAIN_MAX];
    struct err err = { 0 };
    mbedtls_x509_crt root;
    size_t n;

    (void)state;
    assert_int_equal(cert_lab_store(lab, "public", anchors, &n, &err), 0);
    mbedtls_x509_crt_init(&root);
    assert_int_equal(mbedtls_x509_crt_parse_der(&root, anchors[0].at, anchors[0].len), 0);
    for (int i = 0; i < 150; i++) {
        char host[LAB_HOST_MAX];
        struct cert_lab_item item;
        mbedtls_x509_crt chain;
        uint32_t flags = 0;

        random_host(host);
        item = issue(lab, "valid", host);
        mbedtls_x509_crt_init(&chain);
        for (size_t k = 0; k < item.chain_len; k++)
            assert_int_equal(
                mbedtls_x509_crt_parse_der(&chain, item.chain[k].at, item.chain[k].len), 0);
        if (mbedtls_x509_crt_verify(&chain, &root, NULL, host, &flags, NULL, NULL) != 0)
            flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
        if (flags != 0)
            fail_msg("%s: flags 0x%x", host, flags);
        mbedtls_x509_crt_free(&chain);
    }
    mbedtls_x509_crt_free(&root);
    cert_lab_free(lab);
}

/* --- keys, revocation, requests --- */

static void keys_made_ahead_are_the_same_keys(void **state)
{
    const struct lab_profile *wanted[2];
    struct cert_lab *ahead = new_lab("ahead"), *now = new_lab("ahead");
    struct err err = { 0 };

    (void)state;
    wanted[0] = lab_profile_find("rsa-1024", &err);
    wanted[1] = lab_profile_find("rsa-1024-intermediate", &err);
    assert_int_equal(cert_lab_prepare(ahead, wanted, 2, HOST, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        struct cert_lab_item a = issue(ahead, wanted[i]->name, HOST);
        struct cert_lab_item b = issue(now, wanted[i]->name, HOST);

        assert_true(der_span_eq(a.chain[0], b.chain[0]));
        assert_true(der_span_eq(a.chain[1], b.chain[1]));
    }
    cert_lab_free(ahead);
    cert_lab_free(now);
}

static void a_lab_can_go_while_threads_make_keys(void **state)
{
    const struct lab_profile *wanted[1];
    struct cert_lab *lab = new_lab(NULL);
    struct err err = { 0 };

    (void)state;
    wanted[0] = lab_profile_find("rsa-2048", &err);
    assert_int_equal(cert_lab_prepare(lab, wanted, 1, HOST, &err), 0);
    cert_lab_free(lab);
}

static bool is_revoked(struct cert_lab *lab, const char *authority, const char *profile)
{
    struct cert_lab_item item = issue(lab, profile, HOST);
    mbedtls_x509_crt crt;
    mbedtls_x509_crl crl;
    struct err err = { 0 };
    uint8_t *der = NULL;
    size_t len;
    bool revoked;

    if (cert_lab_crl(lab, authority, &der, &len, &err) != 0)
        fail_msg("%s", err.text);
    mbedtls_x509_crt_init(&crt);
    mbedtls_x509_crl_init(&crl);
    assert_int_equal(mbedtls_x509_crt_parse_der(&crt, item.chain[0].at, item.chain[0].len), 0);
    assert_int_equal(mbedtls_x509_crl_parse_der(&crl, der, len), 0);
    revoked = mbedtls_x509_crt_is_revoked(&crt, &crl) != 0;
    mbedtls_x509_crt_free(&crt);
    mbedtls_x509_crl_free(&crl);
    free(der);
    return revoked;
}

static void the_list_names_what_is_revoked_and_nothing_else(void **state)
{
    struct cert_lab *lab = new_lab(NULL);

    (void)state;
    assert_false(is_revoked(lab, "issuing", "valid"));
    assert_true(is_revoked(lab, "issuing", "revoked"));
    assert_false(is_revoked(lab, "issuing", "valid"));
    assert_true(is_revoked(lab, "private-issuing", "client-revoked"));
    assert_false(is_revoked(lab, "issuing", "client-revoked"));
    cert_lab_free(lab);
}

static void a_certificate_by_flags(void **state)
{
    static const char *const names[] = { "one.example", "10.0.0.1", "2001:db8::1" };
    struct cert_lab_request r = {
        .label = "mine",
        .authority = "private-issuing",
        .key_kind = ISSUE_KEY_EC384,
        .cert = { .subject = "CN=one.example",
                  .md = MBEDTLS_MD_SHA384,
                  .not_before_utc = NOW,
                  .not_after_utc = NOW + 5 * DAY,
                  .basic = ISSUE_BASIC_NOT_CA,
                  .path_len = -1,
                  .eku = ISSUE_EKU_BOTH,
                  .names = names,
                  .n_names = 3,
                  .key_ids = true },
    };
    struct cert_lab *lab = new_lab(NULL);
    struct cert_lab_item item;
    struct cert_facts *f;
    struct err err = { 0 };
    char text[64];

    (void)state;
    assert_int_equal(cert_lab_issue_request(lab, &r, &item, &err), 0);
    assert_int_equal(item.chain_len, 2);
    f = cert_facts_new(item.chain[0].at, item.chain[0].len);
    assert_string_equal(f->refusal, "");
    assert_int_equal(f->key_bits, 384);
    assert_int_equal(f->n_sans, 3);
    assert_string_equal(cert_general_name_text(&f->sans[1], text, sizeof text), "10.0.0.1");
    assert_int_equal(f->sans[2].kind, CERT_NAME_IP);
    assert_int_equal(f->n_eku, 2);
    assert_int_equal(f->not_after_utc, NOW + 5 * DAY);
    cert_facts_free(f);
    assert_int_equal(cert_lab_issue_request(lab, &r, &item, &err), -1); /* same label again */
    cert_lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_gives_the_chain_of_its_row),
        cmocka_unit_test(rows_name_authorities_that_exist),
        cmocka_unit_test(a_seed_repeats_everything_in_any_order),
        cmocka_unit_test(without_a_seed_nothing_repeats),
        cmocka_unit_test(nothing_is_issued_twice),
        cmocka_unit_test(dates_count_from_the_labs_now),
        cmocka_unit_test(stage_client_has_api_gateways_shape),
        cmocka_unit_test(a_mistyped_profile_is_answered_with_the_nearest),
        cmocka_unit_test(hosts_that_are_none_are_refused),
        cmocka_unit_test(valid_verifies_for_any_host),
        cmocka_unit_test(keys_made_ahead_are_the_same_keys),
        cmocka_unit_test(a_lab_can_go_while_threads_make_keys),
        cmocka_unit_test(the_list_names_what_is_revoked_and_nothing_else),
        cmocka_unit_test(a_certificate_by_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
