/* SPDX-License-Identifier: Apache-2.0
 * TLS between two byte streams, no socket: a session of a TLS library over a `struct tls_io`. Which
 * library, the configuration says.
 *
 * What the peer cannot take yet waits in the engine, so the library never meets a full socket;
 * a write that finds something waiting takes nothing and answers HOP_WANT_WRITE. */
#ifndef TLS_TLS_ENGINE_H
#define TLS_TLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "tls/hop.h"
#include "tls/mbedtls_private.h"
#include "tls/tls_conf_params.h"

/* Where the ciphertext goes and comes from: recv(2) and send(2) in shape and errno. `tap`, when
 * set, sees every byte in the order it passes; it may change outgoing bytes in place. */
struct tls_io {
    ssize_t (*recv)(void *arg, void *buf, size_t n);
    ssize_t (*send)(void *arg, const void *buf, size_t n);
    void (*tap)(void *arg, bool incoming, uint8_t *data, size_t n);
    void *arg;
};

struct tls_engine;
struct tls_conf; /* tls/tls_conf.h */

/* `io` is copied. NULL when out of memory. */
struct tls_engine *tls_engine_new(const struct tls_io *io);
void tls_engine_free(struct tls_engine *e);
void tls_engine_set_tap(struct tls_engine *e, void (*tap)(void *, bool, uint8_t *, size_t));

/* Choose how to go on; once, before the first handshake call. `conf` is borrowed. `host_name` is
 * sent as SNI by a client; NULL: no server_name extension. */
int tls_engine_start(struct tls_engine *e, const struct tls_conf *conf,
                     const struct tls_identity *identity, const char *host_name, struct err *err);
/* What a client's verify hook is asked about, inside the handshake. */
struct tls_presented {
    const struct tls_chain *chain; /* as presented, also what the library cannot read */
    uint16_t version, suite;       /* negotiated */
};
/*
 * Ask `verify` about the peer's chain; for a client whose configuration is `judged`, before the
 * first handshake call. returns  0: go on; else the number of the alert to send. mbedTLS can send
 * bad_certificate, unsupported_certificate, certificate_revoked, certificate_expired,
 * certificate_unknown, unknown_ca and access_denied here; any other number goes out as
 * certificate_unknown. The engine then fails with HOP_CAUSE_ALERT_OUT. A chain that `verify`
 * accepts though mbedTLS cannot read its leaf ends the same way, with tls_chain.leaf_error set.
 */
void tls_engine_set_verify(struct tls_engine *e,
                           int (*verify)(void *arg, const struct tls_presented *p), void *arg);
/* A client's certificate: did the server ask for one, how many authorities did it name, and did
 * this side keep its certificate back because none of them issued it (JDK: X509KeyManager)? */
struct tls_cert_request {
    bool seen;
    bool withheld;
    size_t authorities;
};
const struct tls_cert_request *tls_engine_cert_request(const struct tls_engine *e);
/* Bytes that were taken from the peer before tls_engine_start(): read first. Copied. */
int tls_engine_replay(struct tls_engine *e, const void *data, size_t n);

/* "mbedtls" or "openssl"; NULL before tls_engine_start(). */
const char *tls_engine_library(const struct tls_engine *e);
enum hop_status tls_engine_handshake(struct tls_engine *e);
enum hop_status tls_engine_read(struct tls_engine *e, void *buf, size_t size, size_t *got);
enum hop_status tls_engine_write(struct tls_engine *e, const void *data, size_t n, size_t *put);
enum hop_status tls_engine_close_notify(struct tls_engine *e);
/* Send a fatal alert under the keys in effect. 0, or -1. */
int tls_engine_send_alert(struct tls_engine *e, uint8_t number);
enum hop_status tls_engine_flush(struct tls_engine *e);
size_t tls_engine_pending(const struct tls_engine *e);
/* Did the last EOF come with close_notify (true) or only with FIN? */
bool tls_engine_closed_in_order(const struct tls_engine *e);

/* Facts of the session; zero and NULL before there is one. */
uint16_t tls_engine_version(const struct tls_engine *e);
uint16_t tls_engine_suite(const struct tls_engine *e);
const char *tls_engine_alpn(const struct tls_engine *e);
/* What mbedTLS found wrong with the peer's certificate (MBEDTLS_X509_BADCERT_*), 0: nothing. */
uint32_t tls_engine_verify_flags(const struct tls_engine *e);
/* Certificates the peer presented, as presented; the caller may take them (and leave it empty). */
struct tls_chain *tls_engine_peer_chain(struct tls_engine *e);
/* The last fatal alert read; level 0 when none. */
void tls_engine_alert_in(const struct tls_engine *e, uint8_t *level, uint8_t *number);
/* The fatal alert this side decided on under encryption, 0 when none is known. */
uint8_t tls_engine_alert_out(const struct tls_engine *e);
void tls_engine_failure(const struct tls_engine *e, struct hop_failure *out);

/* Write TLS secrets in NSS key log format to the open file `fd` (-1: never, the default).
 * Process-wide; set before any thread. Only `--allow-key-log` may call this. */
void tls_key_log_to(int fd);

#endif
