/* SPDX-License-Identifier: Apache-2.0
 * Prepared configurations: lists in order, unknown code points left out, what mbedTLS decides by
 * itself (the reasons for the peeked hello), random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "tests/lib/tlspair.h"
#include "tls/tls_params.h"
#include "tls/tls_random.h"
#include "tls/tls_tickets.h"

#define LIST(name, ...) static const uint16_t name[] = { __VA_ARGS__ }
#define USE(params, field, list)                                                                   \
    ((params).field = (list), (params).n_##field = sizeof(list) / sizeof((list)[0]))

static const struct tls_conf_params any_client = { .min_version = 0x0303, .max_version = 0x0304 };
static const struct tls_conf_params any_server = { .server = true,
                                                   .min_version = 0x0303,
                                                   .max_version = 0x0304 };

LIST(aes256_first, TLS_SUITE_AES_256_GCM_SHA384, TLS_SUITE_AES_128_GCM_SHA256,
     TLS_SUITE_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256);
LIST(aes128_first, TLS_SUITE_AES_128_GCM_SHA256, TLS_SUITE_AES_256_GCM_SHA384,
     TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_SUITE_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);

static uint16_t suite_between(const struct tls_conf_params *c, const struct tls_conf_params *s)
{
    struct tls_pair p;
    uint16_t suite;

    tls_pair_init(&p, c, s, "valid");
    assert_true(tls_pair_handshake(&p));
    suite = tls_engine_suite(p.client);
    tls_pair_clear(&p);
    return suite;
}

/* In TLS 1.2 the server's order decides; mbedTLS lets the client's decide in TLS 1.3, in spite of
 * the setting. One suite per prepared configuration makes the server decide in both. */
static void suite_order(void **state)
{
    struct tls_conf_params c = any_client, s = any_server;

    (void)state;
    USE(c, suites, aes128_first);
    USE(s, suites, aes256_first);
    c.max_version = 0x0303;
    assert_int_equal(suite_between(&c, &s), TLS_SUITE_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
    c.max_version = 0x0304;
    assert_int_equal(suite_between(&c, &s), tls_pair_library[1] == TLS_LIBRARY_OPENSSL
                                                ? TLS_SUITE_AES_256_GCM_SHA384
                                                : TLS_SUITE_AES_128_GCM_SHA256);
    s.n_suites = 1;
    assert_int_equal(suite_between(&c, &s), TLS_SUITE_AES_256_GCM_SHA384);
}

/* Spike: ALPN without overlap ends the handshake with alert 120; a configuration without ALPN
 * carries on. */
static void alpn_without_overlap(void **state)
{
    static const char *const theirs[] = { "acme/1", NULL }, *const ours[] = { "h2", NULL };

    (void)state;
    for (uint16_t v = 0x0303; v <= 0x0304; v++) {
        struct tls_conf_params c = any_client, s = any_server;
        struct tls_pair p;
        uint8_t level, number;

        c.max_version = v;
        c.alpn = theirs;
        s.alpn = ours;
        tls_pair_init(&p, &c, &s, "valid");
        assert_false(tls_pair_handshake(&p));
        tls_engine_alert_in(p.client, &level, &number);
        assert_int_equal(number, TLS_ALERT_no_application_protocol);
        tls_pair_clear(&p);
        s.alpn = NULL;
        tls_pair_init(&p, &c, &s, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_null(tls_engine_alpn(p.client));
        tls_pair_clear(&p);
    }
}

static void code_points_that_mbedtls_lacks_are_left_out(void **state)
{
    LIST(odd_suites, 0x0a0a, TLS_SUITE_AES_128_GCM_SHA256, 0xffff);
    LIST(odd_groups, 0x2a2a, 0x11ec /* X25519MLKEM768 */, TLS_GROUP_secp384r1);
    struct tls_conf_params c = any_client, s = any_server;
    struct tls_pair p;

    (void)state;
    USE(c, suites, odd_suites);
    USE(s, suites, odd_suites);
    USE(s, groups, odd_groups);
    tls_pair_init(&p, &c, &s, "valid");
    assert_true(tls_pair_handshake(&p));
    assert_int_equal(tls_engine_suite(p.server), TLS_SUITE_AES_128_GCM_SHA256);
    tls_pair_clear(&p);
}

/* A list of which nothing is left must not turn into "everything". */
static void nothing_left_means_nothing(void **state)
{
    LIST(unknown, 0x1234);
    struct tls_conf_params s = any_server;
    struct tls_pair p;

    (void)state;
    USE(s, suites, unknown);
    if (tls_pair_library[1] == TLS_LIBRARY_OPENSSL) {
        s.library = TLS_LIBRARY_OPENSSL;
        assert_null(tls_conf_new(&s, NULL));
        s.n_suites = 0;
        USE(s, groups, unknown);
        assert_null(tls_conf_new(&s, NULL));
        return;
    }
    tls_pair_init(&p, NULL, &s, "valid");
    assert_false(tls_pair_handshake(&p));
    tls_pair_clear(&p);
    s = any_server;
    USE(s, groups, unknown);
    tls_pair_init(&p, NULL, &s, "valid");
    assert_false(tls_pair_handshake(&p));
    tls_pair_clear(&p);
}

static void groups_decide_the_exchange(void **state)
{
    LIST(p384, TLS_GROUP_secp384r1);
    LIST(p256, TLS_GROUP_secp256r1);
    struct tls_conf_params c = any_client, s = any_server;
    struct tls_pair p;

    (void)state;
    USE(s, groups, p384); /* the client's first share is another: HelloRetryRequest */
    tls_pair_init(&p, NULL, &s, "valid");
    assert_true(tls_pair_handshake(&p));
    tls_pair_clear(&p);
    USE(c, groups, p256);
    tls_pair_init(&p, &c, &s, "valid");
    assert_false(tls_pair_handshake(&p));
    tls_pair_clear(&p);
}

static void signature_schemes(void **state)
{
    LIST(ecdsa_256, TLS_SIG_ecdsa_secp256r1_sha256);
    LIST(ecdsa_384, TLS_SIG_ecdsa_secp384r1_sha384);
    struct tls_conf_params c = any_client, s = any_server;
    struct tls_pair p;

    (void)state;
    USE(s, sig_schemes, ecdsa_256);
    tls_pair_init(&p, NULL, &s, "ecdsa-256");
    assert_true(tls_pair_handshake(&p));
    tls_pair_clear(&p);
    USE(c, sig_schemes, ecdsa_384); /* the key is P-256: nothing fits in TLS 1.3 */
    c.min_version = s.min_version = 0x0304;
    tls_pair_init(&p, &c, &s, "ecdsa-256");
    assert_false(tls_pair_handshake(&p));
    tls_pair_clear(&p);
}

/* Nothing of the caller's lists is kept. */
static void lists_are_copied(void **state)
{
    uint16_t suites[] = { TLS_SUITE_AES_256_GCM_SHA384 }, groups[] = { TLS_GROUP_secp256r1 },
             sigs[] = { TLS_SIG_ecdsa_secp256r1_sha256 };
    char name[] = "h2";
    const char *alpn[] = { name, NULL };
    struct tls_conf_params s = any_server;
    struct tls_conf_params c = any_client;
    const char *const h2[] = { "h2", NULL };
    struct tls_pair p;

    (void)state;
    USE(s, suites, suites);
    USE(s, groups, groups);
    USE(s, sig_schemes, sigs);
    s.alpn = alpn;
    c.alpn = h2;
    tls_pair_init(&p, &c, &s, "ecdsa-256");
    suites[0] = groups[0] = sigs[0] = 0;
    memset(name, 'x', 2);
    alpn[0] = NULL;
    assert_true(tls_pair_handshake(&p));
    assert_int_equal(tls_engine_suite(p.client), TLS_SUITE_AES_256_GCM_SHA384);
    assert_string_equal(tls_engine_alpn(p.client), "h2");
    tls_pair_clear(&p);
}

static void versions_bound_both_sides(void **state)
{
    struct tls_conf_params c = any_client, s = any_server;
    struct tls_pair p;

    (void)state;
    c.max_version = 0x0303;
    s.min_version = 0x0304;
    tls_pair_init(&p, &c, &s, "valid");
    assert_false(tls_pair_handshake(&p));
    tls_pair_clear(&p);
    s.min_version = 0x0303;
    tls_pair_init(&p, &c, &s, "valid");
    assert_true(tls_pair_handshake(&p));
    assert_int_equal(tls_engine_version(p.server), 0x0303);
    tls_pair_clear(&p);
}

static void a_bad_configuration_is_refused_with_a_sentence(void **state)
{
    static const char *const empty_name[] = { "", NULL };
    struct tls_conf_params s = any_server;
    struct err err = { 0 };

    (void)state;
    s.alpn = empty_name;
    assert_null(tls_conf_new(&s, &err));
    assert_int_equal(err.code, ERR_CRYPTO);
    assert_int_not_equal(strlen(err.text), 0);
    tls_conf_free(NULL);
    tls_tickets_free(NULL);
}

static void *draw(void *out)
{
    if (tls_random(NULL, out, 32) != 0)
        abort();
    tls_thread_done();
    return NULL;
}

static void random_bytes_differ_by_thread_and_call(void **state)
{
    static unsigned char big[5000];
    unsigned char a[4][32] = { { 0 } };
    pthread_t t[2];
    size_t zeros = 0;

    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, draw, a[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    draw(a[2]);
    draw(a[3]);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = i + 1; j < 4; j++)
            assert_memory_not_equal(a[i], a[j], 32);
    /* More than the generator gives at once. */
    assert_int_equal(tls_random(NULL, big, sizeof big), 0);
    for (size_t i = 0; i < sizeof big; i++)
        zeros += big[i] == 0;
    assert_in_range(zeros, 1, 60); /* about 20 */
}

static int free_certs(void **state)
{
    (void)state;
    test_certs_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suite_order),
        cmocka_unit_test(alpn_without_overlap),
        cmocka_unit_test(code_points_that_mbedtls_lacks_are_left_out),
        cmocka_unit_test(nothing_left_means_nothing),
        cmocka_unit_test(groups_decide_the_exchange),
        cmocka_unit_test(signature_schemes),
        cmocka_unit_test(lists_are_copied),
        cmocka_unit_test(versions_bound_both_sides),
        cmocka_unit_test(a_bad_configuration_is_refused_with_a_sentence),
        cmocka_unit_test(random_bytes_differ_by_thread_and_call),
    };

    return TLS_PAIR_RUN_ALL(tests, free_certs);
}
