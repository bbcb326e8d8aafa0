/* SPDX-License-Identifier: Apache-2.0
 * TLS hops over memory that do the same at every run: their random numbers and clocks are fixed, so
 * that a handshake can be recorded once and played to one side with changes; and a peer whose
 * handshake messages are changed before they are encrypted. */
#ifndef TESTS_FUZZ_LIB_TLS_BENCH_H
#define TESTS_FUZZ_LIB_TLS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bytes.h"
#include "tls/hop_tls.h"
#include "tls/tls_conf_params.h"

/* How both sides are set up: an octet of the input. */
enum bench_bits {
    BENCH_VERSIONS = 3, /* 0: TLS 1.3, 1: TLS 1.2, 2: 1.2 without a key exchange, 3: either */
    BENCH_ASK = 4,      /* the server asks for a certificate */
    BENCH_CERT = 8,     /* the client has one */
    BENCH_TICKETS = 16, /* the server gives session tickets */
    BENCH_RSA = 32,     /* the server's key */
    BENCH_SOFTEN = 64,  /* server: alerts as s2n-tls sends them, and hold once */
    BENCH_REFUSE = 128, /* client: what the server presents is refused */
};

/* One direction; reading at its end gives EAGAIN, or what `end` says. */
struct bench_wire {
    uint8_t *at;
    size_t n, taken, room;
    size_t piece; /* most octets of one read; 0: no limit */
    int end;      /* 0: EAGAIN; -1: FIN; else an errno */
};
void bench_wire_put(struct bench_wire *w, const void *data, size_t n);
void bench_wire_clear(struct bench_wire *w);

struct bench_hop {
    struct hop *hop;
    struct hop_io io;
    struct bench_wire *in, *out;
    bool server;
    uint8_t bits;
    int asked; /* how often the hello callback or the verify hook was called */
};
void bench_hop_start(struct bench_hop *h, bool server, uint8_t bits, struct bench_wire *in,
                     struct bench_wire *out);
/* The same on a socket (taken). */
void bench_hop_on(struct bench_hop *h, bool server, uint8_t bits, int fd);
/* Go on until it waits: secure it, then read; a server sends back what came. Checks what must hold.
 * True: it has ended, one way or the other. */
bool bench_hop_go(struct bench_hop *h);
void bench_hop_end(struct bench_hop *h);

/* The libraries of the client and the server from here on; mbedTLS unless said otherwise. A side
 * whose messages are changed is mbedTLS's. */
void bench_libraries(enum tls_library client, enum tls_library server);

/* What one side sends in an undisturbed run, recorded once for each `bits`; `*secured` (may be
 * NULL): did that run secure both sides? */
const struct bench_wire *bench_recorded(bool by_server, uint8_t bits, bool *secured);

/* Both sides until nothing moves any more. True: both were secured. */
bool bench_pair_run(uint8_t bits, struct bench_wire *up, struct bench_wire *down);

/*
 * From now on the handshake messages of one side go through `change`, with the message's type and
 * its body of `*n` octets, which may be changed and made longer up to `room`. `arg` NULL: no more.
 */
void bench_change(bool of_server,
                  void (*change)(void *arg, uint8_t type, uint8_t *body, size_t *n, size_t room),
                  void *arg);
/* Whose random numbers are taken from here on, and whose messages are changed: 0 a bench's client,
 * 1 a bench's server, 2 what stands between them. bench_restart(): all of them from the beginning.
 */
void bench_turn(unsigned who);
void bench_restart(void);
/* Take one change from `*script` and make it in `at`, which has room: an octet is set or turned,
 * octets are taken out, put in, said twice, or all from a place on is cut. False: the script has
 * ended. */
bool bench_edit(struct bytes *script, uint8_t *at, size_t *n, size_t room);
/* Something that the fuzzer shall see as progress. */
void bench_note(unsigned what);

#endif
