/* SPDX-License-Identifier: Apache-2.0
 * OpenSSL against its grain: what its library can do and has no name for in its headers, and a
 * function of it that is replaced. docs/libraries.md has what was measured. */
#ifndef TLS_OPENSSL_PRIVATE_H
#define TLS_OPENSSL_PRIVATE_H

#include <openssl/ssl.h>
#include <stdint.h>

/* Send a fatal alert under the keys in effect. 0, or -1: also where libssl is a shared library,
 * which hides the function. */
int openssl_private_alert(SSL *ssl, uint8_t number);

#endif
