/* SPDX-License-Identifier: Apache-2.0
 * The error numbers of the TLS libraries, and verdicts about certificates, as text. */
#include "tls/tls_error.h"

#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

#include "tls/tls_params.h"

const char *tls_error_text(int error, char *out, size_t size)
{
    size_t n;

    out[0] = '\0';
    if (error == 0)
        return out;
    if (error == TLS_ERROR_FLOOD) {
        snprintf(out, size,
                 "the peer sent messages that ask for an answer without an end (refused "
                 "renegotiations), or did not read the answers");
        return out;
    }
    if (error > 0) {
        const char *reason = ERR_reason_error_string((unsigned long)error);

        snprintf(out, size, "SSL - %s (0x%08x)", reason == NULL ? "unknown error" : reason,
                 (unsigned)error);
        return out;
    }
    mbedtls_strerror(error, out, size);
    n = strlen(out);
    snprintf(out + n, size - n, " (-0x%04x)", (unsigned)-error);
    return out;
}

/* In the order in which one of several is told. Alerts: RFC 8446, section 6.2; which flag goes with
 * which is mbedTLS's own choice for TLS 1.2 (ssl_tls.c), so that both versions say the same. */
static const struct verdict {
    uint32_t flag;
    uint8_t alert;
    const char *text;
} verdicts[] = {
    { MBEDTLS_X509_BADCERT_MISSING, TLS_ALERT_certificate_required, "no certificate" },
    { MBEDTLS_X509_BADCERT_KEY_USAGE, TLS_ALERT_unsupported_certificate, "key usage" },
    { MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, TLS_ALERT_unsupported_certificate, "extended key usage" },
    { MBEDTLS_X509_BADCERT_BAD_MD, TLS_ALERT_unsupported_certificate, "hash not accepted" },
    { MBEDTLS_X509_BADCERT_BAD_PK, TLS_ALERT_unsupported_certificate, "key type not accepted" },
    { MBEDTLS_X509_BADCERT_BAD_KEY, TLS_ALERT_unsupported_certificate, "key not accepted" },
    { MBEDTLS_X509_BADCERT_EXPIRED, TLS_ALERT_certificate_expired, "expired" },
    { MBEDTLS_X509_BADCERT_FUTURE, TLS_ALERT_certificate_expired, "not yet valid" },
    { MBEDTLS_X509_BADCERT_REVOKED, TLS_ALERT_certificate_revoked, "revoked" },
    { MBEDTLS_X509_BADCERT_NOT_TRUSTED, TLS_ALERT_unknown_ca, "not trusted" },
    { UINT32_MAX, TLS_ALERT_certificate_unknown, "not accepted" },
};
#define N_VERDICTS (sizeof verdicts / sizeof verdicts[0])

const char *tls_verify_text(uint32_t flags, char *out, size_t size)
{
    size_t n = 0;

    snprintf(out, size, "ok");
    for (size_t i = 0; i < N_VERDICTS && flags != 0 && n < size; i++) {
        if ((flags & verdicts[i].flag) == 0)
            continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "", verdicts[i].text);
        flags &= ~verdicts[i].flag;
    }
    return out;
}

uint8_t tls_verify_alert(uint32_t flags)
{
    size_t i = 0;

    while ((flags & verdicts[i].flag) == 0 && i < N_VERDICTS - 1)
        i++;
    return verdicts[i].alert;
}

const char *tls_error_lacking(int error, uint16_t version, bool pss)
{
    switch (error) {
    case MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL:
    case MBEDTLS_ERR_SSL_BAD_INPUT_DATA: /* a message longer than its buffer */
        return "handshake messages over 16 KiB";
    case MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE:
        return "a feature of TLS that the server uses";
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        return version != 0 && version < TLS_1_2 ? tls_version_name(version) : NULL;
    case MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER:
        return pss && version != TLS_1_3 ? "RSA-PSS signatures in TLS 1.2" : NULL;
    default:
        return NULL;
    }
}

const char *tls_error_server_lacking(int error)
{
    return error == MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL ? "certificate messages over 16 KiB" : NULL;
}

enum tls_trouble tls_error_trouble(int error)
{
    if (error > 0 && ERR_GET_LIB((unsigned long)error) == ERR_LIB_SSL) {
        switch (ERR_GET_REASON((unsigned long)error)) {
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_WRONG_SSL_VERSION:
        case SSL_R_WRONG_VERSION_NUMBER:
            return TLS_TROUBLE_VERSION;
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
            return TLS_TROUBLE_MAC;
        case SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY:
            return TLS_TROUBLE_CLOSE;
        default:
            return TLS_TROUBLE_OTHER;
        }
    }
    switch (error) {
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
        return TLS_TROUBLE_VERSION;
    case MBEDTLS_ERR_SSL_INVALID_MAC:
        return TLS_TROUBLE_MAC;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return TLS_TROUBLE_CLOSE;
    case MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE:
    case MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL:
    case MBEDTLS_ERR_SSL_BAD_INPUT_DATA:
        return TLS_TROUBLE_UNSUPPORTED;
    default:
        return TLS_TROUBLE_OTHER;
    }
}
