/* SPDX-License-Identifier: Apache-2.0
 * ALPN policies of a TLS listener (listeners/alpn.def) and the choice among what a client offers.
 * Source: NLB guide, "ALPN policies": server preference; without overlap the connection carries on
 * without ALPN, no_application_protocol is never sent; policy None ignores the extension. */
#ifndef LISTENERS_ALPN_H
#define LISTENERS_ALPN_H

#include <stddef.h>

#include "tls/tls_wire.h"

#define ALPN_PROTOCOLS_MAX 3

struct alpn_policy {
    const char *name;
    const char
        *protocols[ALPN_PROTOCOLS_MAX + 1]; /* preference order, NULL-terminated; this is the
                                               shape mbedtls_ssl_conf_alpn_protocols() takes */
};

#define ALPN_DEFAULT "None"

const struct alpn_policy *alpn_all(size_t *count);
/* By AWS name, case-sensitive as in the API; NULL: none. */
const struct alpn_policy *alpn_find(const char *name);
const char *alpn_nearest(const char *name); /* NULL when nothing is near */
/* The protocol to speak, a static string of the table, or NULL: carry on without ALPN. */
const char *alpn_choose(const struct alpn_policy *p, const struct tls_offer *offer);

#endif
