/* SPDX-License-Identifier: Apache-2.0
 * What a prepared TLS configuration is made of (tls/tls_conf.h), and what a session presents: plain
 * data. */
#ifndef TLS_TLS_CONF_PARAMS_H
#define TLS_TLS_CONF_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mbedtls_x509_crl;
struct mbedtls_x509_crt;
struct mbedtls_pk_context;
struct tls_tickets;

enum tls_library { TLS_LIBRARY_MBEDTLS, TLS_LIBRARY_OPENSSL };
enum tls_client_auth { TLS_CLIENT_AUTH_NONE, TLS_CLIENT_AUTH_REQUEST, TLS_CLIENT_AUTH_REQUIRE };

/* Lists are code points in order of preference; an empty list means "what the library has". Code
 * points that it does not have are left out. Nothing is kept: all lists are copied. */
struct tls_conf_params {
    enum tls_library library;
    bool server;
    uint16_t min_version, max_version; /* 0x0303 or 0x0304; OpenSSL: from 0x0301 */
    const uint16_t *suites;
    size_t n_suites;
    const uint16_t *groups;
    size_t n_groups;
    const uint16_t *sig_schemes;
    size_t n_sig_schemes;
    const char *const *alpn; /* NULL-terminated, or NULL: the extension is neither sent nor read */
    enum tls_client_auth client_auth; /* server only */
    struct mbedtls_x509_crt
        *client_ca; /* borrowed for the life of the configuration; may be NULL */
    struct mbedtls_x509_crl *client_crl; /* borrowed like client_ca; NULL: none is looked at */
    struct tls_tickets *tickets; /* server only, borrowed; NULL: no resumption of any kind */
    /* Client only: ask the engine's verify hook (tls_engine_set_verify) inside the handshake.
     * Without it nothing is verified. */
    bool judged;
    /* Client only, borrowed: the certificate to present when the server asks for one of its issuer;
     * both NULL: none. */
    struct mbedtls_x509_crt *own_chain;
    struct mbedtls_pk_context *own_key;
};

/* The certificate and key to present; borrowed for the life of the engine. Both may be NULL. */
struct tls_identity {
    struct mbedtls_x509_crt *chain;
    struct mbedtls_pk_context *key;
    struct openssl_own_slot *slot; /* where OpenSSL's form of the two is kept; NULL: made anew for
                                      each session. See tls/openssl_own.h */
};

#endif
