/* SPDX-License-Identifier: Apache-2.0
 * The judge: what is validated and what is built, the leaf's own checks, the host, the skip flag.
 */
#include "certs/judge/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust_impl.h"
#include "certs/store/apigateway_authorities.h"
#include "core/clock.h"

/* Limits of the JDK's TLS client on a Certificate message (source: measured on JDK 17). */
#define CHAIN_MAX   10
#define MESSAGE_MAX 32768

static const struct {
    const char *name, *evidence, *what, *source;
    int alert12, alert13;
} rows[] = {
#define VERDICT(code, evidence, alert12, alert13, what, source)                                    \
    { #code, evidence, what, source, alert12, alert13 },
#include "certs/judge/verdicts.def"
#undef VERDICT
};

const char *verdict_name(enum verdict_code code)
{
    return rows[code].name;
}

/* The exception that a refused path ends in. */
static void prefix(struct fault *f, const char *doing, const char *class)
{
    char message[VERDICT_TEXT_MAX];

    if (f->runtime)
        return;
    snprintf(message, sizeof message, "%s", f->message);
    if (f->detail[0] == '\0')
        snprintf(f->detail, sizeof f->detail, "%.300s: %.1000s", class, message);
    snprintf(f->message, sizeof f->message, "PKIX path %s failed: %s: %.1200s", doing, class,
             message);
}

#define VALIDATOR "java.security.cert.CertPathValidatorException"
#define BUILDER   "sun.security.provider.certpath.SunCertPathBuilderException"

/* What the JDK asks of an anchor once a path ends in it; version 1 and 2 are asked nothing. */
static bool check_anchor(const struct cert_facts *anchor, const char *doing, struct fault *fault)
{
    char subject[1024];
    bool ca = anchor->details->java_bc != -1;

    if (anchor->version < 3 ||
        (ca && (!anchor->has_key_usage || (anchor->key_usage & CERT_KU_KEY_CERT_SIGN) != 0)))
        return true;
    fault_set(fault, ca ? VERDICT_ANCHOR_NO_CERT_SIGN : VERDICT_ANCHOR_NOT_A_CA, anchor,
              "TrustAnchor with subject \"%s\" %s",
              cert_name_text(anchor->subject, CERT_STYLE_JAVA, subject, sizeof subject),
              ca ? "does not have keyCertSign bit set in KeyUsage extension"
                 : "is not a CA certificate");
    prefix(fault, doing, "sun.security.validator.ValidatorException");
    return false;
}

static struct der_span plain_number(struct der_span n)
{
    while (n.len > 1 && ((n.at[0] == 0 && (n.at[1] & 0x80) == 0) ||
                         (n.at[0] == 0xff && (n.at[1] & 0x80) != 0))) {
        n.at++;
        n.len--;
    }
    return n;
}

/* Could this anchor have issued the certificate, by its key identifier and serial number? */
static bool anchor_fits(const struct cert_facts *anchor, const struct cert_facts *cert)
{
    struct der_span ski = anchor->details->ski_value, serial = cert->details->aki_serial;
    struct der d;

    if (cert->aki_key.at != NULL && ski.at != NULL &&
        (der_next(&ski, &d) != NULL || d.tag != DER_OCTET_STRING ||
         !der_span_eq(d.body, cert->aki_key)))
        return false;
    return serial.at == NULL || anchor->version <= 2 ||
           der_span_eq(plain_number(serial), plain_number(anchor->serial));
}

/* Exactly the first `n` certificates, in order, under any anchor that fits. */
static bool validate(struct trust_run *run, size_t n, struct fault *fault)
{
    struct cert_facts *const *chain = run->req->chain;
    const struct cert_facts **path = arena_alloc(&run->arena, n * sizeof(struct cert_facts *));
    size_t first, count;

    if (path == NULL) {
        fault_set(fault, VERDICT_NO_MEMORY, NULL, "no memory");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        path[i] = chain[n - 1 - i];
    fault_set(fault, VERDICT_NO_CHAIN_TO_ANCHOR, path[0],
              "Path does not chain with any of the trust anchors");
    count = anchors_find(run->anchors, &path[0]->details->issuer, &first);
    for (size_t i = first; i < first + count; i++) {
        const struct cert_facts *anchor = run->anchors->by_name[i];

        if (!anchor_fits(anchor, path[0]))
            continue;
        if (path_check(run, anchor, path, n, false, fault)) {
            run->anchor = anchor;
            return check_anchor(anchor, "validation", fault);
        }
        if (fault->runtime || run->work > TRUST_WORK_MAX)
            break;
    }
    prefix(fault, "validation", VALIDATOR);
    return false;
}

static bool build(struct trust_run *run, struct fault *fault)
{
    if (path_build(run, &run->anchor, fault))
        return check_anchor(run->anchor, "building", fault);
    if (fault->runtime || fault->code == VERDICT_NO_MEMORY)
        return false;
    fault_set(fault, VERDICT_NO_PATH, run->req->chain[0],
              "unable to find valid certification path to requested target");
    prefix(fault, "building", BUILDER);
    return false;
}

static bool trusted(const struct trust_run *run, const struct cert_facts *cert, bool by_key)
{
    size_t first, n = anchors_find(run->anchors, &cert->details->subject, &first);

    for (size_t i = first; i < first + n; i++) {
        if (same_cert(run->anchors->by_name[i], cert) ||
            (by_key && same_key(run->anchors->by_name[i], cert)))
            return true;
    }
    return false;
}

/* PKIXValidator: a chain in order that ends at a trusted name is validated, any other is built. */
static bool engine(struct trust_run *run, struct fault *fault)
{
    struct cert_facts *const *chain = run->req->chain;
    size_t n = run->req->chain_len, first;

    if (run->anchors->n == 0 && !run->anchors->by_list) {
        fault_set(fault, VERDICT_NO_ANCHORS, NULL,
                  "Unexpected error: java.security.InvalidAlgorithmParameterException: the "
                  "trustAnchors parameter must be non-empty");
        fault->runtime = true;
        return false;
    }
    if (trusted(run, chain[0], false))
        return true; /* the leaf itself: nothing more is looked at */
    for (size_t i = 1; i < n; i++) {
        if (!issued_by_name(chain[i - 1], chain[i]))
            return build(run, fault);
        if (trusted(run, chain[i], true))
            return validate(run, i, fault);
    }
    if (anchors_find(run->anchors, &chain[n - 1]->details->issuer, &first) > 0)
        return validate(run, n, fault);
    return build(run, fault);
}

static bool eku_has(const struct cert_facts *leaf, const char *dotted)
{
    for (size_t i = 0; i < leaf->n_eku; i++) {
        if (der_oid_is(leaf->eku[i], dotted))
            return true;
    }
    return false;
}

/* EndEntityChecker, for a TLS server. */
static bool check_leaf(const struct trust_run *run, struct fault *fault)
{
    const struct cert_facts *leaf = run->req->chain[0];
    bool rsa = run->req->rsa_key_exchange;
    unsigned need = rsa ? CERT_KU_KEY_ENCIPHERMENT : CERT_KU_DIGITAL_SIGNATURE;

    if (leaf->has_key_usage && (leaf->key_usage & need) == 0) {
        fault_set(fault, VERDICT_LEAF_KEY_USAGE, leaf, "KeyUsage does not allow %s",
                  rsa ? "key encipherment" : "digital signatures");
        return false;
    }
    if (leaf->has_eku && !eku_has(leaf, "1.3.6.1.5.5.7.3.1") && !eku_has(leaf, "2.5.29.37.0") &&
        !eku_has(leaf, "1.3.6.1.4.1.311.10.3.3") && !eku_has(leaf, "2.16.840.1.113730.4.1")) {
        fault_set(fault, VERDICT_LEAF_EKU, leaf,
                  "Extended key usage does not permit use for TLS server authentication");
        return false;
    }
    if (leaf->has_netscape_type && (leaf->netscape_type & 1u << 1) == 0) {
        fault_set(fault, VERDICT_LEAF_NETSCAPE, leaf,
                  "Netscape cert type does not permit use for SSL server");
        return false;
    }
    return true;
}

static bool judge_with(struct trust_run *run, const struct trust_anchors *anchors,
                       struct fault *fault)
{
    run->anchors = anchors;
    run->anchor = NULL;
    return engine(run, fault) && (run->anchor == NULL || check_leaf(run, fault));
}

/* --- insecureSkipVerification --- */
static bool signed_by_itself(struct trust_run *run, const struct cert_facts *f)
{
    char detail[VERDICT_TEXT_MAX];

    return f->self_issued && sig_check(run, f, f, f, detail, sizeof detail) == VERDICT_OK;
}

/* The leaf's own dates: they count even where it is its own anchor. */
static bool check_leaf_dates(struct trust_run *run, struct fault *fault)
{
    const struct cert_facts *leaf = run->req->chain[0];
    int64_t at = run->req->at_utc;

    if (leaf->not_before_utc <= at && at <= leaf->not_after_utc)
        return true;
    fault_set(fault, at < leaf->not_before_utc ? VERDICT_NOT_YET_VALID : VERDICT_EXPIRED, leaf,
              "validity check failed");
    prefix(fault, "validation", VALIDATOR);
    return false;
}

/* Model (inferred, docs/judge.md): a presented root becomes the anchor, then everything is checked
 * as usual. Without a root in the chain there is no path. */
static bool judge_skipping(struct trust_run *run, struct fault *fault)
{
    const struct trust_request *req = run->req;
    struct cert_facts **roots = arena_alloc(&run->arena, req->chain_len * sizeof *roots);
    struct trust_anchors *anchors;
    bool ok;
    size_t n = 0;

    if (judge_with(run, req->anchors, fault))
        return run->anchor != NULL || check_leaf_dates(run, fault);
    for (size_t i = 0; roots != NULL && i < req->chain_len; i++) {
        if (signed_by_itself(run, req->chain[i]))
            roots[n++] = req->chain[i];
    }
    if (n == 0) { /* nothing to put in the place of a trusted authority */
        run->req = req;
        return req->anchors->n > 0 ? false : build(run, fault);
    }
    anchors = trust_anchors_new(roots, n, false);
    if (anchors == NULL) {
        fault_set(fault, VERDICT_NO_MEMORY, NULL, "no memory");
        return false;
    }
    ok = judge_with(run, anchors, fault);
    if (ok && run->anchor == NULL) {
        ok = check_leaf_dates(run, fault);
        if (ok && req->skip_refuses_plain_self_signed)
            ok = check_anchor(req->chain[0], "validation", fault);
    }
    run->anchors = req->anchors;
    trust_anchors_free(anchors);
    return ok;
}

/* --- the whole --- */
/* Length of the Certificate message: TLS 1.3's has a context, and extensions after each one. */
static size_t message_octets(const struct trust_request *req)
{
    size_t octets = req->tls12 ? 3 : 4;

    for (size_t i = 0; i < req->chain_len; i++)
        octets += (req->tls12 ? 3 : 5) + req->chain[i]->presented_len;
    return octets;
}

static bool check_shape(const struct trust_request *req, struct fault *fault)
{
    size_t octets = message_octets(req);

    if (octets > MESSAGE_MAX) {
        fault_set(fault, VERDICT_MESSAGE_TOO_LONG, NULL,
                  "The size of the handshake message (%zu) exceeds the maximum allowed size (%d)",
                  octets, MESSAGE_MAX);
        return false;
    }
    if (req->chain_len == 0) {
        fault_set(fault, VERDICT_CHAIN_EMPTY, NULL, "Empty server certificate chain");
        return false;
    }
    if (req->chain_len > CHAIN_MAX) {
        fault_set(fault, VERDICT_CHAIN_TOO_LONG, NULL,
                  "The certificate chain length (%d) exceeds the maximum allowed length (%d)",
                  CHAIN_MAX + 1, CHAIN_MAX);
        return false;
    }
    for (size_t i = 0; !req->tls12 && i < req->chain_len; i++) {
        if (req->chain[i]->presented_len > 0)
            continue;
        fault_set(fault, VERDICT_UNPARSEABLE, req->chain[i],
                  "Invalid Certificate message: empty cert_data");
        return false;
    }
    for (size_t i = 0; i < req->chain_len; i++) {
        if (req->chain[i]->refusal[0] == '\0')
            continue;
        fault_set(fault, VERDICT_UNPARSEABLE, req->chain[i], "Failed to parse server certificates");
        fault_detail(fault, "%s", req->chain[i]->refusal);
        if (parse_is_limit(req->chain[i]->refusal))
            fault->code = VERDICT_SIMULATOR_LIMIT;
        return false;
    }
    return true;
}

static bool run_all(struct trust_run *run, struct fault *fault)
{
    const struct trust_request *req = run->req;
    bool public_authority;

    if (!check_shape(req, fault))
        return false;
    if (!(req->insecure_skip ? judge_skipping(run, fault) : judge_with(run, req->anchors, fault)))
        return false;
    public_authority =
        run->anchor != NULL && req->anchors->public_authorities && trusted(run, run->anchor, false);
    return req->host == NULL ||
           hostname_check(run, req->chain[0], req->host, req->client, public_authority, fault);
}

static void speak_of(struct verdict *out, const struct trust_request *req,
                     const struct cert_facts *cert)
{
    out->index = -1;
    for (size_t i = 0; cert != NULL && i < req->chain_len; i++) {
        if (same_cert(req->chain[i], cert)) {
            out->index = (int)i;
            return;
        }
    }
    out->is_anchor = cert != NULL;
}

/* Where a limit of this program ended the judgement, nothing that was found by then counts. */
static void no_verdict(const struct trust_run *run, struct fault *fault, struct verdict *out)
{
    if (fault == NULL || run->req->chain_cut || run->arena.failed || run->no_memory)
        out->code = VERDICT_NO_MEMORY;
    else if (run->work > TRUST_WORK_MAX)
        out->code = VERDICT_SIMULATOR_LIMIT;
    if (!verdict_unknown(out->code))
        return;
    out->ok = false;
    if (fault != NULL)
        fault_set(fault, out->code, fault->cert, "nlbsim: %s", rows[out->code].what);
}

bool verdict_unknown(enum verdict_code code)
{
    return code == VERDICT_NO_MEMORY || code == VERDICT_SIMULATOR_LIMIT;
}

/* What the table says of a code. */
static void word(struct verdict *out, const struct trust_request *req)
{
    out->alert_tls12 = rows[out->code].alert12;
    out->alert_tls13 = rows[out->code].alert13;
    if (req->client == TRUST_APACHE &&
        (out->code == VERDICT_HOST_MISMATCH || out->code == VERDICT_HOST_ILLEGAL))
        out->alert_tls12 = out->alert_tls13 = -1;
    out->evidence = req->insecure_skip && out->code != VERDICT_HOST_MISMATCH
                        ? "inferred"
                        : rows[out->code].evidence;
    out->what = rows[out->code].what;
    out->source = rows[out->code].source;
}

static void judge_once(const struct trust_request *req, struct verdict *out)
{
    struct trust_run run = { .req = req, .anchors = req->anchors };
    struct fault *fault = calloc(1, sizeof *fault);

    memset(out, 0, sizeof *out);
    out->code = VERDICT_NO_MEMORY;
    if (fault != NULL) {
        out->ok = run_all(&run, fault);
        out->code = out->ok ? VERDICT_OK : fault->code;
    }
    no_verdict(&run, fault, out);
    if (!out->ok && fault != NULL) {
        memcpy(out->error, fault->message, sizeof out->error);
        memcpy(out->detail, fault->detail, sizeof out->detail);
    }
    speak_of(out, req, out->ok || fault == NULL ? NULL : fault->cert);
    out->end = !out->ok ? NULL : run.anchor != NULL ? run.anchor : req->chain[0];
    word(out, req);
    free(fault);
    arena_clear(&run.arena);
}

/* Presented certificates that stand on API Gateway's list although this machine has them not: the
 * anchors with them. NULL: there are none, or no memory (`*no_memory`). */
static struct trust_anchors *with_presented(const struct trust_request *req, bool *no_memory)
{
    const struct trust_anchors *a = req->anchors;
    struct cert_facts **all = calloc(a->n + req->chain_len + 1, sizeof(struct cert_facts *));
    struct trust_anchors *more = NULL;
    size_t n = a->n;

    *no_memory = all == NULL;
    if (all == NULL)
        return NULL;
    memcpy(all, a->certs, a->n * sizeof(struct cert_facts *));
    for (size_t i = 0; i < req->chain_len; i++) {
        struct cert_facts *f = req->chain[i];

        if (f->refusal[0] == '\0' && apigateway_authority_exact(f) != NULL && !anchors_have(a, f))
            all[n++] = f;
    }
    if (n > a->n) {
        more = trust_anchors_new(all, n, a->public_authorities);
        *no_memory = more == NULL;
    }
    free(all);
    return more;
}

/* There is no path: would there be one to an authority that this machine trusts and the list lacks?
 */
static void look_outside_list(const struct trust_request *req, struct verdict *out)
{
    struct trust_request outside = *req;
    struct verdict v;

    outside.anchors = req->anchors->left_out;
    outside.host = NULL;
    judge_once(&outside, &v);
    if (!v.ok)
        return;
    out->code = VERDICT_NOT_ON_LIST;
    out->end = v.end;
    word(out, req);
}

void trust_judge(const struct trust_request *req, struct verdict *out)
{
    struct trust_request r = *req;
    struct trust_anchors *more = NULL;
    bool no_memory = false;

    if (req->anchors->by_list)
        more = with_presented(req, &no_memory);
    if (more != NULL)
        r.anchors = more;
    if (no_memory)
        r.chain_cut = true; /* no verdict */
    judge_once(&r, out);
    trust_anchors_free(more);
    if (out->code == VERDICT_NO_PATH && req->anchors->left_out != NULL && !req->insecure_skip)
        look_outside_list(req, out);
}

/* --- in words --- */
const char *verdict_what(const struct verdict *v, const struct cert_facts *cert, char *out,
                         size_t size)
{
    const char *mark = strchr(v->what, '{');
    char filled[512] = "";

    if (mark == NULL) {
        snprintf(out, size, "%s", v->what);
        return out;
    }
    if (v->code == VERDICT_NOT_ON_LIST && v->end != NULL)
        cert_name_text(v->end->subject, CERT_STYLE_JAVA, filled, sizeof filled);
    else if (cert != NULL)
        clock_format_day(v->code == VERDICT_EXPIRED ? cert->not_after_utc : cert->not_before_utc,
                         filled);
    snprintf(out, size, "%.*s%s%s", (int)(mark - v->what), v->what, filled, strchr(mark, '}') + 1);
    return out;
}
