/* SPDX-License-Identifier: Apache-2.0
 * Session ticket keys of both TLS libraries. */
#include "tls/tls_tickets.h"

#include <mbedtls/platform_util.h>
#include <stdlib.h>

#include "tls/tls_random.h"

struct tls_tickets *tls_tickets_new(uint32_t lifetime_s, struct err *err)
{
    struct tls_tickets *t = calloc(1, sizeof *t);

    if (t == NULL) {
        err_set(err, ERR_NOMEM, "session ticket keys");
        return NULL;
    }
    mbedtls_ssl_ticket_init(&t->mbedtls);
    t->lifetime_s = lifetime_s;
    if (mbedtls_ssl_ticket_setup(&t->mbedtls, tls_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                 lifetime_s) != 0 ||
        tls_random(NULL, t->openssl, sizeof t->openssl) != 0) {
        err_set(err, ERR_CRYPTO, "session ticket keys cannot be made");
        tls_tickets_free(t);
        return NULL;
    }
    return t;
}

void tls_tickets_free(struct tls_tickets *t)
{
    if (t == NULL)
        return;
    mbedtls_ssl_ticket_free(&t->mbedtls);
    mbedtls_platform_zeroize(t->openssl, sizeof t->openssl);
    free(t);
}
