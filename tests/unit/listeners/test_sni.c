/* SPDX-License-Identifier: Apache-2.0
 * Which certificate is served: names, wildcards, AWS's order of preference, the fallback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/x509/parse.h"
#include "listeners/sni.h"

static struct sni_cert rsa(unsigned bits)
{
    return (struct sni_cert){ .key = TLS_KEY_RSA,
                              .bits = bits,
                              .hash = TLS_HASH_SHA256,
                              .not_before_utc = 1000,
                              .not_after_utc = 2000 };
}

static struct sni_cert ec(unsigned bits, uint16_t group)
{
    struct sni_cert c = rsa(bits);

    c.key = TLS_KEY_ECDSA;
    c.group = group;
    return c;
}

static void add(struct sni_index *x, struct sni_cert facts, const char *name)
{
    assert_int_equal(sni_index_add(x, &facts, &name, name == NULL ? 0 : 1), 0);
}

/* Position picked for a name; `rule` and `decider` are compared too. */
static void assert_pick(const struct sni_index *x, const char *name, size_t position,
                        enum sni_rule rule, enum sni_decider decider)
{
    enum sni_rule got_rule;
    enum sni_decider got_decider;
    const struct sni_cert *c = sni_pick(x, name, NULL, NULL, &got_rule, &got_decider);

    assert_int_equal(c->position, position);
    assert_string_equal(sni_rule_text(got_rule), sni_rule_text(rule));
    assert_string_equal(sni_decider_text(got_decider), sni_decider_text(decider));
}

static void test_names_and_wildcards(void **state)
{
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);

    (void)state;
    add(x, rsa(2048), "default.example.com"); /* position 0 answers no name */
    add(x, rsa(2048), "api.example.com");
    add(x, rsa(2048), "*.example.com");
    add(x, rsa(2048), "UPPER.Example.ORG");
    add(x, rsa(2048), "dotted.example.net.");
    assert_int_equal(sni_index_ready(x), 0);
    assert_pick(x, NULL, 0, SNI_NO_NAME, SNI_ONLY_ONE);
    assert_pick(x, "", 0, SNI_NO_NAME, SNI_ONLY_ONE);
    assert_pick(x, "api.example.com", 1, SNI_EXACT, SNI_ONLY_ONE); /* before the wildcard */
    assert_pick(x, "API.example.COM", 1, SNI_EXACT, SNI_ONLY_ONE);
    assert_pick(x, "api.example.com.", 1, SNI_EXACT, SNI_ONLY_ONE);
    assert_pick(x, "corp.example.com", 2, SNI_WILDCARD, SNI_ONLY_ONE);
    assert_pick(x, "default.example.com", 2, SNI_WILDCARD, SNI_ONLY_ONE);
    assert_pick(x, "test.login.example.com", 0, SNI_NO_MATCH, SNI_ONLY_ONE); /* one label only */
    assert_pick(x, "example.com", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    assert_pick(x, ".example.com", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    assert_pick(x, "*.example.com", 0, SNI_NO_MATCH, SNI_ONLY_ONE); /* no host has this name */
    assert_pick(x, "upper.example.org", 3, SNI_EXACT, SNI_ONLY_ONE);
    assert_pick(x, "dotted.example.net", 4, SNI_EXACT, SNI_ONLY_ONE);
    assert_pick(x, "nowhere", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    assert_pick(x, ".", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    sni_index_free(x);
}

/* Why the default was served: the three cases are three words. */
static void test_the_default_may_have_the_name(void **state)
{
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);

    (void)state;
    add(x, rsa(2048), "*.example.com");
    add(x, rsa(2048), "api.example.org");
    assert_int_equal(sni_index_ready(x), 0);
    assert_pick(x, "api.example.com", 0, SNI_DEFAULT_HAS, SNI_ONLY_ONE);
    assert_pick(x, "API.example.com.", 0, SNI_DEFAULT_HAS, SNI_ONLY_ONE);
    assert_pick(x, "a.b.example.com", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    assert_pick(x, "api.example.net", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    assert_pick(x, NULL, 0, SNI_NO_NAME, SNI_ONLY_ONE);
    assert_pick(x, "api.example.org", 1, SNI_EXACT, SNI_ONLY_ONE);
    assert_string_equal(sni_rule_text(SNI_DEFAULT_HAS), "default: it has the name");
    assert_string_equal(sni_rule_text(SNI_NO_MATCH), "default: no certificate has the name");
    assert_string_equal(sni_rule_text(SNI_NO_NAME), "default: no server name");
    sni_index_free(x);
}

static void test_long_names(void **state)
{
    char name[300];
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);

    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    add(x, rsa(2048), NULL);
    add(x, rsa(2048), name); /* nobody can ask for it */
    name[255] = '\0';
    add(x, rsa(2048), name);
    assert_int_equal(sni_index_ready(x), 0);
    assert_pick(x, name, 2, SNI_EXACT, SNI_ONLY_ONE);
    name[255] = 'a';
    assert_pick(x, name, 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    sni_index_free(x);
}

static void test_order_of_preference(void **state)
{
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);
    struct sni_cert md5 = rsa(3072), later = rsa(2048), same = rsa(2048), sha1 = rsa(2048);

    (void)state;
    md5.hash = TLS_HASH_MD5;
    later.not_after_utc = 3000;
    sha1.hash = TLS_HASH_SHA1;
    add(x, rsa(2048), NULL);
    add(x, rsa(3072), "a.example"); /* 1 */
    add(x, ec(256, TLS_GROUP_secp256r1), "a.example");
    add(x, md5, "b.example"); /* 3 */
    add(x, rsa(1024), "b.example");
    add(x, rsa(2048), "c.example"); /* 5 */
    add(x, rsa(3072), "c.example");
    add(x, rsa(2048), "d.example"); /* 7 */
    add(x, later, "d.example");
    add(x, same, "e.example"); /* 9 */
    add(x, same, "e.example");
    add(x, sha1, "f.example"); /* 11: one SHA is as good as another */
    add(x, rsa(2048), "f.example");
    assert_int_equal(sni_index_ready(x), 0);
    assert_pick(x, "a.example", 2, SNI_EXACT, SNI_BY_KEY_ALGORITHM);
    assert_pick(x, "b.example", 4, SNI_EXACT, SNI_BY_HASH);
    assert_pick(x, "c.example", 6, SNI_EXACT, SNI_BY_KEY_LENGTH);
    assert_pick(x, "d.example", 8, SNI_EXACT, SNI_BY_VALIDITY);
    assert_pick(x, "e.example", 9, SNI_EXACT, SNI_BY_POSITION);
    assert_pick(x, "f.example", 11, SNI_EXACT, SNI_BY_POSITION);
    sni_index_free(x);
}

/* The decider names the closest rival, in whatever order the certificates are listed. */
static void test_decider_among_three(void **state)
{
    const struct sni_cert certs[] = { ec(384, TLS_GROUP_secp384r1), ec(256, TLS_GROUP_secp256r1),
                                      rsa(3072) };
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

    (void)state;
    for (size_t o = 0; o < 6; o++) {
        struct sni_index *x = sni_index_empty(SNI_LATEST_END);
        enum sni_decider decider;

        add(x, rsa(2048), NULL);
        for (size_t i = 0; i < 3; i++)
            add(x, certs[orders[o][i]], "a.example");
        assert_int_equal(sni_index_ready(x), 0);
        assert_int_equal(sni_pick(x, "a.example", NULL, NULL, NULL, &decider)->bits, 384);
        assert_int_equal(decider, SNI_BY_KEY_LENGTH);
        sni_index_free(x);
    }
}

static void test_validity_setting(void **state)
{
    struct sni_cert short_late = rsa(2048), long_early = rsa(2048);

    (void)state;
    short_late.not_before_utc = 2900;
    short_late.not_after_utc = 3000;
    long_early.not_before_utc = 0;
    for (int setting = 0; setting < 2; setting++) {
        struct sni_index *x = sni_index_empty(setting == 0 ? SNI_LATEST_END : SNI_LONGEST_PERIOD);

        add(x, rsa(2048), NULL);
        add(x, long_early, "a.example");
        add(x, short_late, "a.example");
        assert_int_equal(sni_index_ready(x), 0);
        assert_pick(x, "a.example", setting == 0 ? 2 : 1, SNI_EXACT, SNI_BY_VALIDITY);
        sni_index_free(x);
    }
}

static bool only_rsa(const struct sni_cert *cert, const void *arg)
{
    (void)arg;
    return cert->key == TLS_KEY_RSA;
}

static void test_limited_to_what_the_client_can_use(void **state)
{
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);
    enum sni_rule rule;

    (void)state;
    add(x, ec(256, TLS_GROUP_secp256r1), NULL);
    add(x, ec(256, TLS_GROUP_secp256r1), "a.example.com");
    add(x, rsa(2048), "a.example.com");
    add(x, ec(256, TLS_GROUP_secp256r1), "b.example.com");
    add(x, rsa(2048), "*.example.com");
    add(x, ec(256, TLS_GROUP_secp256r1), "c.example.org");
    assert_int_equal(sni_index_ready(x), 0);
    assert_int_equal(sni_pick(x, "a.example.com", only_rsa, NULL, &rule, NULL)->position, 2);
    assert_int_equal(rule, SNI_EXACT);
    assert_int_equal(sni_pick(x, "b.example.com", only_rsa, NULL, &rule, NULL)->position, 4);
    assert_int_equal(rule, SNI_WILDCARD);
    assert_int_equal(sni_pick(x, "c.example.org", only_rsa, NULL, &rule, NULL)->position, 0);
    assert_int_equal(rule, SNI_UNUSABLE);
    sni_index_free(x);
}

static void test_ten_thousand_certificates(void **state)
{
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);
    char name[64];

    (void)state;
    add(x, rsa(2048), NULL);
    for (int i = 1; i <= 10000; i++) {
        snprintf(name, sizeof name, "%shost%d.example.com", i % 2 == 0 ? "*." : "", i);
        add(x, rsa(2048), name);
    }
    assert_int_equal(sni_index_ready(x), 0);
    for (int i = 1; i <= 10000; i++) {
        snprintf(name, sizeof name, "%shost%d.example.com", i % 2 == 0 ? "any." : "", i);
        assert_int_equal(sni_pick(x, name, NULL, NULL, NULL, NULL)->position, i);
    }
    assert_pick(x, "host10001.example.com", 0, SNI_NO_MATCH, SNI_ONLY_ONE);
    sni_index_free(x);
}

/* --- real certificates --- */

static void test_index_of_real_certificates(void **state)
{
    static const char *const specs[] = {
        "lab:valid/default.example.com",
        "lab:ecdsa-256/a.example.com",
        "lab:rsa-2048/a.example.com",
        "lab:wildcard/b.example.com",
        "lab:no-san-cn-match/c.example.net",
        "lab:cn-match-san-other/d.example.net",
        "lab:md5/e.example.net",
        "lab:expired/a.example.com",
    };
    enum { N = sizeof specs / sizeof specs[0] };
    struct err err = { 0 };
    struct cert_lab *lab = cert_lab_new("test_sni", 1800000000, &err);
    struct identity *certs[N];
    struct sni_index *x;

    (void)state;
    assert_non_null(lab);
    for (size_t i = 0; i < N; i++) {
        certs[i] = identity_load(specs[i], NULL, lab, &err);
        if (certs[i] == NULL)
            fail_msg("%s: %s", specs[i], err.text);
    }
    x = sni_index_new((const struct identity *const *)certs, N, SNI_LATEST_END, &err);
    assert_non_null(x);
    assert_ptr_equal(sni_index_at(x, 1)->identity, certs[1]);
    assert_int_equal(sni_index_at(x, 1)->key, TLS_KEY_ECDSA);
    assert_int_equal(sni_index_at(x, 1)->group, TLS_GROUP_secp256r1);
    assert_int_equal(sni_index_at(x, 1)->bits, 256);
    assert_int_equal(sni_index_at(x, 2)->key, TLS_KEY_RSA);
    assert_int_equal(sni_index_at(x, 2)->bits, 2048);
    assert_int_equal(sni_index_at(x, 2)->hash, TLS_HASH_SHA256);
    assert_int_equal(sni_index_at(x, 6)->hash, TLS_HASH_MD5);
    assert_true(sni_index_at(x, 1)->not_after_utc > 1800000000);
    /* An expired certificate takes part; with the same key type the later end wins. */
    assert_true(sni_index_at(x, 7)->not_after_utc < 1800000000);
    assert_pick(x, "a.example.com", 1, SNI_EXACT,
                sni_index_at(x, 7)->key == TLS_KEY_ECDSA ? SNI_BY_VALIDITY : SNI_BY_KEY_ALGORITHM);
    assert_pick(x, "z.example.com", 3, SNI_WILDCARD, SNI_ONLY_ONE);
    assert_pick(x, "c.example.net", 4, SNI_EXACT, SNI_ONLY_ONE);    /* CN, as there is no SAN */
    assert_pick(x, "d.example.net", 0, SNI_NO_MATCH, SNI_ONLY_ONE); /* CN beside a SAN: no */
    sni_index_free(x);
    for (size_t i = 0; i < N; i++)
        identity_unref(certs[i]);
    cert_lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_wildcards),
        cmocka_unit_test(test_the_default_may_have_the_name),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_order_of_preference),
        cmocka_unit_test(test_decider_among_three),
        cmocka_unit_test(test_validity_setting),
        cmocka_unit_test(test_limited_to_what_the_client_can_use),
        cmocka_unit_test(test_ten_thousand_certificates),
        cmocka_unit_test(test_index_of_real_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
