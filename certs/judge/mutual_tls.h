/* SPDX-License-Identifier: Apache-2.0
 * The judge of client certificates: what the mutual TLS of an API Gateway custom domain says of
 * one, by the truststore of that domain.
 *
 * Documented: syntax, signatures, dates and names are checked up to a root that the truststore must
 * hold with everything between; SHA-256 or stronger, RSA-2048 or stronger, ECDSA P-256 and P-384;
 * self-signed only if it is the very certificate; no revocation. Source:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
 * Not documented and not checked: extended key usage, policies, name constraints. */
#ifndef CERTS_JUDGE_MUTUAL_TLS_H
#define CERTS_JUDGE_MUTUAL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/parse.h"

/* "Number of certificates in a truststore: 1,000 certificates up to 1 MB total object size":
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
 */
#define TRUSTSTORE_CERTS_MAX 1000
#define TRUSTSTORE_BYTES_MAX (1024 * 1024)
/* Authorities above a client's certificate, the root among them. Documented as "four"; that the
 * leaf does not count is reported. */
#define TRUSTSTORE_LEVELS_MAX 4

enum mutual_tls_code {
#define REASON(id, evidence, reason, what, remedy, source) MUTUAL_TLS_##id,
#include "certs/judge/mutual_tls.def"
#undef REASON
    MUTUAL_TLS_N
};

struct mutual_tls_verdict {
    bool ok;
    enum mutual_tls_code code;
    const struct cert_facts *cert; /* it speaks of; of the truststore when not the client's */
    const char *reason;            /* of the execution log; "" when there is none. All static */
    const char *evidence, *remedy, *source;
};

/* Judge the certificate of a client. What it sends along with it does not count. `store` need not
 * be sorted. Always gives a verdict. */
void mutual_tls_judge(const struct cert_facts *leaf, const struct cert_list *store, int64_t at_utc,
                      struct mutual_tls_verdict *out);
/* What is wrong with the certificate it speaks of, as half a sentence with its dates and names,
 * into `out`; returns `out`. */
const char *mutual_tls_what(const struct mutual_tls_verdict *v, char *out, size_t size);
/* This program could not find out. */
bool mutual_tls_unknown(enum mutual_tls_code code);

/* What is wrong with the entry `i` of a truststore, as the certificate of an authority;
 * MUTUAL_TLS_OK when nothing is. API Gateway warns of such entries and takes the truststore all the
 * same; its words are not known. */
void mutual_tls_judge_entry(const struct cert_list *store, size_t i, int64_t at_utc,
                            struct mutual_tls_verdict *out);

#endif
