/* SPDX-License-Identifier: Apache-2.0
 * Every use of mbedTLS against its grain: private fields and replaced functions, in one place, with
 * a self-test that runs at start-up. What was measured stands in docs/libraries.md. */
#ifndef TLS_MBEDTLS_PRIVATE_H
#define TLS_MBEDTLS_PRIVATE_H

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* The peer's chain as it was presented, whether or not mbedTLS could read it. */
#define TLS_CHAIN_MAX       16
#define TLS_CHAIN_BYTES_MAX (64 * 1024)
struct tls_chain {
    size_t n; /* certificates kept; the rest of a longer chain is only counted */
    size_t presented;
    size_t bytes;
    int leaf_error; /* why mbedTLS cannot read the leaf, its negative number; see
                       tls_private_leaf_only() */
    struct {
        uint8_t *der; /* owned */
        size_t len;
    } at[TLS_CHAIN_MAX];
};
void tls_chain_clear(struct tls_chain *c);
/* Append a copy. Past either bound the certificate is only counted. */
void tls_chain_add(struct tls_chain *c, const uint8_t *der, size_t len);

/* SHA-256 over the certificates kept and `text` (NULL: none). */
#define TLS_CHAIN_HASH_BYTES 32
void tls_chain_hash(const struct tls_chain *c, const char *text,
                    uint8_t hash[TLS_CHAIN_HASH_BYTES]);

/* From now until called with NULL, each certificate that mbedTLS parses on this thread is also
 * copied to `c`. Wraps mbedtls_x509_crt_parse_der, which meanwhile accepts any extension: an NLB
 * validates nothing of its targets (NLB guide, "Target groups for your Network Load Balancers"). */
void tls_private_capture(struct tls_chain *c);
/* While it is on (this thread), and a chain is being captured, mbedTLS itself gets only the leaf:
 * who judges the chain is the verify hook (tls/tls_engine.h). A leaf that mbedTLS cannot read is
 * replaced by a stand-in, so that the hook is asked all the same. */
void tls_private_leaf_only(bool on);

/* State of the handshake and the handshake message read last (header and body). */
int tls_private_state(const mbedtls_ssl_context *ssl);
const uint8_t *tls_private_message(const mbedtls_ssl_context *ssl, size_t *len);
/* Suite of the session that is being negotiated; 0: none yet. */
uint16_t tls_private_suite(const mbedtls_ssl_context *ssl);
/* Go on under a configuration that differs only in having no certificate of its own. */
void tls_private_set_conf(mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf);
/* A copy of `conf` without a certificate of its own; it owns nothing. */
void tls_private_without_cert(mbedtls_ssl_config *out, const mbedtls_ssl_config *conf);

/* Number of the fatal alert that mbedTLS has just read (after MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE);
 * level in *level. */
uint8_t tls_private_alert_in(const mbedtls_ssl_context *ssl, uint8_t *level);
/* Number of the alert that the TLS 1.3 code path decided to send, 0 when none. */
uint8_t tls_private_alert_out(const mbedtls_ssl_context *ssl);

/* Let a server present this certificate whatever its keyUsage and extendedKeyUsage say. */
void tls_private_allow_any_usage(mbedtls_x509_crt *crt);

/* Check that the library is the one this file was written for, and that the replaced functions are
 * really reached. Returns 0, or -1 with the reason. */
int tls_private_self_test(struct err *err);

#endif
