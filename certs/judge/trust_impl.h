/* SPDX-License-Identifier: Apache-2.0
 * What the files of the judge share with each other; nobody else includes this. */
#ifndef CERTS_JUDGE_TRUST_IMPL_H
#define CERTS_JUDGE_TRUST_IMPL_H

#include "certs/judge/trust.h"
#include "certs/x509/cert_details.h"

struct trust_anchors {
    struct cert_facts **certs; /* in the order given, without doubles */
    size_t n;
    bool public_authorities;
    bool by_list;                   /* API Gateway's: a presented root may be on it */
    struct trust_anchors *left_out; /* this machine's roots that the list lacks; NULL: none */
    struct cert_facts **by_name;    /* sorted by canonical subject */
};

/* Why a path fails: what CertPathValidatorException would say. */
struct fault {
    enum verdict_code code; /* VERDICT_OK: no fault */
    const struct cert_facts *cert;
    bool runtime; /* a RuntimeException: its message is the outermost one */
    char message[VERDICT_TEXT_MAX];
    char detail[VERDICT_TEXT_MAX];
};

/* What one judgement may cost, in comparisons of names (about 5 ns): far more than any honest chain
 * needs, and some 50 ms. One that would cost more ends as VERDICT_SIMULATOR_LIMIT, whatever the
 * checks have said by then. */
#define TRUST_WORK_MAX 6000000

/* One check of one signature, remembered: building tries the same pair many times. */
struct sig_memo {
    const struct cert_facts *cert, *issuer, *params;
    enum verdict_code result;
};

struct trust_run {
    const struct trust_request *req;
    const struct trust_anchors *anchors; /* of the request, or the presented roots */
    struct arena arena;
    struct sig_memo *memo;
    size_t n_memo;
    size_t work;        /* spent so far, see TRUST_WORK_MAX */
    bool no_memory;     /* outside the arena, which remembers it by itself */
    bool cn_became_san; /* the JDK's constraint check has added the leaf's CN to its names */
    const struct cert_facts *anchor; /* of the path that was found; NULL: the leaf itself */
};

/* Pay for work before doing it. False: the budget is spent, stop. */
static inline bool run_pay(struct trust_run *run, size_t cost)
{
    run->work = cost > TRUST_WORK_MAX ? TRUST_WORK_MAX + 1 : run->work + cost;
    return run->work <= TRUST_WORK_MAX;
}

static inline bool same_cert(const struct cert_facts *a, const struct cert_facts *b)
{
    return a == b || der_span_eq(a->der, b->der);
}
static inline bool issued_by_name(const struct cert_facts *cert, const struct cert_facts *issuer)
{
    return x500_name_same(&cert->details->issuer, &issuer->details->subject);
}
static inline bool same_subject(const struct cert_facts *a, const struct cert_facts *b)
{
    return x500_name_same(&a->details->subject, &b->details->subject);
}
/* PublicKey.equals: NULL parameters count as absent. */
bool same_key(const struct cert_facts *a, const struct cert_facts *b);

void fault_set(struct fault *f, enum verdict_code code, const struct cert_facts *cert,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void fault_detail(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* anchors.c: the first anchor with this subject in `by_name`, and how many follow. */
bool anchors_have(const struct trust_anchors *a, const struct cert_facts *cert);
size_t anchors_find(const struct trust_anchors *a, const struct x500_name *name, size_t *first);

/* path_validation.c: is `path` (path[0] issued by the anchor, path[n-1] the leaf) valid?
 * `building`: as the path builder's last check does it, which looks at fewer things. */
bool path_check(struct trust_run *run, const struct cert_facts *anchor,
                const struct cert_facts *const *path, size_t n, bool building, struct fault *fault);

/* A critical extension that no checker knows? */
bool path_critical(const struct cert_facts *cert);

/* path_building.c: find a path; `*anchor` is its end. False: none, or `fault` of a
 * RuntimeException.
 */
bool path_build(struct trust_run *run, const struct cert_facts **anchor, struct fault *fault);

/* algorithm_constraints.c: key sizes and algorithms, by jdk.certpath.disabledAlgorithms, then by
 * TLS's own. */
struct alg_state {
    const struct cert_facts *anchor;      /* NULL: nothing is known of it (the TLS checker) */
    const struct cert_facts *prev;        /* whose key signed; NULL at first */
    const struct cert_facts *prev_params; /* whose DSA parameters that key uses */
    bool tls; /* the TLS checker: signature algorithms that the client offers */
};
bool alg_check(struct trust_run *run, struct alg_state *s, const struct cert_facts *cert,
               struct fault *fault);
bool dsa_without_params(const struct cert_facts *f);

/* signature.c: VERDICT_OK, VERDICT_BAD_SIGNATURE or VERDICT_SIGNATURE_UNUSABLE, and
 * VERDICT_SIMULATOR_LIMIT or VERDICT_NO_MEMORY when it was not checked. `params` is whose DSA
 * parameters the issuer's key uses (the issuer itself when it has its own). */
enum verdict_code sig_check(struct trust_run *run, const struct cert_facts *cert,
                            const struct cert_facts *issuer, const struct cert_facts *params,
                            char *detail, size_t size);

/* name_constraints_{merge,check}.c: name constraints, merged from the anchor's side down. */
struct constraints;
struct constraints *constraints_merge(struct trust_run *run, struct constraints *c,
                                      const struct cert_facts *cert, struct fault *fault);
bool constraints_verify(struct trust_run *run, const struct constraints *c,
                        const struct cert_facts *cert, struct fault *fault);

/* certificate_policies.c: certificate policies. */
struct policy_state;
struct policy_state *policy_start(struct trust_run *run, size_t n_certs);
bool policy_check(struct trust_run *run, struct policy_state *s, const struct cert_facts *cert,
                  struct fault *fault);

/* hostname.c: false with code and message in `fault` when the leaf is not for `host`. */
bool hostname_check(struct trust_run *run, const struct cert_facts *leaf, const char *host,
                    enum trust_client client, bool public_authority, struct fault *fault);

#endif
