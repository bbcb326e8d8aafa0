/* SPDX-License-Identifier: Apache-2.0
 * One path from an anchor down to the leaf: the JDK's checkers in the JDK's order. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certs/judge/trust_impl.h"

struct walk {
    struct trust_run *run;
    const struct cert_facts *const *path;
    size_t n, at;                         /* certificates; the one at hand, from 0 */
    const struct cert_facts *prev;        /* whose key signed it: the anchor at first */
    const struct cert_facts *prev_params; /* whose DSA parameters that key uses */
    int32_t max_path_len;
    struct constraints *constraints;
    struct policy_state *policy;
    struct alg_state certpath, tls;
    struct fault *fault;
};

static bool check_key_usage(struct walk *w, const struct cert_facts *cert)
{
    if (w->at + 1 == w->n || !cert->has_key_usage || (cert->key_usage & CERT_KU_KEY_CERT_SIGN) != 0)
        return true;
    fault_set(w->fault, VERDICT_CA_NO_CERT_SIGN, cert,
              "CA key usage check failed: keyCertSign bit is not set");
    return false;
}

static bool check_basic(struct walk *w, const struct cert_facts *cert)
{
    int32_t limit = cert->details->java_bc;

    if (w->at + 1 == w->n)
        return true;
    if (cert->version < 3) /* versions 1 and 2: only directly below the anchor, and self-issued */
        limit = w->at == 0 && cert->self_issued ? INT32_MAX : -1;
    if (limit == -1) {
        fault_set(w->fault, VERDICT_NOT_A_CA, cert,
                  "basic constraints check failed: this is not a CA certificate");
        return false;
    }
    if (!cert->self_issued) {
        if (w->max_path_len <= 0) {
            fault_set(w->fault, VERDICT_PATH_TOO_LONG, cert,
                      "basic constraints check failed: pathLenConstraint violated - this cert must "
                      "be the last cert in the certification path");
            return false;
        }
        w->max_path_len--;
    }
    if (limit < w->max_path_len)
        w->max_path_len = limit;
    return true;
}

static bool check_names(struct walk *w, const struct cert_facts *cert)
{
    struct constraints *merged;

    if (w->constraints != NULL && (w->at + 1 == w->n || !cert->self_issued) &&
        !constraints_verify(w->run, w->constraints, cert, w->fault))
        return false;
    merged = constraints_merge(w->run, w->constraints, cert, w->fault);
    if (merged == NULL && (w->constraints != NULL || cert->has_name_constraints))
        return false;
    w->constraints = merged;
    return true;
}

/* "Tue Nov 10 16:04:02 UTC 2026": java.util.Date.toString, in UTC. */
static const char *java_date(int64_t utc, char *out, size_t size)
{
    time_t t = (time_t)utc;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%a %b %d %H:%M:%S UTC %Y", &tm) == 0)
        snprintf(out, size, "@%lld", (long long)utc);
    return out;
}

static bool check_validity(struct walk *w, const struct cert_facts *cert)
{
    bool early = cert->not_before_utc > w->run->req->at_utc;
    char date[64];

    if (!early && cert->not_after_utc >= w->run->req->at_utc)
        return true;
    fault_set(w->fault, early ? VERDICT_NOT_YET_VALID : VERDICT_EXPIRED, cert,
              "validity check failed");
    if (early)
        fault_detail(w->fault, "java.security.cert.CertificateNotYetValidException: NotBefore: %s",
                     java_date(cert->not_before_utc, date, sizeof date));
    else
        fault_detail(w->fault, "java.security.cert.CertificateExpiredException: NotAfter: %s",
                     java_date(cert->not_after_utc, date, sizeof date));
    return false;
}

static bool check_chaining(struct walk *w, const struct cert_facts *cert)
{
    if (issued_by_name(cert, w->prev))
        return true;
    fault_set(w->fault, VERDICT_NAME_CHAINING, cert, "subject/issuer name chaining check failed");
    return false;
}

/* Good signatures of this thread's last judgements, by the two fingerprints: an intermediate is met
 * again and again. Only successes, so a collision would need one of SHA-256. */
#define SEEN 64
static _Thread_local struct seen {
    uint8_t cert[32], issuer[32];
} seen[SEEN];

static struct seen *seen_slot(const struct cert_facts *cert, const struct cert_facts *issuer)
{
    return &seen[(cert->sha256[0] ^ issuer->sha256[1]) % SEEN];
}

static bool seen_before(const struct cert_facts *cert, const struct cert_facts *issuer)
{
    const struct seen *s = seen_slot(cert, issuer);

    return memcmp(s->cert, cert->sha256, 32) == 0 && memcmp(s->issuer, issuer->sha256, 32) == 0;
}

static void remember(const struct cert_facts *cert, const struct cert_facts *issuer)
{
    struct seen *s = seen_slot(cert, issuer);

    memcpy(s->cert, cert->sha256, 32);
    memcpy(s->issuer, issuer->sha256, 32);
}

/* The result, remembered for the pair. */
static enum verdict_code signature(struct walk *w, const struct cert_facts *cert, char *detail,
                                   size_t size)
{
    struct trust_run *run = w->run;
    struct sig_memo *m;
    enum verdict_code result;

    for (size_t i = 0; i < run->n_memo && run_pay(run, 1); i++) {
        m = &run->memo[i];
        if (m->cert == cert && m->issuer == w->prev && m->params == w->prev_params &&
            m->result == VERDICT_OK)
            return VERDICT_OK;
    }
    if (w->prev_params == w->prev && seen_before(cert, w->prev))
        return VERDICT_OK;
    result = sig_check(run, cert, w->prev, w->prev_params, detail, size);
    if (result == VERDICT_OK && w->prev_params == w->prev)
        remember(cert, w->prev);
    m = arena_append(&run->arena, &run->memo, &run->n_memo, sizeof *m);
    if (m != NULL)
        *m = (struct sig_memo){ cert, w->prev, w->prev_params, result };
    return result;
}

static bool check_signature(struct walk *w, const struct cert_facts *cert)
{
    char detail[VERDICT_TEXT_MAX];
    enum verdict_code result = signature(w, cert, detail, sizeof detail);

    if (result != VERDICT_OK) { /* without memory or budget the message is not used */
        fault_set(w->fault, result, cert, "signature check failed");
        fault_detail(w->fault, "%s", detail);
        return false;
    }
    w->prev = cert;
    if (!dsa_without_params(cert))
        w->prev_params = cert;
    return true;
}

/* Extensions that some checker of the path takes care of. */
static bool known_extension(struct der_span oid)
{
    static const uint8_t last[] = { 15, 17, 19, 30, 32, 33, 36, 37, 54 }; /* 2.5.29.x */

    if (oid.len != 3 || oid.at[0] != 0x55 || oid.at[1] != 0x1d)
        return false;
    for (size_t i = 0; i < sizeof last; i++) {
        if (last[i] == oid.at[2])
            return true;
    }
    return false;
}

bool path_critical(const struct cert_facts *cert)
{
    for (size_t i = 0; i < cert->n_extensions; i++) {
        const struct cert_extension *e = &cert->extensions[i];

        if (e->critical && !known_extension(e->oid))
            return true;
    }
    return false;
}

static bool check_critical(struct walk *w, const struct cert_facts *cert)
{
    if (!path_critical(cert))
        return true;
    fault_set(w->fault, VERDICT_CRITICAL_EXTENSION, cert, "unrecognized critical extension(s)");
    return false;
}

/* PKIXCertPathValidator's checkers for one certificate, in its order. */
static bool validate_one(struct walk *w, const struct cert_facts *cert)
{
    return alg_check(w->run, &w->certpath, cert, w->fault) && check_key_usage(w, cert) &&
           check_basic(w, cert) && check_names(w, cert) &&
           policy_check(w->run, w->policy, cert, w->fault) && check_validity(w, cert) &&
           check_chaining(w, cert) && check_signature(w, cert) &&
           alg_check(w->run, &w->tls, cert, w->fault) && check_critical(w, cert);
}

/* The path builder's last check: dates, names and critical extensions were looked at before. */
static bool build_one(struct walk *w, const struct cert_facts *cert)
{
    return check_signature(w, cert) && policy_check(w->run, w->policy, cert, w->fault) &&
           check_basic(w, cert) && check_names(w, cert) &&
           alg_check(w->run, &w->certpath, cert, w->fault) &&
           alg_check(w->run, &w->tls, cert, w->fault);
}

bool path_check(struct trust_run *run, const struct cert_facts *anchor,
                const struct cert_facts *const *path, size_t n, bool building, struct fault *fault)
{
    struct walk w = { .run = run,
                      .path = path,
                      .n = n,
                      .prev = anchor,
                      .prev_params = anchor,
                      .max_path_len = (int32_t)n,
                      .fault = fault,
                      .certpath = { anchor, anchor, anchor, false },
                      .tls = { .tls = true } };

    if (building)
        w.tls.prev = w.tls.prev_params = anchor;
    if (dsa_without_params(anchor)) {
        fault_set(fault, VERDICT_SIGNATURE_UNUSABLE, anchor, "Key parameters missing");
        return false;
    }
    w.policy = policy_start(run, n);
    if (w.policy == NULL) {
        fault_set(fault, VERDICT_NO_MEMORY, NULL, "no memory");
        return false;
    }
    for (w.at = 0; w.at < n; w.at++) {
        fault->code = VERDICT_OK;
        if (building ? build_one(&w, path[w.at]) : validate_one(&w, path[w.at]))
            continue;
        if (fault->code == VERDICT_OK)
            fault_set(fault, VERDICT_NO_MEMORY, NULL, "no memory");
        if (fault->cert == NULL)
            fault->cert = path[w.at];
        return false;
    }
    return true;
}
