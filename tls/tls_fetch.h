/* SPDX-License-Identifier: Apache-2.0
 * Connect to a TLS server and bring home the certificates that it presents. Blocking, for commands
 * at a terminal; nothing is verified. */
#ifndef TLS_TLS_FETCH_H
#define TLS_TLS_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "tls/mbedtls_private.h"

struct tls_fetched {
    struct tls_chain chain; /* as presented; tls_chain_clear() */
    char address[ADDR_TEXT_MAX];
    uint16_t version, suite; /* 0 before the handshake came so far */
    bool finished;           /* the handshake went through to its end */
    char trouble[160];       /* why it did not, when certificates came all the same; "" otherwise */
};

/*
 * host:port as text; `host` is looked up. `sni` is sent as server name; NULL: none. The whole takes
 * at most `timeout_ms`. tls_init() must have been called.
 * Returns 0 when at least one certificate came, even if the server then refused to go on (it may
 * want a client certificate); else -1 with the reason (ERR_ENVIRONMENT).
 */
int tls_fetch(const char *host, const char *port, const char *sni, unsigned timeout_ms,
              struct tls_fetched *out, struct err *err);

#endif
