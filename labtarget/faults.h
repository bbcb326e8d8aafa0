/* SPDX-License-Identifier: Apache-2.0
 * How a lab target misbehaves: what each fault of labtarget/faults.def does to a connection. */
#ifndef LABTARGET_FAULTS_H
#define LABTARGET_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "labtarget/fault_parse.h"

struct conn;
struct tls_offer;

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

/* The connection has come to a point: act when its fault belongs there. `offer` at FAULT_HELLO. */
void fault_act_at(struct conn *c, enum fault_point point, const struct tls_offer *offer);
/* Does the target's fault act at this point of this connection? */
bool fault_applies(const struct conn *c, enum fault_point point);
/* For hop->io of a connection with a fault at FAULT_BYTES; `arg` is the connection. */
ssize_t fault_recv(void *arg, int fd, void *buf, size_t n);
ssize_t fault_send(void *arg, int fd, const void *buf, size_t n);

#endif
