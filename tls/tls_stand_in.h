/* SPDX-License-Identifier: Apache-2.0
 * A self-signed certificate (P-256, CN=nlbsim) that no peer presents and nobody trusts. mbedTLS
 * wants some authority before it asks for a verdict, and some leaf where it cannot read the peer's;
 * its key was thrown away. */
#ifndef TLS_TLS_STAND_IN_H
#define TLS_TLS_STAND_IN_H

#include <stddef.h>

extern const unsigned char tls_stand_in_der[];
extern const size_t tls_stand_in_size;

#endif
