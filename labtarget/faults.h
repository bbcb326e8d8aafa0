/* SPDX-License-Identifier: Apache-2.0
 * How a lab target misbehaves: `fault = NAME[:ARGUMENT]`, a row of labtarget/faults.def. */
#ifndef LABTARGET_FAULTS_H
#define LABTARGET_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"
#include "tls/hop.h"

struct conn;
struct tls_offer;

/* Where in the life of a connection a fault applies. */
enum fault_point {
    FAULT_LISTEN,    /* before any connection */
    FAULT_ACCEPT,    /* accepted, nothing read */
    FAULT_HELLO,     /* the ClientHello is whole, nothing answered */
    FAULT_BYTES,     /* at a byte that passes, in either direction, or at all of them */
    FAULT_HANDSHAKE, /* the TLS handshake is over */
    FAULT_REQUEST,   /* a request is whole, nothing answered */
    FAULT_RESPONSE,  /* half of a response is out */
    FAULT_IDLE,      /* a response is out, the connection is kept alive */
};

enum fault_arg {
    FAULT_ARG_NONE,
    FAULT_ARG_BYTES,  /* how many bytes have passed */
    FAULT_ARG_MS,     /* milliseconds */
    FAULT_ARG_NTH,    /* from this request of a connection on */
    FAULT_ARG_ALERT,  /* the name of a TLS alert, or its number */
    FAULT_ARG_STATUS, /* an HTTP status */
    FAULT_ARG_NAME,   /* a host name; may be left out */
    FAULT_ARG_SHA256, /* a fingerprint in hexadecimal; may be left out */
};

struct fault_row {
    const char *name;
    enum fault_point point;
    void (*action)(struct conn *c, const struct tls_offer *offer);
    enum fault_arg arg;
    int64_t def;      /* the argument when it is left out; -1: it must be given */
    bool https_only;  /* means nothing without TLS */
    bool client_auth; /* judges a client certificate, so one must be asked for */
    const char *help;
};

/* A fault as configured. */
struct fault {
    const struct fault_row *row; /* NULL: none */
    uint64_t number;             /* bytes, milliseconds, request, alert or status */
    const char *text;            /* name or fingerprint, "" when left out; into the given text */
};

/* What a connection remembers of its fault. */
struct fault_state {
    uint64_t sent_bytes, received_bytes;
    uint64_t stop_sent, stop_received; /* act when so many have passed; 0: never */
    int stop;                          /* enum conn_act */
    bool plain;                        /* no TLS where TLS belongs */
    bool truncate;                     /* stop in the middle of the first record */
    uint64_t corrupt_at; /* invert this byte of what is sent, counted from 1; 0: none */
    uint64_t dribble_ms; /* one byte each so many milliseconds; 0: no */
    bool may_send;       /* dribbling: the next byte */
    bool throttled;      /* a write waits for the clock, not for the socket */
    uint64_t slow_ms;    /* responses in pieces, so many milliseconds apart; 0: no */
    size_t cut_left;     /* bytes of the response until FAULT_RESPONSE; 0: not armed */
    unsigned status;     /* of the response; 0: 200 */
    bool alerts;         /* refuse the ClientHello with `alert` */
    uint8_t alert;
    bool refuse; /* refuse the ClientHello without a word */
    bool hold;   /* let the ClientHello wait */
};

/* Parse NAME[:ARGUMENT]; "none" gives no row. `text` is borrowed for the life of `out`. 0, or -1
 * with the nearest name, or what the argument must be, in `err` (NULL is fine). */
int fault_parse(const char *text, struct fault *out, struct err *err);
const struct fault_row *fault_rows(size_t *n);
/* The table, for --help and the documentation. */
void fault_print_help(FILE *out);
void fault_print_markdown(FILE *out);

/* The connection has come to a point: act when its fault belongs there. `offer` at FAULT_HELLO. */
void fault_reach(struct conn *c, enum fault_point point, const struct tls_offer *offer);
/* Does the target's fault act at this point of this connection? */
bool fault_applies(const struct conn *c, enum fault_point point);
/* For hop->io of a connection with a fault at FAULT_BYTES; `arg` is the connection. */
ssize_t fault_recv(void *arg, int fd, void *buf, size_t n);
ssize_t fault_send(void *arg, int fd, const void *buf, size_t n);

#endif
