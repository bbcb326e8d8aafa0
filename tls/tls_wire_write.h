/* SPDX-License-Identifier: Apache-2.0
 * A ClientHello written by hand, with what the TLS library lacks in it, to ask a server whether it
 * would have answered. No handshake can go on from it. */
#ifndef TLS_TLS_WIRE_WRITE_H
#define TLS_TLS_WIRE_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "tls/tls_conf_params.h"
#include "tls/tls_params.h"

#define TLS_HELLO_WRITE_MAX 1536

/* What a client would offer. */
struct tls_full_offer {
    struct tls_list versions; /* newest first */
    struct tls_list suites, groups, sigs;
    const char *sni;          /* NULL: none */
    enum tls_library library; /* that offers what it can of it */
};

/* Is there anything in it that its library does not offer itself? */
bool tls_offer_is_more_than_ours(const struct tls_full_offer *o);
/* One record with the ClientHello. Returns its bytes, 0 when it does not fit. */
size_t tls_hello_write(const struct tls_full_offer *o, uint8_t out[TLS_HELLO_WRITE_MAX]);

/* What a server said to it. */
struct tls_hello_answer {
    bool answered; /* with a ServerHello or a HelloRetryRequest */
    uint16_t version, suite;
};
/* Look at the first bytes that came back. False: more are needed. */
bool tls_hello_answer_read(struct tls_hello_answer *a, const uint8_t *data, size_t n);
/* What of the answer the library cannot do: "TLSv1.1", a suite, or in words. Into `out`; returns
 * it. */
const char *tls_hello_answer_lacking(const struct tls_hello_answer *a, enum tls_library library,
                                     char *out, size_t size);

#endif
