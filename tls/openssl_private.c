/* SPDX-License-Identifier: Apache-2.0
 * OpenSSL against its grain. */
#include "tls/openssl_private.h"

/* ssl/s3_msg.c; what SSL_shutdown() sends close_notify with. A connection begins with its SSL. */
__attribute__((weak)) int ssl3_send_alert(void *connection, int level, int number);

int openssl_private_alert(SSL *ssl, uint8_t number)
{
    if (ssl3_send_alert == NULL || SSL_is_quic(ssl))
        return -1;
    return ssl3_send_alert(ssl, SSL3_AL_FATAL, number) > 0 ? 0 : -1;
}

/* libssl asks this before it presents an ECDSA certificate, and before it takes one from a peer:
 * both as if nothing was said, because an NLB validates nothing of its targets, and a lab presents
 * what is wrong. */
#ifdef NLB_OPENSSL_SHARED
#define KEY_USAGE X509_get_key_usage
#else
#define KEY_USAGE __wrap_X509_get_key_usage
uint32_t KEY_USAGE(X509 *cert);
#endif

uint32_t KEY_USAGE(X509 *cert)
{
    (void)cert;
    return UINT32_MAX;
}
