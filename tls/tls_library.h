/* SPDX-License-Identifier: Apache-2.0
 * The two TLS libraries behind one table of functions; for the files of tls/ alone. A library makes
 * configurations (tls/tls_conf.h) and drives sessions over the bytes that the engine moves
 * (tls/tls_engine.h). */
#ifndef TLS_TLS_LIBRARY_H
#define TLS_TLS_LIBRARY_H

#include "tls/hop.h"
#include "tls/tls_conf_params.h"
#include "tls/tls_engine.h"

/* How a call into a library ended. */
enum tls_ended {
    TLS_ENDED_OK,
    TLS_ENDED_WANTING,  /* more bytes from the peer */
    TLS_ENDED_NOTIFIED, /* the peer's close_notify */
    TLS_ENDED_CUT,      /* the peer's end without one, or the end of the socket */
    TLS_ENDED_ALERT,    /* the peer's fatal alert: in `alert_level`, `alert_number` */
    TLS_ENDED_FAILED,   /* `error` */
};

struct tls_library_ops {
    const char *name;
    size_t message_max; /* octets of the longest handshake message that it takes */
    /* NULL when it does not take `p`. */
    struct tls_conf *(*conf_new)(const struct tls_conf_params *p);
    void (*conf_free)(struct tls_conf *conf);
    /* A session under e->conf. 0, or -1: no memory. */
    int (*start)(struct tls_engine *e, const char *host_name);
    void (*stop)(struct tls_engine *e);
    enum tls_ended (*handshake)(struct tls_engine *e);
    enum tls_ended (*read)(struct tls_engine *e, void *buf, size_t size, size_t *got);
    enum tls_ended (*write)(struct tls_engine *e, const void *data, size_t n, size_t *put);
    void (*close_notify)(struct tls_engine *e);
    int (*send_alert)(struct tls_engine *e, uint8_t number);
    size_t (*pending)(const struct tls_engine *e);
    uint16_t (*version)(const struct tls_engine *e);
    uint16_t (*suite)(const struct tls_engine *e);
    const char *(*alpn)(const struct tls_engine *e);
    uint32_t (*verify_flags)(const struct tls_engine *e);
    uint8_t (*alert_out)(const struct tls_engine *e);
};

/* The head of each library's configuration. */
struct tls_conf {
    const struct tls_library_ops *library;
    bool server;
    struct mbedtls_x509_crt *own; /* borrowed: a client's certificate; NULL: nothing to present */
};

struct tls_engine {
    const struct tls_library_ops *library; /* NULL before tls_engine_start() */
    void *session;                         /* the library's; owned through its stop() */
    struct tls_io io;
    struct tls_identity identity;
    const struct tls_conf *conf; /* borrowed */
    int (*verify)(void *arg, const struct tls_presented *p);
    void *verify_arg;
    struct tls_cert_request request;
    struct tls_chain peer_chain;
    struct hop_failure failure;
    uint8_t *kept; /* owned: received, not yet taken by the library; between calls only */
    const uint8_t *in;
    size_t in_left; /* unread received bytes: in `scratch` inside a call, in `kept` between */
    uint8_t *out;   /* owned: what the peer could not take yet */
    size_t out_at, out_len;
    int error; /* the library's, of the call that failed last: see tls/tls_error.h */
    uint8_t alert_level, alert_number;
    unsigned answers; /* records sent while the peer's data was read */
    bool secured, reading;
    bool flooded; /* the peer asks for answers without an end */
    bool eof, closed_in_order;
    bool send_dead; /* sending failed; reading goes on, an alert may be waiting there */
    int send_errno;
    bool close_sent;
};

/* --- what a library calls --- */
/* Bytes from the peer: how many, 0 at its FIN, TLS_RECV_NONE when there is nothing now,
 * TLS_RECV_FAILED when the socket failed. */
#define TLS_RECV_NONE   (-1)
#define TLS_RECV_FAILED (-2)
ssize_t tls_engine_recv(struct tls_engine *e, void *buf, size_t n);
/* Whole records toward the peer; all are taken. 0, or -1: no memory, or the peer makes this side
 * answer without an end. The tap may change them in place. */
int tls_engine_send(struct tls_engine *e, uint8_t *data, size_t n);
/* A CertificateRequest has been read (its body): was it for our certificate? Noted in e->request;
 * `withheld` says to go on without. */
void tls_engine_look_at_request(struct tls_engine *e, const uint8_t *body, size_t n);
/* Ask the verify hook. 0, or the number of the alert to send. */
int tls_engine_ask_verify(struct tls_engine *e, uint16_t version, uint16_t suite);
/* One line of the key log, newline and all; tls_key_log_is_on() says whether anybody reads it. */
bool tls_key_log_is_on(void);
void tls_key_log_line(const char *line, size_t n);

#endif
