/* SPDX-License-Identifier: Apache-2.0
 * The answer to a ClientHello: version, suite, group, scheme, certificate, or why there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "listeners/negotiate.h"
#include "tests/lib/hello.h"

#define CODES(...) ((const uint16_t[]){ __VA_ARGS__, 0 })

/* A modern client; tests change what they are about. */
static struct hello_spec modern(void)
{
    static const uint16_t versions[] = { TLS_1_3, TLS_1_2, 0 };
    static const uint16_t suites[] = { TLS_SUITE_AES_256_GCM_SHA384,
                                       TLS_SUITE_AES_128_GCM_SHA256,
                                       TLS_SUITE_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                                       TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                                       TLS_SUITE_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                                       TLS_SUITE_RSA_WITH_AES_128_CBC_SHA,
                                       0 };
    static const uint16_t groups[] = { TLS_GROUP_x25519, TLS_GROUP_secp256r1, TLS_GROUP_secp384r1,
                                       0 };
    static const uint16_t shares[] = { TLS_GROUP_x25519, 0 };
    static const uint16_t sigs[] = { TLS_SIG_ecdsa_secp256r1_sha256, TLS_SIG_rsa_pss_rsae_sha256,
                                     TLS_SIG_rsa_pkcs1_sha256, 0 };

    return (struct hello_spec){ .versions = versions,
                                .suites = suites,
                                .groups = groups,
                                .shares = shares,
                                .sigs = sigs,
                                .sni = "api.example.com" };
}

enum { RSA_DEFAULT, RSA_API, EC_API, EC384_OTHER };

static struct sni_index *certs_new(void)
{
    static const char *const api[] = { "api.example.com" };
    static const char *const other[] = { "other.example.com" };
    const struct sni_cert rsa = { .key = TLS_KEY_RSA, .bits = 2048, .hash = TLS_HASH_SHA256 };
    const struct sni_cert ec = {
        .key = TLS_KEY_ECDSA, .bits = 256, .group = TLS_GROUP_secp256r1, .hash = TLS_HASH_SHA256
    };
    const struct sni_cert ec384 = {
        .key = TLS_KEY_ECDSA, .bits = 384, .group = TLS_GROUP_secp384r1, .hash = TLS_HASH_SHA384
    };
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);

    assert_non_null(x);
    assert_int_equal(sni_index_add(x, &rsa, NULL, 0), 0);
    assert_int_equal(sni_index_add(x, &rsa, api, 1), 0);
    assert_int_equal(sni_index_add(x, &ec, api, 1), 0);
    assert_int_equal(sni_index_add(x, &ec384, other, 1), 0);
    assert_int_equal(sni_index_ready(x), 0);
    return x;
}

static struct sni_index *certs;

/* The hello is parsed and freed here: a choice borrows nothing from it. */
static struct choice ask_by(enum tls_use use, const char *policy, const struct hello_spec *spec)
{
    uint8_t body[2048];
    struct tls_offer o;
    struct choice c;

    (void)tls_offer_parse(&o, body, hello_body(spec, body, sizeof body));
    assert_non_null(policy_find(policy));
    negotiate(&c, policy_find(policy), alpn_find("HTTP2Preferred"), certs, &o, use);
    tls_offer_clear(&o);
    return c;
}

static struct choice ask(const char *policy, const struct hello_spec *spec)
{
    return ask_by(TLS_USE_AUTO, policy, spec);
}

/* What mbedTLS lacks, OpenSSL does as AWS does. */
static struct choice ask_mbedtls(const char *policy, const struct hello_spec *spec)
{
    struct choice c = ask(policy, spec);

    assert_int_equal(c.library, TLS_LIBRARY_OPENSSL);
    assert_false(c.differs);
    assert_null(c.lacking_name);
    return ask_by(TLS_USE_MBEDTLS, policy, spec);
}

static void assert_answer(const struct negotiation *a, uint16_t version, uint16_t suite,
                          uint16_t group, uint16_t sig, size_t cert)
{
    assert_string_equal(negotiate_result_text(a->result), negotiate_result_text(NEGOTIATE_OK));
    assert_int_equal(a->version, version);
    assert_int_equal(a->suite, suite);
    assert_int_equal(a->group, group);
    assert_int_equal(a->sig, sig);
    assert_int_equal(a->cert->position, cert);
}

static void assert_result(enum negotiate_result got, enum negotiate_result want)
{
    assert_string_equal(negotiate_result_text(got), negotiate_result_text(want));
}

static void test_tls_13_takes_the_servers_order(void **state)
{
    struct hello_spec spec = modern();
    struct choice c = ask("TLS13-1-2-2021-06", &spec);

    (void)state;
    /* The client prefers AES-256; the policy AES-128. */
    assert_answer(&c.here, TLS_1_3, TLS_SUITE_AES_128_GCM_SHA256, TLS_GROUP_x25519,
                  TLS_SIG_ecdsa_secp256r1_sha256, EC_API);
    assert_false(c.differs);
    assert_false(c.here.retry);
    assert_int_equal(c.here.rule, SNI_EXACT);
    assert_int_equal(c.here.decider, SNI_BY_KEY_ALGORITHM);
    assert_null(c.alpn);
    c = ask("TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07", &spec); /* here AES-256 comes first */
    assert_int_equal(c.here.suite, TLS_SUITE_AES_256_GCM_SHA384);
}

static void test_tls_12_suite_follows_the_certificate(void **state)
{
    struct hello_spec spec = modern();
    struct choice c = ask("2016-08", &spec);

    (void)state;
    assert_answer(&c.here, TLS_1_2, TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                  TLS_GROUP_secp256r1, TLS_SIG_ecdsa_secp256r1_sha256, EC_API);
    spec.sni = NULL;
    c = ask("2016-08", &spec);
    assert_answer(&c.here, TLS_1_2, TLS_SUITE_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                  TLS_GROUP_secp256r1, TLS_SIG_rsa_pkcs1_sha256, RSA_DEFAULT);
    assert_int_equal(c.here.rule, SNI_NO_NAME);
}

static void test_rsa_certificate_for_a_client_without_ecdsa(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.versions = CODES(TLS_1_2);
    spec.suites = CODES(TLS_SUITE_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    c = ask("TLS13-1-2-2021-06", &spec);
    assert_int_equal(c.here.cert->position, RSA_API);
    assert_int_equal(c.here.decider, SNI_ONLY_ONE);
    spec = modern();
    spec.sigs = CODES(TLS_SIG_rsa_pss_rsae_sha256);
    c = ask("TLS13-1-2-2021-06", &spec); /* TLS 1.3: the schemes say it */
    assert_answer(&c.here, TLS_1_3, TLS_SUITE_AES_128_GCM_SHA256, TLS_GROUP_x25519,
                  TLS_SIG_rsa_pss_rsae_sha256, RSA_API);
    /* TLS 1.2, and a P-384 key for a client that does not know the curve: the default. */
    spec = modern();
    spec.sni = "other.example.com";
    spec.versions = CODES(TLS_1_2);
    spec.groups = CODES(TLS_GROUP_secp256r1);
    c = ask("TLS13-1-2-2021-06", &spec);
    assert_int_equal(c.here.cert->position, RSA_DEFAULT);
    assert_int_equal(c.here.rule, SNI_UNUSABLE);
    assert_result(c.here.result, NEGOTIATE_OK);
}

static void test_key_share_before_preference(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.shares = CODES(TLS_GROUP_secp384r1);
    c = ask("TLS13-1-2-2021-06", &spec); /* x25519 is preferred, but would cost a round trip */
    assert_int_equal(c.here.group, TLS_GROUP_secp384r1);
    assert_false(c.here.retry);
    spec.shares = CODES(TLS_GROUP_secp521r1); /* not in its own list: no share counts */
    c = ask("TLS13-1-2-2021-06", &spec);
    assert_int_equal(c.here.group, TLS_GROUP_x25519);
    assert_true(c.here.retry);
    spec.shares = CODES(TLS_GROUP_x25519);
    c = ask("TLS13-1-2-FIPS-2023-04", &spec); /* no x25519 under FIPS */
    assert_int_equal(c.here.group, TLS_GROUP_secp256r1);
    assert_true(c.here.retry);
}

static void test_strong_preference_costs_a_round_trip(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.shares = CODES(TLS_GROUP_secp256r1);
    c = ask("TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", &spec);
    assert_int_equal(c.here.group, TLS_GROUP_secp384r1);
    assert_true(c.here.retry);
    spec.groups = CODES(TLS_GROUP_secp256r1);
    c = ask("TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", &spec);
    assert_int_equal(c.here.group, TLS_GROUP_secp256r1);
    assert_false(c.here.retry);
}

static void test_hybrid_group_is_lacking_here(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.groups = CODES(TLS_GROUP_X25519MLKEM768, TLS_GROUP_x25519);
    spec.shares = CODES(TLS_GROUP_X25519MLKEM768, TLS_GROUP_x25519);
    c = ask_mbedtls("TLS13-1-2-Res-PQ-2025-09", &spec);
    assert_int_equal(c.aws.group, TLS_GROUP_X25519MLKEM768);
    assert_int_equal(c.here.group, TLS_GROUP_x25519);
    assert_result(c.here.result, NEGOTIATE_OK);
    assert_true(c.differs);
    assert_int_equal(c.lacking, TLS_GROUP_X25519MLKEM768);
    assert_string_equal(c.lacking_name, "X25519MLKEM768");
    c = ask("TLS13-1-2-Res-2021-06", &spec); /* no hybrids in the policy: nothing is lacking */
    assert_false(c.differs);
    spec.groups = spec.shares = CODES(TLS_GROUP_X25519MLKEM768);
    spec.versions = CODES(TLS_1_3);
    c = ask_mbedtls("TLS13-1-2-Res-PQ-2025-09", &spec);
    assert_result(c.aws.result, NEGOTIATE_OK);
    assert_result(c.here.result, NEGOTIATE_UNSUPPORTED);
    assert_string_equal(c.lacking_name, "X25519MLKEM768");
}

static void test_versions(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.versions = CODES(TLS_1_2);
    c = ask("TLS13-1-3-2021-06", &spec);
    assert_result(c.here.result, NEGOTIATE_NO_VERSION);
    assert_null(c.here.cert);
    assert_false(c.differs);
    /* A TLS 1.2 server does not read supported_versions: it finds no suite; the user is told why.
     */
    spec = modern();
    spec.versions = CODES(TLS_1_3);
    spec.suites = CODES(TLS_SUITE_AES_128_GCM_SHA256);
    c = ask("2016-08", &spec);
    assert_int_equal(c.here.version, TLS_1_2);
    assert_result(c.here.result, NEGOTIATE_ONLY_NEWER);
    /* GREASE and drafts are no versions. */
    spec = modern();
    spec.versions = CODES(0x7a7a, 0x7f1c, TLS_1_2);
    c = ask("TLS13-1-2-2021-06", &spec);
    assert_int_equal(c.here.version, TLS_1_2);
}

static void test_a_version_that_only_aws_speaks(void **state)
{
    struct hello_spec spec = { .legacy_version = TLS_1_1,
                               .groups = CODES(TLS_GROUP_secp256r1),
                               .suites = CODES(TLS_SUITE_ECDHE_RSA_WITH_AES_128_CBC_SHA,
                                               TLS_SUITE_RSA_WITH_AES_128_CBC_SHA) };
    struct choice c = ask_mbedtls("2016-08", &spec);

    (void)state;
    assert_result(c.aws.result, NEGOTIATE_OK);
    assert_int_equal(c.aws.version, TLS_1_1);
    assert_int_equal(c.aws.suite, TLS_SUITE_ECDHE_RSA_WITH_AES_128_CBC_SHA);
    assert_result(c.here.result, NEGOTIATE_UNSUPPORTED_VERSION);
    assert_true(c.differs);
    assert_int_equal(c.lacking, TLS_1_1);
    assert_string_equal(c.lacking_name, "TLSv1.1");
    c = ask("TLS-1-2-2017-01", &spec); /* refused by AWS too */
    assert_result(c.here.result, NEGOTIATE_NO_VERSION);
    assert_false(c.differs);
}

static void test_fallback(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.versions = CODES(TLS_1_2);
    spec.suites = CODES(TLS_SUITE_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_SCSV_FALLBACK);
    c = ask("TLS13-1-2-2021-06", &spec);
    assert_result(c.here.result, NEGOTIATE_FALLBACK);
    c = ask("2016-08", &spec); /* TLS 1.2 is this policy's best */
    assert_result(c.here.result, NEGOTIATE_OK);
}

static void test_no_suite_no_group_no_scheme(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.suites = CODES(TLS_SUITE_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256);
    spec.versions = CODES(TLS_1_2);
    assert_result(ask("TLS13-1-2-2021-06", &spec).here.result, NEGOTIATE_NO_SUITE);
    spec = modern();
    spec.groups = spec.shares = CODES(TLS_GROUP_x448);
    assert_result(ask("TLS13-1-2-2021-06", &spec).here.result, NEGOTIATE_NO_GROUP);
    spec = modern();
    spec.sigs = CODES(TLS_SIG_ed25519);
    assert_result(ask("TLS13-1-2-2021-06", &spec).here.result, NEGOTIATE_NO_SIGNATURE);
    /* RSA key exchange needs neither. */
    spec.versions = CODES(TLS_1_2);
    spec.suites = CODES(TLS_SUITE_RSA_WITH_AES_128_CBC_SHA);
    spec.groups = spec.shares = NULL;
    c = ask("2016-08", &spec);
    assert_answer(&c.here, TLS_1_2, TLS_SUITE_RSA_WITH_AES_128_CBC_SHA, 0, 0, RSA_API);
    assert_result(ask("TLS13-1-2-2021-06", &spec).here.result, NEGOTIATE_NO_SUITE);
}

static void test_pss_only_in_tls_12_is_lacking_here(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.versions = CODES(TLS_1_2);
    spec.suites = CODES(TLS_SUITE_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    spec.sigs = CODES(TLS_SIG_rsa_pss_rsae_sha256);
    c = ask_mbedtls("TLS13-1-2-2021-06", &spec);
    assert_int_equal(c.aws.sig, TLS_SIG_rsa_pss_rsae_sha256);
    assert_result(c.here.result, NEGOTIATE_UNSUPPORTED);
    assert_string_equal(c.lacking_name, "rsa_pss_rsae_sha256");
    /* With PKCS#1 beside it the handshake works, signed differently; and that is said. */
    spec.sigs = CODES(TLS_SIG_rsa_pss_rsae_sha256, TLS_SIG_rsa_pkcs1_sha256);
    c = ask_mbedtls("TLS13-1-2-2021-06", &spec);
    assert_int_equal(c.here.sig, TLS_SIG_rsa_pkcs1_sha256);
    assert_true(c.differs);
    assert_string_equal(c.lacking_name, "rsa_pss_rsae_sha256");
}

/* In neither library: said, and the next suite is taken. */
static void test_triple_des(void **state)
{
    struct hello_spec spec = modern();
    struct choice c;

    (void)state;
    spec.versions = CODES(TLS_1_2);
    spec.suites = CODES(TLS_SUITE_RSA_WITH_3DES_EDE_CBC_SHA);
    c = ask("TLS-1-0-2015-04", &spec);
    assert_result(c.aws.result, NEGOTIATE_OK);
    assert_result(c.here.result, NEGOTIATE_UNSUPPORTED);
    assert_string_equal(c.lacking_name, "DES-CBC3-SHA");
}

/* mbedTLS where it does exactly what AWS does. */
static void test_which_library(void **state)
{
    struct hello_spec spec = modern();

    (void)state;
    assert_int_equal(ask("TLS13-1-2-2021-06", &spec).library, TLS_LIBRARY_OPENSSL); /* KeyUpdate */
    assert_int_equal(ask("TLS13-1-2-2021-06", &spec).newest, TLS_1_3);
    assert_int_equal(ask("2016-08", &spec).library, TLS_LIBRARY_MBEDTLS);
    assert_int_equal(ask("2016-08", &spec).newest, TLS_1_2);
    assert_int_equal(ask_by(TLS_USE_OPENSSL, "2016-08", &spec).library, TLS_LIBRARY_OPENSSL);
    spec.versions = CODES(TLS_1_2);
    assert_int_equal(ask("TLS13-1-2-2021-06", &spec).library, TLS_LIBRARY_MBEDTLS);
    assert_int_equal(ask("TLS13-1-2-2021-06", &spec).newest, TLS_1_3); /* the sentinel */
}

static void test_clients_that_say_little(void **state)
{
    struct hello_spec spec = { .suites = CODES(TLS_SUITE_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                                               TLS_SUITE_RSA_WITH_AES_128_CBC_SHA),
                               .no_extensions = 1 };
    struct choice c = ask_mbedtls("2016-08", &spec);

    (void)state;
    /* No groups named: AWS takes secp256r1, mbedTLS no elliptic curve at all. */
    assert_int_equal(c.aws.group, TLS_GROUP_secp256r1);
    assert_int_equal(c.aws.sig, TLS_SIG_rsa_pkcs1_sha1); /* RFC 5246: silence means SHA-1 */
    assert_int_equal(c.here.suite, TLS_SUITE_RSA_WITH_AES_128_CBC_SHA);
    assert_result(c.here.result, NEGOTIATE_OK);
    assert_true(c.differs);
    assert_non_null(c.lacking_name);
}

static void test_small_rsa_keys_and_large_hashes(void **state)
{
    static const uint16_t sigs[] = { TLS_SIG_rsa_pss_rsae_sha512, 0 };
    const struct sni_cert small = { .key = TLS_KEY_RSA, .bits = 1024, .hash = TLS_HASH_SHA256 };
    struct hello_spec spec = modern();
    struct sni_index *all = certs;

    (void)state;
    certs = sni_index_empty(SNI_LATEST_END);
    assert_int_equal(sni_index_add(certs, &small, NULL, 0), 0);
    assert_int_equal(sni_index_ready(certs), 0);
    spec.sigs = sigs;
    assert_result(ask("TLS13-1-2-2021-06", &spec).here.result, NEGOTIATE_NO_SIGNATURE);
    sni_index_free(certs);
    certs = all;
    assert_result(ask("TLS13-1-2-2021-06", &spec).here.result, NEGOTIATE_OK);
}

static void test_alpn_and_malformed(void **state)
{
    static const char *const names[] = { "http/1.1", "h2", NULL };
    static const uint8_t broken[] = { 0, 10, 0, 1, 0 };
    struct hello_spec spec = modern();

    (void)state;
    spec.alpn = names;
    assert_string_equal(ask("2016-08", &spec).alpn, "h2");
    spec.extra = broken;
    spec.extra_len = sizeof broken;
    spec.groups = NULL;
    assert_result(ask("2016-08", &spec).here.result, NEGOTIATE_MALFORMED);
}

static void test_alerts(void **state)
{
    (void)state;
    assert_int_equal(negotiate_alert(NEGOTIATE_NO_VERSION), TLS_ALERT_protocol_version);
    assert_int_equal(negotiate_alert(NEGOTIATE_FALLBACK), TLS_ALERT_inappropriate_fallback);
    assert_int_equal(negotiate_alert(NEGOTIATE_NO_SUITE), TLS_ALERT_handshake_failure);
    assert_int_equal(negotiate_alert(NEGOTIATE_MALFORMED), TLS_ALERT_decode_error);
    assert_int_equal(negotiate_alert_s2n(NEGOTIATE_NO_VERSION), TLS_ALERT_protocol_version);
    assert_int_equal(negotiate_alert_s2n(NEGOTIATE_ONLY_NEWER), TLS_ALERT_close_notify);
    assert_int_equal(negotiate_alert_s2n(NEGOTIATE_NO_SUITE), TLS_ALERT_close_notify);
    assert_int_equal(negotiate_alert_s2n(NEGOTIATE_FALLBACK), TLS_ALERT_close_notify);
}

/* Recorded hellos against every policy: an answer, or a reason that fits. */
static void test_real_clients_and_every_policy(void **state)
{
    static const char *const files[] = { "openssl-13", "curl-13", "gnutls-13", "java-13" };
    size_t n_policies;
    const struct policy *all = policy_all(&n_policies);

    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        char path[64] = "hello/";
        size_t n;
        uint8_t *data = hello_corpus(strcat(path, files[f]), &n);
        struct tls_hello_reader r;
        struct tls_offer o;

        tls_hello_reader_init(&r);
        assert_int_equal(tls_hello_reader_feed(&r, data, n), TLS_FIRST_HELLO);
        assert_int_equal(tls_offer_parse(&o, r.body, r.body_len), 0);
        for (size_t i = 0; i < n_policies; i++) {
            struct choice c;

            negotiate(&c, &all[i], NULL, certs, &o, TLS_USE_AUTO);
            if (strstr(all[i].name, "RFC9151") != NULL && strstr(all[i].name, "INTEROP") == NULL) {
                /* Only P-384 keys can sign there, or RSA: the RSA certificate is served. */
                assert_int_equal(c.here.cert->position, RSA_API);
            }
            assert_result(c.here.result, NEGOTIATE_OK);
            assert_int_equal(c.here.version, all[i].versions.at[0] == TLS_1_3 ? TLS_1_3 : TLS_1_2);
            assert_true(tls_list_has(o.suites, c.here.suite));
        }
        tls_offer_clear(&o);
        tls_hello_reader_clear(&r);
        free(data);
    }
}

static int setup(void **state)
{
    (void)state;
    certs = certs_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sni_index_free(certs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_13_takes_the_servers_order),
        cmocka_unit_test(test_tls_12_suite_follows_the_certificate),
        cmocka_unit_test(test_rsa_certificate_for_a_client_without_ecdsa),
        cmocka_unit_test(test_key_share_before_preference),
        cmocka_unit_test(test_strong_preference_costs_a_round_trip),
        cmocka_unit_test(test_hybrid_group_is_lacking_here),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_a_version_that_only_aws_speaks),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_no_suite_no_group_no_scheme),
        cmocka_unit_test(test_pss_only_in_tls_12_is_lacking_here),
        cmocka_unit_test(test_triple_des),
        cmocka_unit_test(test_which_library),
        cmocka_unit_test(test_clients_that_say_little),
        cmocka_unit_test(test_small_rsa_keys_and_large_hashes),
        cmocka_unit_test(test_alpn_and_malformed),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_real_clients_and_every_policy),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
