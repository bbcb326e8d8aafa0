/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration: plain code points in, one immutable mbedTLS configuration out,
 * shared by any number of connections and threads. */
#ifndef TLS_TLS_CONF_H
#define TLS_TLS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct mbedtls_ssl_config;
struct mbedtls_x509_crl;
struct mbedtls_x509_crt;
struct mbedtls_pk_context;
struct tls_tickets;

enum tls_client_auth { TLS_CLIENT_AUTH_NONE, TLS_CLIENT_AUTH_REQUEST, TLS_CLIENT_AUTH_REQUIRE };

/* Lists are code points in order of preference; an empty list means "what mbedTLS has". Code points
 * that mbedTLS does not have are left out. Nothing is kept: all lists are copied. */
struct tls_conf_params {
    bool server;
    uint16_t min_version, max_version; /* 0x0303 or 0x0304 */
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
};

struct tls_conf;
/* NULL with the reason in `err`. */
struct tls_conf *tls_conf_new(const struct tls_conf_params *params, struct err *err);
void tls_conf_free(struct tls_conf *conf);
const struct mbedtls_ssl_config *tls_conf_ssl(const struct tls_conf *conf);
/* The same without `own_chain`; NULL where there is none. */
const struct mbedtls_ssl_config *tls_conf_anonymous(const struct tls_conf *conf);
/* Does the chain to be presented hold a certificate of this issuer (a DER Name)? */
bool tls_conf_issued_by(const struct tls_conf *conf, const uint8_t *name, size_t len);

/* Session ticket keys (TLS 1.2 tickets and TLS 1.3 PSK), safe to share between threads.
 * `lifetime_s` is how long a ticket is accepted. */
struct tls_tickets *tls_tickets_new(uint32_t lifetime_s, struct err *err);
void tls_tickets_free(struct tls_tickets *tickets);

/* Start the crypto library and check it (tls_private_self_test); once, before any thread.
 * 0, or -1 with the reason. */
int tls_init(struct err *err);
/* Fill with random bytes from this thread's generator; mbedTLS's f_rng shape (0 is success). */
int tls_random(void *unused, unsigned char *out, size_t n);
/* Free what this thread's generator holds; call before a thread that used TLS ends. */
void tls_thread_done(void);

#endif
