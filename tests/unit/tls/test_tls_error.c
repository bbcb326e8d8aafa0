/* SPDX-License-Identifier: Apache-2.0
 * Error numbers and verdicts of the TLS library as words and alerts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>

#include "tls/tls_error.h"
#include "tls/tls_params.h"

static void errors_have_words_and_a_number(void **state)
{
    char text[200];

    (void)state;
    assert_string_equal(tls_error_text(0, text, sizeof text), "");
    (void)tls_error_text(MBEDTLS_ERR_SSL_INVALID_MAC, text, sizeof text);
    assert_non_null(strstr(text, "MAC"));
    assert_non_null(strstr(text, "(-0x7180)"));
    (void)tls_error_text(TLS_ERROR_FLOOD, text,
                         sizeof text); /* ours: mbedTLS has no words for it */
    assert_non_null(strstr(text, "without an end"));
    for (size_t size = 1; size < 30; size++) {
        (void)tls_error_text(MBEDTLS_ERR_SSL_INVALID_MAC, text, size);
        assert_true(strlen(text) < size);
    }
}

static void every_verdict_has_its_words_and_alert(void **state)
{
    static const struct {
        uint32_t flags;
        uint8_t alert;
        const char *text;
    } rows[] = {
        { 0, 0, "ok" },
        { MBEDTLS_X509_BADCERT_MISSING, TLS_ALERT_certificate_required, "no certificate" },
        { MBEDTLS_X509_BADCERT_EXPIRED, TLS_ALERT_certificate_expired, "expired" },
        { MBEDTLS_X509_BADCERT_FUTURE, TLS_ALERT_certificate_expired, "not yet valid" },
        { MBEDTLS_X509_BADCERT_REVOKED, TLS_ALERT_certificate_revoked, "revoked" },
        { MBEDTLS_X509_BADCERT_NOT_TRUSTED, TLS_ALERT_unknown_ca, "not trusted" },
        { MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, TLS_ALERT_unsupported_certificate,
          "extended key usage" },
        { MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_EXPIRED,
          TLS_ALERT_certificate_expired, "expired, not trusted" },
        { MBEDTLS_X509_BADCERT_OTHER, TLS_ALERT_certificate_unknown, "not accepted" },
        { MBEDTLS_X509_BADCERT_OTHER | MBEDTLS_X509_BADCERT_NOT_TRUSTED, TLS_ALERT_unknown_ca,
          "not trusted, not accepted" },
    };
    char text[120];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(tls_verify_text(rows[i].flags, text, sizeof text), rows[i].text);
        if (rows[i].flags != 0)
            assert_int_equal(tls_verify_alert(rows[i].flags), rows[i].alert);
    }
    for (size_t size = 1; size < 20; size++) {
        (void)tls_verify_text(UINT32_MAX, text, size);
        assert_true(strlen(text) < size);
    }
}

/* What the library lacks must never be told as what AWS would do. */
static void what_the_library_lacks(void **state)
{
    (void)state;
    assert_non_null(tls_error_lacking(MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL, TLS_1_3, false));
    assert_non_null(tls_error_server_lacking(MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL));
    assert_string_equal(tls_error_lacking(MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, 0x0302, false),
                        "TLSv1.1");
    assert_null(tls_error_lacking(MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, TLS_1_2, false));
    assert_null(tls_error_lacking(MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION, 0, false));
    assert_non_null(tls_error_lacking(MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, TLS_1_2, true));
    assert_null(tls_error_lacking(MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, TLS_1_3, true));
    assert_null(tls_error_lacking(MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER, TLS_1_2, false));
    assert_null(tls_error_lacking(MBEDTLS_ERR_SSL_INVALID_MAC, TLS_1_2, true));
    assert_null(tls_error_server_lacking(MBEDTLS_ERR_SSL_INVALID_MAC));
}

static void kinds_of_trouble(void **state)
{
    (void)state;
    assert_int_equal(tls_error_trouble(MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION), TLS_TROUBLE_VERSION);
    assert_int_equal(tls_error_trouble(MBEDTLS_ERR_SSL_INVALID_MAC), TLS_TROUBLE_MAC);
    assert_int_equal(tls_error_trouble(MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY), TLS_TROUBLE_CLOSE);
    assert_int_equal(tls_error_trouble(MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL), TLS_TROUBLE_UNSUPPORTED);
    assert_int_equal(tls_error_trouble(MBEDTLS_ERR_SSL_CONN_EOF), TLS_TROUBLE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_words_and_a_number),
        cmocka_unit_test(every_verdict_has_its_words_and_alert),
        cmocka_unit_test(what_the_library_lacks),
        cmocka_unit_test(kinds_of_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
