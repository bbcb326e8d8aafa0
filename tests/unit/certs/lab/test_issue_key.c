/* SPDX-License-Identifier: Apache-2.0
 * Key pairs of every kind, and what a seed decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>

#include "certs/lab/issue_key.h"

static void every_kind_of_key(void **state)
{
    (void)state;
    for (enum issue_key_kind k = 0; k < ISSUE_KEY_N; k++) {
        mbedtls_pk_context key;
        struct err err = { 0 };

        assert_int_equal(issue_key_find(issue_key_name(k)), k);
        mbedtls_pk_init(&key);
        assert_int_equal(issue_key_make(&key, k, "seed", "label", &err), 0);
        assert_int_equal(mbedtls_pk_get_bitlen(&key),
                         strtoul(strchr(issue_key_name(k), '-') + 1, NULL, 10));
        if (issue_key_is_slow(k))
            assert_int_equal(mbedtls_rsa_check_privkey(mbedtls_pk_rsa(key)), 0);
        mbedtls_pk_free(&key);
    }
    assert_int_equal(issue_key_find("rsa-2049"), ISSUE_KEY_N);
}

/* What a seed gives is the same on every machine and with every library version that is built
 * against: labs of CI jobs and of their authors agree. */
static void a_seed_gives_these_keys(void **state)
{
    static const struct {
        enum issue_key_kind kind;
        const char *sha256; /* of the public key's DER, its first octets */
    } known[] = {
        { ISSUE_KEY_EC256, "d8756cbfff25f2de" },
        { ISSUE_KEY_RSA1024, "9bc23229e3034b7e" },
        { ISSUE_KEY_RSA2048, "8cbfd2b438e544f5" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint8_t der[1024], hash[32];
        mbedtls_pk_context key;
        struct err err = { 0 };
        char text[17];
        int n;

        mbedtls_pk_init(&key);
        assert_int_equal(issue_key_make(&key, known[i].kind, "seed", "label", &err), 0);
        n = mbedtls_pk_write_pubkey_der(&key, der, sizeof der);
        assert_true(n > 0);
        assert_int_equal(mbedtls_sha256(der + sizeof der - n, (size_t)n, hash, 0), 0);
        for (size_t k = 0; k < 8; k++)
            snprintf(text + 2 * k, 3, "%02x", hash[k]);
        assert_string_equal(text, known[i].sha256);
        mbedtls_pk_free(&key);
    }
}

static void without_a_seed_no_key_comes_twice(void **state)
{
    mbedtls_pk_context a, b;
    struct err err;

    (void)state;
    mbedtls_pk_init(&a);
    mbedtls_pk_init(&b);
    assert_int_equal(issue_key_make(&a, ISSUE_KEY_RSA1024, NULL, "label", &err), 0);
    assert_int_equal(issue_key_make(&b, ISSUE_KEY_RSA1024, NULL, "label", &err), 0);
    assert_int_not_equal(mbedtls_pk_check_pair(&a, &b, NULL, NULL), 0);
    mbedtls_pk_free(&a);
    mbedtls_pk_free(&b);
}

static void seed_and_label_cannot_run_into_each_other(void **state)
{
    static const char *const pairs[][2] = {
        { "ab", "c" }, { "a", "bc" }, { "", "abc" }, { "abc", "" }
    };
    uint8_t out[4][16];
    struct err err;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        mbedtls_hmac_drbg_context rng;

        assert_int_equal(issue_rng_init(&rng, pairs[i][0], pairs[i][1], &err), 0);
        assert_int_equal(mbedtls_hmac_drbg_random(&rng, out[i], 16), 0);
        issue_rng_free(&rng);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(out[i], out[k], 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_key),
        cmocka_unit_test(a_seed_gives_these_keys),
        cmocka_unit_test(without_a_seed_no_key_comes_twice),
        cmocka_unit_test(seed_and_label_cannot_run_into_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
