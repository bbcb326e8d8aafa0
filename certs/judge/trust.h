/* SPDX-License-Identifier: Apache-2.0
 * The judge: what a JSSE client (API Gateway is one, docs/judge.md) says about a certificate chain.
 * The only place in the tree that decides whether a chain is trusted.
 *
 * It follows JDK 17's PKIX rules, measured beside a real JDK 17: a chain that is in order and ends
 * at a trusted name is validated ("PKIX path validation failed: …"), any other is built ("PKIX path
 * building failed: …"); the order of checks decides which defect is told. Neither AIA nor CRLs are
 * fetched (the JDK's default). */
#ifndef CERTS_JUDGE_TRUST_H
#define CERTS_JUDGE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/parse.h"
#include "core/err.h"

/* Anchors, made ready once and used for any number of chains, by any number of threads. */
struct trust_anchors;
/* The facts are borrowed and must outlive the anchors; certificates that the JDK cannot read and
 * NULLs are left out, as a second copy of one is. `public_authorities`: these are authorities that
 * the client's own JDK ships, for which it is stricter (SHA-1, "*.com"). NULL without memory. */
struct trust_anchors *trust_anchors_new(struct cert_facts *const *certs, size_t n,
                                        bool public_authorities);
/* Those of a store; one that goes by API Gateway's list holds public authorities. The store must
 * outlive them. */
struct trust_store;
struct trust_anchors *trust_anchors_of(const struct trust_store *store, bool public_authorities);
void trust_anchors_free(struct trust_anchors *anchors);

enum trust_client {
    TRUST_APACHE, /* host names as Apache HttpClient 4.5 checks and words them: API Gateway */
    TRUST_JDK,    /* as the JDK's own HTTPS checker does, inside the handshake */
};

struct trust_request {
    struct cert_facts *const *chain; /* as presented, leaf first */
    size_t chain_len;
    bool chain_cut; /* memory was out before all of it was read: there is no verdict */
    const struct trust_anchors *anchors;
    const char *host; /* name or address to be verified; NULL: host names are not looked at */
    int64_t at_utc;   /* seconds since 1970 */
    enum trust_client client;
    bool tls12;            /* of the Certificate message; else TLS 1.3 */
    bool rsa_key_exchange; /* TLS_RSA_…: the leaf must allow key encipherment instead */
    bool insecure_skip;    /* tlsConfig.insecureSkipVerification */
    /* With insecure_skip: a self-signed leaf that is no CA is fine. The documentation says both
     * that self-signed certificates work and that a private root needs CA:TRUE and keyCertSign. */
    bool skip_refuses_plain_self_signed;
};

enum verdict_code {
#define VERDICT(code, evidence, alert12, alert13, what, source) VERDICT_##code,
#include "certs/judge/verdicts.def"
#undef VERDICT
    VERDICT_N,
};

#define VERDICT_TEXT_MAX 1400

struct verdict {
    bool ok;
    enum verdict_code code;
    /* getMessage() of the exception the client sees, exactly; "" when ok. */
    char error[VERDICT_TEXT_MAX];
    /* "class: message" of the innermost exception; may be "". */
    char detail[VERDICT_TEXT_MAX];
    int index;      /* which certificate of the presented chain it speaks of; -1: none of them */
    bool is_anchor; /* it speaks of a trust anchor */
    /* Where the path ends: an anchor, or of the chain; NULL: there was none. With
     * VERDICT_NOT_ON_LIST the authority that is not on the list. */
    const struct cert_facts *end;
    /* The alert that this client sends on TLS 1.2 and on TLS 1.3; -1: none. The host name check of
     * TRUST_APACHE comes after the handshake and sends none. */
    int alert_tls12, alert_tls13;
    const char *evidence; /* "documented", "reported" or "inferred" */
    const char *what;     /* what is wrong with the certificate, half a sentence */
    const char *source;
};

/* Judge a chain. Always gives a verdict; without memory that verdict is VERDICT_NO_MEMORY, for a
 * chain that costs more than this program spends on one, VERDICT_SIMULATOR_LIMIT. */
void trust_judge(const struct trust_request *req, struct verdict *out);

/* What is wrong with `cert` (NULL: no certificate in particular), as half a sentence with its date:
 * "it expired on 2024-01-31"; into `out`; returns `out`. */
const char *verdict_what(const struct verdict *v, const struct cert_facts *cert, char *out,
                         size_t size);
/* This program could not find out what the client would say: neither accepted nor refused. */
bool verdict_unknown(enum verdict_code code);
/* "EXPIRED" → the constant's name, for JSON. */
const char *verdict_name(enum verdict_code code);

#endif
