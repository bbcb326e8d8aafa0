/* SPDX-License-Identifier: Apache-2.0
 * Session ticket keys (TLS 1.2 tickets and TLS 1.3 PSK), safe to share between threads; each TLS
 * library has its own kind. */
#ifndef TLS_TLS_TICKETS_H
#define TLS_TLS_TICKETS_H

#include <mbedtls/ssl_ticket.h>
#include <stdint.h>

#include "core/err.h"

#define TLS_TICKET_KEY_BYTES 80 /* OpenSSL's: a name, a key for HMAC and one for AES */
struct tls_tickets {
    mbedtls_ssl_ticket_context mbedtls;
    uint8_t openssl[TLS_TICKET_KEY_BYTES];
    uint32_t lifetime_s;
};

/* `lifetime_s` is how long a ticket is accepted. */
struct tls_tickets *tls_tickets_new(uint32_t lifetime_s, struct err *err);
void tls_tickets_free(struct tls_tickets *tickets);

#endif
