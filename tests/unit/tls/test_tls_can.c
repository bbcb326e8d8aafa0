/* SPDX-License-Identifier: Apache-2.0
 * What each TLS library can act out, and which of them a session gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_can.h"

#define M TLS_LIBRARY_MBEDTLS
#define O TLS_LIBRARY_OPENSSL

static void what_each_library_has(void **state)
{
    (void)state;
    for (uint16_t v = TLS_1_0; v <= TLS_1_3; v++) {
        assert_int_equal(tls_can_version(M, v), v >= TLS_1_2);
        assert_true(tls_can_version(O, v));
    }
    assert_false(tls_version_supported(0x0300));
    assert_false(tls_version_supported(0x0305));
    for (enum tls_library l = M; l <= O; l++) {
        assert_true(tls_can_suite(l, TLS_SUITE_RSA_WITH_AES_128_CBC_SHA));
        assert_true(tls_can_suite(l, TLS_SUITE_AES_128_GCM_SHA256));
        assert_false(tls_can_suite(l, TLS_SUITE_RSA_WITH_3DES_EDE_CBC_SHA));
        assert_true(tls_can_group(l, TLS_GROUP_x25519));
        assert_true(tls_can_group(l, TLS_GROUP_secp521r1));
        assert_true(tls_can_sig(l, TLS_SIG_rsa_pss_rsae_sha256, TLS_1_3));
        assert_true(tls_can_sig(l, TLS_SIG_ecdsa_sha1, TLS_1_2));
        assert_true(tls_can_sig(l, TLS_SIG_rsa_pkcs1_sha224, TLS_1_2));
    }
    assert_false(tls_can_group(M, TLS_GROUP_X25519MLKEM768));
    assert_true(tls_can_group(O, TLS_GROUP_X25519MLKEM768));
    assert_true(tls_can_group(O, TLS_GROUP_SecP384r1MLKEM1024));
    assert_false(tls_group_supported(TLS_GROUP_X25519Kyber768Draft00));
    assert_false(tls_can_sig(M, TLS_SIG_rsa_pss_rsae_sha256, TLS_1_2));
    assert_true(tls_can_sig(O, TLS_SIG_rsa_pss_rsae_sha256, TLS_1_2));
    assert_false(tls_can_sig(M, TLS_SIG_rsa_pss_pss_sha256, TLS_1_3));
    assert_true(tls_can_sig(O, TLS_SIG_rsa_pss_pss_sha256, TLS_1_3));
    assert_false(tls_can_sig(M, TLS_SIG_ed25519, 0));
    assert_true(tls_can_sig(O, TLS_SIG_ed25519, 0));
}

static void what_a_server_may_meet(void **state)
{
    static const struct {
        struct tls_session_needs needs;
        bool mbedtls; /* does as AWS does */
    } rows[] = {
        { { .version = TLS_1_2, .best_version = TLS_1_3 }, true },
        { { .version = TLS_1_3, .best_version = TLS_1_3 }, false },
        { { .version = TLS_1_2, .best_version = TLS_1_3, .hello_without_extensions = true },
          false },
        { { .version = TLS_1_2, .best_version = TLS_1_2, .hello_without_extensions = true }, true },
        { { .version = TLS_1_2, .best_version = TLS_1_2, .hello_bytes = 16384 }, true },
        { { .version = TLS_1_2, .best_version = TLS_1_2, .hello_bytes = 16385 }, false },
        { { .version = TLS_1_2, .best_version = TLS_1_2, .chain_bytes = 16385 }, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(tls_can_not(M, &rows[i].needs) == NULL, rows[i].mbedtls);
        assert_null(tls_can_not(O, &rows[i].needs));
    }
}

static void the_library_of_a_client(void **state)
{
    static const uint16_t pss[] = { TLS_SIG_rsa_pss_rsae_sha256 };
    static const uint16_t hybrid[] = { TLS_GROUP_x25519, TLS_GROUP_X25519MLKEM768 };
    struct tls_conf_params p = { .min_version = TLS_1_2, .max_version = TLS_1_2 };

    (void)state;
    assert_int_equal(tls_library_for_client(&p, TLS_USE_AUTO), M);
    assert_int_equal(tls_library_for_client(&p, TLS_USE_OPENSSL), O);
    p.sig_schemes = pss;
    p.n_sig_schemes = 1;
    assert_int_equal(tls_library_for_client(&p, TLS_USE_AUTO), O);
    assert_int_equal(tls_library_for_client(&p, TLS_USE_MBEDTLS), M);
    p.n_sig_schemes = 0;
    p.groups = hybrid;
    p.n_groups = 1;
    assert_int_equal(tls_library_for_client(&p, TLS_USE_AUTO), M);
    p.n_groups = 2;
    assert_int_equal(tls_library_for_client(&p, TLS_USE_AUTO), O);
    p.n_groups = 0;
    p.max_version = TLS_1_3;
    assert_int_equal(tls_library_for_client(&p, TLS_USE_AUTO), O);
    p.min_version = p.max_version = TLS_1_1;
    assert_int_equal(tls_library_for_client(&p, TLS_USE_AUTO), O);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_library_has),
        cmocka_unit_test(what_a_server_may_meet),
        cmocka_unit_test(the_library_of_a_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
