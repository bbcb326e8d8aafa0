/* SPDX-License-Identifier: Apache-2.0
 * Two TLS engines wired back to back over memory, with short reads, short writes and EAGAIN at
 * will; certificates of a lab for tests. */
#ifndef TESTS_LIB_TLSPAIR_H
#define TESTS_LIB_TLSPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/store/identity.h"
#include "tls/tls_conf.h"
#include "tls/tls_engine.h"

/* One lab certificate per spec, shared by all tests of a program; fails the test when it cannot be
 * had. `spec` is "valid", "self-signed", ... (for host api.example.com). */
const struct identity *test_cert(const char *profile);
/* Free them (at the end of the program, for the leak checker). */
void test_certs_free(void);

/* Bytes on their way in one direction. */
struct mem_pipe {
    uint8_t *at;
    size_t len, cap; /* `cap` allocated */
    size_t room;     /* what the "socket buffer" takes; 0: all */
    bool fin;        /* the writer has ended */
    int error;       /* errno that the reader gets once everything is read; 0: none */
};

/* One end: what its recv and send do. */
struct mem_end {
    struct mem_pipe *in, *out;
    size_t recv_max, send_max; /* most bytes per call; 0: no limit */
    bool hiccup;               /* every other call answers EAGAIN */
    int send_error;            /* errno of every send; 0: none */
    unsigned recvs, sends;     /* calls */
    size_t tapped_in, tapped_out;
};

/* Shaped for struct tls_io; `arg` is a struct mem_end. */
ssize_t mem_recv(void *arg, void *buf, size_t n);
ssize_t mem_send(void *arg, const void *buf, size_t n);
void mem_tap(void *arg, bool incoming, uint8_t *data, size_t n);

struct tls_pair {
    struct tls_conf *client_conf, *server_conf;
    struct tls_engine *client, *server;
    struct mem_pipe up, down; /* client to server, server to client */
    struct mem_end client_end, server_end;
    enum hop_status client_status, server_status; /* of the last call */
};

/* The libraries of the pairs to come: client, server. mbedTLS unless a test says otherwise. */
extern enum tls_library tls_pair_library[2];
/* The same group of tests on every pair of libraries; the names of those that failed are cmocka's.
 * Returns how many failed. */
#define TLS_PAIR_RUN_ALL(tests, teardown)                                                          \
    (tls_pair_run("mbedtls-mbedtls", 0, tests, sizeof tests / sizeof tests[0], NULL) +             \
     tls_pair_run("mbedtls-openssl", 1, tests, sizeof tests / sizeof tests[0], NULL) +             \
     tls_pair_run("openssl-mbedtls", 2, tests, sizeof tests / sizeof tests[0], NULL) +             \
     tls_pair_run("openssl-openssl", 3, tests, sizeof tests / sizeof tests[0], teardown))
struct CMUnitTest;
int tls_pair_run(const char *name, unsigned pair, const struct CMUnitTest *tests, size_t n,
                 int (*teardown)(void **state));

/* Both engines are started; `profile` NULL: the server has no certificate. `client_params` and
 * `server_params` may be NULL: TLS 1.2 and 1.3, mbedTLS's lists. */
void tls_pair_init(struct tls_pair *p, const struct tls_conf_params *client_params,
                   const struct tls_conf_params *server_params, const char *profile);
void tls_pair_clear(struct tls_pair *p);
/* Both hands until both are done or nothing moves any more. True: both are secured. */
bool tls_pair_handshake(struct tls_pair *p);
/* Send `n` bytes of a pattern from one engine, receive them at the other and compare. */
void tls_pair_send(struct tls_pair *p, bool from_client, size_t n, unsigned seed);

/* A byte of a pattern that repeats nowhere near. */
static inline uint8_t pattern_at(size_t i, unsigned seed)
{
    return (uint8_t)((i * 2654435761U + seed) >> 13 ^ i);
}

#endif
