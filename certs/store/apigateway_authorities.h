/* SPDX-License-Identifier: Apache-2.0
 * The authorities that API Gateway accepts for HTTP integrations, by the fingerprints of AWS's own
 * list (certs/store/apigateway_authorities.def). The list names no keys and no subjects. */
#ifndef CERTS_STORE_APIGATEWAY_AUTHORITIES_H
#define CERTS_STORE_APIGATEWAY_AUTHORITIES_H

#include <stddef.h>

#include "certs/x509/parse.h"

#define APIGATEWAY_AUTHORITIES_DATE "June 2023"

struct apigateway_authority {
    const char *sha256; /* of the certificate, 64 lower-case hexadecimal digits */
    const char *alias;
};
/* Sorted by fingerprint. */
extern const struct apigateway_authority apigateway_authorities[];
extern const size_t apigateway_n_authorities;

/* The authority whose very certificate this is; NULL when it is not on the list. */
const struct apigateway_authority *apigateway_authority_exact(const struct cert_facts *cert);
/* The same of a root that is trusted anyway: one that was issued again under its name ("GTS Root
 * R1") counts as the one on the list. A JDK goes by name and key; that the key stayed is inferred.
 * Never of what a peer presents. */
const struct apigateway_authority *apigateway_authority_of(const struct cert_facts *cert);

#endif
