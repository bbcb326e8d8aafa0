/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration of OpenSSL; see tls/tls_conf.h. */
#ifndef TLS_CONF_OPENSSL_H
#define TLS_CONF_OPENSSL_H

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "tls/tls_library.h"

struct conf_openssl {
    struct tls_conf conf;          /* first */
    struct tls_conf_params params; /* its lists are turned into the texts below */
    char *suites_12, *suites_13;   /* owned, as OpenSSL reads them; NULL: its own list */
    char *groups, *sig_schemes;
    uint8_t *alpn; /* owned, as in the extension; NULL: none */
    unsigned alpn_len;
    _Atomic(SSL_CTX *) ctx; /* made by the first session: a third of a millisecond each */
};

struct tls_conf *conf_openssl_new(const struct tls_conf_params *p);
void conf_openssl_free(struct tls_conf *conf);

/* OpenSSL's own; `verify` is what it asks about the peer's chain. NULL: it does not take the
 * configuration. */
SSL_CTX *conf_openssl_ctx(const struct tls_conf *conf, int (*verify)(X509_STORE_CTX *, void *));

#endif
