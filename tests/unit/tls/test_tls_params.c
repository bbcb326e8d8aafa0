/* SPDX-License-Identifier: Apache-2.0
 * The tables of TLS code points: order, lookups both ways, what the library can act out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_params.h"

/* Every row can be found again by its code and its name: fails when a table is not sorted. */
static void test_every_row_is_found(void **state)
{
    (void)state;
#define TLS_SUITE(id, code, openssl, kx_, auth, hash)                                              \
    assert_non_null(tls_suite_find(code));                                                         \
    assert_string_equal(tls_suite_find(code)->iana, "TLS_" #id);                                   \
    assert_ptr_equal(tls_suite_by_name(openssl), tls_suite_find(code));                            \
    assert_ptr_equal(tls_suite_by_name("TLS_" #id), tls_suite_find(code));
#define TLS_GROUP(id, code, kind, bits)                                                            \
    assert_non_null(tls_group_find(code));                                                         \
    assert_ptr_equal(tls_group_by_name(#id), tls_group_find(code));
#define TLS_SIG(id, code, key, hash, group) assert_non_null(tls_sig_find(code));
#define TLS_ALERT(id, code)                                                                        \
    assert_string_equal(tls_alert_name(code), #id);                                                \
    assert_int_equal(tls_alert_by_name(#id), code);
#define TLS_EXT(id, code)
#define TLS_HANDSHAKE(id, code)
#define TLS_VERSION(id, code, name) assert_string_equal(tls_version_name(code), name);
#include "tls/tls_params.def"
}

static void test_versions_by_name(void **state)
{
    (void)state;
    assert_int_equal(tls_version_by_name("TLSv1.3"), 0x0304);
    assert_int_equal(tls_version_by_name("1.2"), 0x0303);
    assert_int_equal(tls_version_by_name("TLS1.1"), 0x0302);
    assert_int_equal(tls_version_by_name("TLSv1"), 0x0301);
    assert_int_equal(tls_version_by_name("1.0"), 0x0301);
    assert_int_equal(tls_version_by_name("1.4"), 0);
    assert_int_equal(tls_version_by_name("v3"), 0);
    assert_int_equal(tls_version_by_name(""), 0);
}

static void test_other_names_of_curves(void **state)
{
    (void)state;
    assert_int_equal(tls_group_by_name("P-256")->code, TLS_GROUP_secp256r1);
    assert_int_equal(tls_group_by_name("prime256v1")->code, TLS_GROUP_secp256r1);
    assert_int_equal(tls_group_by_name("X25519")->code, TLS_GROUP_x25519);
    assert_null(tls_group_by_name("P-257"));
}

static void test_unknown_and_grease_texts(void **state)
{
    char buf[TLS_NAME_MAX];

    (void)state;
    assert_string_equal(tls_suite_text(0x1301, buf), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(tls_suite_text(0xc02f, buf), "ECDHE-RSA-AES128-GCM-SHA256");
    assert_string_equal(tls_suite_text(0xfedc, buf), "0xfedc");
    assert_string_equal(tls_suite_text(0x00ff, buf), "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
    assert_string_equal(tls_group_text(0x2a2a, buf), "GREASE");
    assert_string_equal(tls_sig_text(0x0403, buf), "ecdsa_secp256r1_sha256");
    assert_string_equal(tls_version_text(0x7f1c, buf), "0x7f1c");
    assert_null(tls_alert_name(200));
    assert_null(tls_alert_name(65536 + 40));
    assert_int_equal(tls_alert_by_name("no such alert"), -1);
}

static void test_grease(void **state)
{
    unsigned n = 0;

    (void)state;
    for (unsigned code = 0; code < 65536; code++)
        n += tls_is_grease((uint16_t)code);
    assert_int_equal(n, 16); /* RFC 8701 2 */
    assert_true(tls_is_grease(0x0a0a));
    assert_true(tls_is_grease(0xfafa));
    assert_false(tls_is_grease(0x0a1a));
}

static void test_suites_and_versions(void **state)
{
    (void)state;
    assert_true(tls_suite_fits_version(tls_suite_by_name("TLS_AES_128_GCM_SHA256"), TLS_1_3));
    assert_false(tls_suite_fits_version(tls_suite_by_name("TLS_AES_128_GCM_SHA256"), TLS_1_2));
    assert_false(tls_suite_fits_version(tls_suite_by_name("AES128-SHA"), TLS_1_3));
    assert_true(tls_suite_fits_version(tls_suite_by_name("AES128-SHA"), TLS_1_0));
    assert_false(tls_suite_fits_version(tls_suite_by_name("AES128-SHA256"), TLS_1_1));
    assert_true(tls_suite_fits_version(tls_suite_by_name("AES128-SHA256"), TLS_1_2));
    assert_false(tls_suite_fits_version(tls_suite_by_name("ECDHE-RSA-AES128-GCM-SHA256"), TLS_1_1));
}

static bool fits(uint16_t sig, uint16_t version, enum tls_key key, uint16_t group)
{
    return tls_sig_fits_key(tls_sig_find(sig), version, key, group);
}

static void test_schemes_and_keys(void **state)
{
    (void)state;
    assert_true(fits(TLS_SIG_rsa_pss_rsae_sha256, TLS_1_3, TLS_KEY_RSA, 0));
    assert_false(fits(TLS_SIG_rsa_pkcs1_sha256, TLS_1_3, TLS_KEY_RSA, 0));
    assert_true(fits(TLS_SIG_rsa_pkcs1_sha256, TLS_1_2, TLS_KEY_RSA, 0));
    assert_false(fits(TLS_SIG_rsa_pss_pss_sha256, TLS_1_3, TLS_KEY_RSA, 0));
    assert_true(fits(TLS_SIG_ecdsa_secp256r1_sha256, TLS_1_3, TLS_KEY_ECDSA, TLS_GROUP_secp256r1));
    assert_false(fits(TLS_SIG_ecdsa_secp256r1_sha256, TLS_1_3, TLS_KEY_ECDSA, TLS_GROUP_secp384r1));
    /* TLS 1.2: a hash and ECDSA, whatever the curve. */
    assert_true(fits(TLS_SIG_ecdsa_secp256r1_sha256, TLS_1_2, TLS_KEY_ECDSA, TLS_GROUP_secp384r1));
    assert_false(fits(TLS_SIG_ecdsa_sha1, TLS_1_3, TLS_KEY_ECDSA, TLS_GROUP_secp256r1));
    assert_false(fits(TLS_SIG_ecdsa_secp256r1_sha256, TLS_1_2, TLS_KEY_RSA, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_found),
        cmocka_unit_test(test_versions_by_name),
        cmocka_unit_test(test_other_names_of_curves),
        cmocka_unit_test(test_unknown_and_grease_texts),
        cmocka_unit_test(test_grease),
        cmocka_unit_test(test_suites_and_versions),
        cmocka_unit_test(test_schemes_and_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
