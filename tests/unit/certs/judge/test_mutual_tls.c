/* SPDX-License-Identifier: Apache-2.0
 * The judge of client certificates: the lab's clients before truststores of all kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "certs/judge/mutual_tls.h"
#include "certs/lab/lab.h"
#include "certs/store/trust_store.h"
#include "certs/x509/cert_details.h"

#define NOW  1795000000 /* 2026-11-18 */
#define DAY  86400
#define HOST "device-7.example.com"

static struct cert_lab *lab;

static int make_lab(void **state)
{
    struct err err = { 0 };

    (void)state;
    lab = cert_lab_new("door", NOW, &err);
    return lab != NULL ? 0 : -1;
}

static int free_lab(void **state)
{
    (void)state;
    cert_lab_free(lab);
    return 0;
}

static struct cert_facts *leaf_of(const char *profile)
{
    struct cert_lab_item item;
    struct err err = { 0 };

    if (cert_lab_issue(lab, profile, HOST, &item, &err) != 0)
        fail_msg("%s: %s", profile, err.text);
    return cert_facts_new(item.chain[0].at, item.chain[0].len);
}

static enum mutual_tls_code ask(const char *profile, const struct cert_list *store, int64_t at)
{
    struct cert_facts *leaf = leaf_of(profile);
    struct mutual_tls_verdict v;

    mutual_tls_judge(leaf, store, at, &v);
    assert_int_equal(v.ok, v.code == MUTUAL_TLS_OK);
    cert_facts_free(leaf);
    return v.code;
}

static enum mutual_tls_code ask_named(const char *profile, const char *store, int64_t at)
{
    struct err err = { 0 };
    struct trust_store *s = trust_store_load(store, NULL, lab, &err);
    enum mutual_tls_code code;

    assert_non_null(s);
    code = ask(profile, &s->list, at);
    trust_store_unref(s);
    return code;
}

static void each_client_by_its_truststore(void **state)
{
    static const struct {
        const char *profile, *store;
        enum mutual_tls_code code;
    } rows[] = {
        { "client", "lab:client", MUTUAL_TLS_OK },
        { "client-revoked", "lab:client", MUTUAL_TLS_OK }, /* revocation is not looked at */
        { "client-expired", "lab:client", MUTUAL_TLS_EXPIRED },
        { "client-untrusted", "lab:client", MUTUAL_TLS_NO_ISSUER },
        { "client-sha1", "lab:client", MUTUAL_TLS_INSECURE_SIGNATURE },
        { "client-self-signed", "lab:client", MUTUAL_TLS_SELF_SIGNED },
        { "client-self-signed", "lab:client-self-signed/" HOST, MUTUAL_TLS_OK },
        { "client-self-signed", "lab:client-self-signed/other.example.com",
          MUTUAL_TLS_SELF_SIGNED },
        { "client-five-levels", "lab:client-five-levels", MUTUAL_TLS_TOO_LONG },
        { "client-five-levels", "lab:client", MUTUAL_TLS_NO_ISSUER },
        { "valid", "lab:client", MUTUAL_TLS_NO_ISSUER },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum mutual_tls_code code = ask_named(rows[i].profile, rows[i].store, NOW);

        if (code != rows[i].code)
            fail_msg("%s before %s: %d", rows[i].profile, rows[i].store, (int)code);
    }
    assert_int_equal(ask_named("client", "lab:client", NOW - 10 * 365 * (int64_t)DAY),
                     MUTUAL_TLS_NOT_YET_VALID);
    assert_int_equal(ask_named("client", "lab:client", NOW + 300 * (int64_t)DAY),
                     MUTUAL_TLS_EXPIRED);
}

/* What the client sends along does not count: all of its chain has to be in the truststore. */
static void the_truststore_holds_the_chain_up_to_its_root(void **state)
{
    struct err err = { 0 };
    struct trust_store *s = trust_store_load("lab:client", NULL, lab, &err);
    struct cert_list part = { 0 };
    struct mutual_tls_verdict v;
    char what[512];

    (void)state;
    assert_non_null(s);
    assert_int_equal(s->list.n, 2); /* subordinate, root */
    part.n = 1;
    part.at = &s->list.at[0];
    assert_int_equal(ask("client", &part, NOW), MUTUAL_TLS_NO_ISSUER);
    mutual_tls_judge_entry(&part, 0, NOW, &v);
    assert_int_equal(v.code, MUTUAL_TLS_NO_ISSUER);
    assert_non_null(strstr(mutual_tls_what(&v, what, sizeof what), "its issuer 'CN="));
    part.at = &s->list.at[1];
    assert_int_equal(ask("client", &part, NOW), MUTUAL_TLS_NO_ISSUER);
    mutual_tls_judge_entry(&part, 0, NOW, &v);
    assert_true(v.ok);
    part.n = 0;
    assert_int_equal(ask("client", &part, NOW), MUTUAL_TLS_NO_ISSUER);
    trust_store_unref(s);
}

/* Many certificates of one name and other keys: the budget ends it, and that is no verdict. */
static void a_truststore_of_one_name_costs_a_bounded_time(void **state)
{
    struct err err = { 0 };
    struct trust_store *s = trust_store_load("lab:client", NULL, lab, &err);
    struct cert_facts *many[TRUSTSTORE_CERTS_MAX], *leaf = leaf_of("client-untrusted");
    struct cert_list list = { many, TRUSTSTORE_CERTS_MAX };
    struct cert_facts named = *s->list.at[0];
    struct mutual_tls_verdict v;

    (void)state;
    /* the untrusted client's issuer by name, another key */
    struct cert_details d = *(struct cert_details *)(uintptr_t)named.details;
    d.subject = ((struct cert_details *)(uintptr_t)leaf->details)->issuer;
    named.details = &d;
    for (size_t i = 0; i < TRUSTSTORE_CERTS_MAX; i++)
        many[i] = &named;
    mutual_tls_judge(leaf, &list, NOW, &v);
    assert_false(v.ok);
    assert_true(v.code == MUTUAL_TLS_LIMIT || v.code == MUTUAL_TLS_BAD_SIGNATURE);
    assert_int_equal(mutual_tls_unknown(v.code), v.code == MUTUAL_TLS_LIMIT);
    cert_facts_free(leaf);
    trust_store_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_by_its_truststore),
        cmocka_unit_test(the_truststore_holds_the_chain_up_to_its_root),
        cmocka_unit_test(a_truststore_of_one_name_costs_a_bounded_time),
    };

    return cmocka_run_group_tests_name("mutual_tls", tests, make_lab, free_lab);
}
