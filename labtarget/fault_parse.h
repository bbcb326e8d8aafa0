/* SPDX-License-Identifier: Apache-2.0
 * The faults as they are written: `fault = NAME[:ARGUMENT]`, a row of labtarget/faults.def. */
#ifndef LABTARGET_FAULT_PARSE_H
#define LABTARGET_FAULT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/err.h"

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

/* Parse NAME[:ARGUMENT]; "none" gives no row. `text` is borrowed for the life of `out`. 0, or -1
 * with the nearest name, or what the argument must be, in `err` (NULL is fine). */
int fault_parse(const char *text, struct fault *out, struct err *err);
/* labtarget/faults.c: the rows, with what each does. */
const struct fault_row *fault_rows(size_t *n);
/* The table, for --help and the documentation. */
void fault_print_help(FILE *out);
void fault_print_markdown(FILE *out);

#endif
