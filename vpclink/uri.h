/* SPDX-License-Identifier: Apache-2.0
 * The endpoint URI of an integration, taken apart. */
#ifndef VPCLINK_URI_H
#define VPCLINK_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

#define GATEWAY_HOST_MAX 256

struct gateway_uri {
    const char *text;            /* borrowed: as given */
    bool tls;                    /* https */
    bool valid;                  /* false: API Gateway answers "Invalid endpoint address" */
    char fault[128];             /* why it is not valid, in words */
    char host[GATEWAY_HOST_MAX]; /* without the brackets of an IPv6 address */
    bool is_address, is_v6;
    uint16_t port; /* the scheme's when none is given */
    bool port_given;
    const char *path;  /* borrowed, inside `text`: "/orders?x=1"; may be "" or begin with "?" */
    const char *query; /* borrowed, after the "?"; NULL: none */
};

/*
 * Take `text` (kept, borrowed) apart.
 *   returns  0, also for a URI that API Gateway answers with "Invalid endpoint address" (no host, a
 *            port that is none, blanks; then `valid` is false); -1 with the reason alone when it
 *            is neither http:// nor https://, or carries a user name
 *   source   repost.aws/knowledge-center/api-gateway-invalid-endpoint-address
 */
int gateway_uri_parse(struct gateway_uri *uri, const char *text, struct err *err);

/* The name for the TLS server_name extension into `out` (GATEWAY_HOST_MAX), or NULL for none: a JDK
 * sends none for addresses, single-label names and names that are not legal (measured on
 * JDK 17); a trailing dot goes, a Unicode name goes in its xn-- form. */
const char *gateway_sni(const char *host, char *out);
/* Why none is sent for this host: "it has no dot" ...; NULL: one is. Static. */
const char *gateway_sni_refusal(const char *host);

#endif
