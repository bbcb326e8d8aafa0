/* SPDX-License-Identifier: Apache-2.0
 * A certificate and its key in OpenSSL's form, made of mbedTLS's when a session first asks for it;
 * and the start of the library, which comes before all else that it does. */
#ifndef TLS_OPENSSL_OWN_H
#define TLS_OPENSSL_OWN_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "tls/tls_conf_params.h"

struct openssl_own {
    X509 *leaf;
    STACK_OF(X509) * rest; /* what is presented after it, in order */
    EVP_PKEY *key;
};

/* Where it is kept, for the life of the certificate: part of who owns that. Zero: not made yet. */
struct openssl_own_slot {
    _Atomic(struct openssl_own *) own;
};
void openssl_own_slot_clear(struct openssl_own_slot *slot);

/* Borrowed from the identity's slot; without a slot the caller frees it. NULL: OpenSSL cannot read
 * it. */
struct openssl_own *openssl_own_of(const struct tls_identity *identity);
void openssl_own_free(struct openssl_own *own);

/* Start the library once, without the system's configuration file; cheap afterwards. */
void openssl_start(void);

#endif
