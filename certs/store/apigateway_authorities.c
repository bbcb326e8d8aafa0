/* SPDX-License-Identifier: Apache-2.0
 * The authorities that API Gateway accepts, found by fingerprint. */
#include "certs/store/apigateway_authorities.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

const struct apigateway_authority apigateway_authorities[] = {
#define LISTED(sha256, alias) { sha256, alias },
#include "certs/store/apigateway_authorities.def"
#undef LISTED
};
const size_t apigateway_n_authorities =
    sizeof apigateway_authorities / sizeof apigateway_authorities[0];

static int by_fingerprint(const void *key, const void *row)
{
    return strcmp(key, ((const struct apigateway_authority *)row)->sha256);
}

/* As the aliases are made of common names: "gtsrootr1" of "GTS Root R1". */
static void alias_of(const struct cert_facts *cert, char out[128])
{
    char cn[128] = "";
    size_t n = 0;

    (void)cert_name_cn(cert->subject, 0, cn, sizeof cn);
    for (const char *at = cn; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at))
            out[n++] = (char)tolower((unsigned char)*at);
    }
    out[n] = '\0';
}

static const struct apigateway_authority *find_alias(const char *alias)
{
    for (size_t i = 0; i < apigateway_n_authorities; i++) {
        if (strcmp(apigateway_authorities[i].alias, alias) == 0)
            return &apigateway_authorities[i];
    }
    return NULL;
}

const struct apigateway_authority *apigateway_authority_exact(const struct cert_facts *cert)
{
    char hex[65];

    bytes_hex(cert->sha256, 32, hex);
    return bsearch(hex, apigateway_authorities, apigateway_n_authorities,
                   sizeof apigateway_authorities[0], by_fingerprint);
}

const struct apigateway_authority *apigateway_authority_of(const struct cert_facts *cert)
{
    const struct apigateway_authority *found = apigateway_authority_exact(cert);
    char alias[128];

    if (found != NULL || !cert->self_issued)
        return found;
    alias_of(cert, alias);
    return find_alias(alias);
}
