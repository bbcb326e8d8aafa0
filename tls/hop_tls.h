/* SPDX-License-Identifier: Apache-2.0
 * A hop with TLS on a socket, server or client. The server reads the ClientHello first and asks a
 * hello callback how to go on, because mbedTLS cannot decide some things as AWS does
 * (docs/libraries.md).
 */
#ifndef TLS_HOP_TLS_H
#define TLS_HOP_TLS_H

#include "tls/hop.h"
#include "tls/tls_engine.h"
#include "tls/tls_wire.h"

struct tls_alert {
    bool seen;
    bool encrypted; /* it came, or went, under encryption */
    uint8_t level, number;
};

/* What is known of one TLS hop, during and after it. */
struct tls_facts {
    bool has_offer;
    struct tls_offer offer;  /* server: what the client offered; valid when `has_offer` */
    enum tls_first first;    /* server: what the first bytes were; TLS_FIRST_TOO_LARGE with
                                `has_offer`: too large for the library alone */
    const char *first_why;   /* static; NULL when nothing is to be said */
    uint8_t first_bytes[24]; /* client: what the peer said first */
    uint8_t n_first_bytes;
    const char *library;            /* "mbedtls", "openssl"; static, NULL: none was asked yet */
    bool secured;                   /* the handshake came to its end */
    uint16_t version, suite, group; /* 0: not negotiated */
    char alpn[32];                  /* empty: none */
    bool resumed;
    bool cert_requested;     /* client: the server asked for a certificate */
    bool cert_withheld;      /* client: ours was kept back, none of the named issued it */
    size_t cert_authorities; /* client: how many authorities the server named */
    struct tls_alert alert_in, alert_out;
    uint8_t alert_meant;         /* what alert_out stands for where a close_notify took its place */
    struct tls_chain peer_chain; /* as presented; empty when none was seen */
    uint32_t verify_flags;       /* of the peer's certificate, where one was asked for: see
                                    tls_verify_text(); 0: fine, or nothing was checked */
    int tls_error;               /* mbedTLS's number of the failure, 0: none */
    bool closed_in_order;        /* the peer's close_notify came before its FIN */
    uint64_t hello_us, secured_us; /* clock_mono_us(); 0: did not happen */
};
void tls_facts_free(struct tls_facts *f); /* NULL is fine */

/* The answer to a ClientHello. Zero means: refuse without an alert. */
struct hop_tls_answer {
    const struct tls_conf *conf; /* go on with this; borrowed for the life of the hop */
    struct tls_identity identity;
    bool hold;           /* secure() answers HOP_HELD once before the handshake goes on */
    uint8_t alert_level; /* with `conf` NULL: send this alert and end (HOP_CAUSE_REFUSED) */
    uint8_t alert_number;
    uint8_t alert_meant; /* what alert_number stands for, where it is a close_notify; else 0 */
};
/* Called once per connection, when the ClientHello is whole (or malformed: offer->malformed). */
typedef void (*hop_tls_hello_cb)(void *arg, const struct tls_offer *offer,
                                 struct hop_tls_answer *out);

/* A server hop on a connected socket. Takes `fd` on success. `soften`: alerts that mbedTLS sends in
 * plaintext during the handshake become close_notify, as s2n-tls does (s2n-tls, tls/s2n_alerts.c).
 */
struct hop *hop_tls_server_new(int fd, hop_tls_hello_cb hello_cb, void *arg, bool soften);
/* A client hop. `host_name`: sent as SNI; NULL: no server_name extension. `identity` may be NULL.
 */
struct hop *hop_tls_client_new(int fd, const struct tls_conf *conf, const char *host_name,
                               const struct tls_identity *identity);

/* A client's verify hook, before the first secure(); see tls_engine_set_verify(). */
void hop_tls_set_verify(struct hop *h, int (*verify)(void *arg, const struct tls_presented *p),
                        void *arg);

/* A server's, before the first secure(): a ClientHello longer than this is refused unread. */
void hop_tls_set_hello_max(struct hop *h, size_t bytes);
/* Change the argument of the hello callback, before the first secure(). */
void hop_tls_set_arg(struct hop *h, void *arg);

/* Send a fatal alert: encrypted once the handshake is over, in plaintext before. The caller then
 * closes. */
void hop_tls_send_alert(struct hop *h, uint8_t number);

/* What is known so far; borrowed. NULL for a hop that is not TLS. */
const struct tls_facts *hop_tls_facts(const struct hop *h);
/* The same, to keep: the caller frees it; the hop goes on without. */
struct tls_facts *hop_tls_take_facts(struct hop *h);

#endif
