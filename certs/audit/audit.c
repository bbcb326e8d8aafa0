/* SPDX-License-Identifier: Apache-2.0
 * What a validating client, an NLB or a compliance rule would mind about a chain. */
#include "certs/audit/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/audit/audit_impl.h"
#include "certs/audit/describe.h"
#include "certs/judge/trust.h"
#include "certs/lab/nlb_keys.h"
#include "core/clock.h"

#define RSA_REFUSED_BELOW 1024 /* JDK 17, measured: java-errors rule 9 */
#define EC_REFUSED_BELOW  224  /* the same */
#define RSA_WEAK_BELOW    2048

const struct audit_rule audit_rules[AUDIT_N] = {
#define FINDING(id, code, severity, effect, remedy, source)                                        \
    { code, AUDIT_##severity, effect, remedy, source },
#include "certs/audit/findings.def"
#undef FINDING
};

const char *audit_severity_name(enum audit_severity severity)
{
    switch (severity) {
    case AUDIT_ERROR:
        return "error";
    case AUDIT_WARNING:
        return "warning";
    case AUDIT_NOTE:
        return "note";
    }
    return "note";
}

static void free_finding(struct audit_finding *f)
{
    free(f->file);
    free(f->where);
    free(f->subject);
    free(f->message);
}

void audit_report_clear(struct audit_report *report)
{
    for (size_t i = 0; i < report->n; i++)
        free_finding(&report->at[i]);
    free(report->at);
    memset(report, 0, sizeof *report);
}

int audit_note(struct audit_report *report, const struct audit_subject *subject,
               enum audit_code code, const struct cert_facts *cert, const char *fmt, ...)
{
    bool ignored = subject->role == AUDIT_ROLE_TARGET_IGNORED;
    struct audit_finding f = {
        .code = code,
        .severity = ignored ? AUDIT_NOTE : audit_rules[code].severity,
        .line = subject->line,
        .effect = ignored ? "Nothing today: an NLB validates no target, and API Gateway sees only "
                            "the listener's certificate."
                          : audit_rules[code].effect,
        .remedy = audit_rules[code].remedy,
    };
    struct audit_finding *bigger = realloc(report->at, (report->n + 1) * sizeof *bigger);
    char name[256];
    va_list ap;

    if (bigger == NULL)
        return -1;
    report->at = bigger;
    va_start(ap, fmt);
    if (vasprintf(&f.message, fmt, ap) < 0)
        f.message = NULL;
    va_end(ap);
    f.file = strdup(subject->file);
    if (subject->where != NULL)
        f.where = strdup(subject->where);
    if (cert != NULL)
        f.subject = strdup(cert_short_name(cert, name, sizeof name));
    if (f.message == NULL || f.file == NULL || (subject->where != NULL && f.where == NULL) ||
        (cert != NULL && f.subject == NULL)) {
        free_finding(&f);
        return -1;
    }
    report->at[report->n++] = f;
    return 0;
}

/* --- one certificate at a time --- */

struct audit {
    struct audit_report *report;
    const struct audit_options *o;
    const struct audit_subject *s;
};

/* Which finding a date becomes: of a leaf, of an issuer, or of an anchor in a store. */
static enum audit_code date_code(const struct audit *a, bool leaf, bool ended)
{
    if (a->s->role == AUDIT_ROLE_STORE)
        return ended ? AUDIT_ANCHOR_EXPIRED : AUDIT_ANCHOR_EXPIRES_SOON;
    if (leaf)
        return ended ? AUDIT_EXPIRED : AUDIT_EXPIRES_SOON;
    return ended ? AUDIT_ISSUER_EXPIRED : AUDIT_ISSUER_EXPIRES_SOON;
}

static int check_dates(const struct audit *a, const struct cert_facts *f, bool leaf)
{
    int64_t left = cert_days_left(f, a->o->now_s);
    char day[24];

    if (f->not_before_utc > a->o->now_s)
        return audit_note(a->report, a->s, AUDIT_NOT_YET_VALID, f, "valid from %s on",
                          clock_format_day(f->not_before_utc, day));
    clock_format_day(f->not_after_utc, day);
    if (f->not_after_utc < a->o->now_s)
        return audit_note(a->report, a->s, date_code(a, leaf, true), f,
                          "expired on %s, %lld days ago", day, (long long)-left);
    if (left < (int64_t)a->o->days)
        return audit_note(a->report, a->s, date_code(a, leaf, false), f,
                          "expires on %s, in %lld days (threshold %u)", day, (long long)left,
                          a->o->days);
    return 0;
}

static int check_key(const struct audit *a, const struct cert_facts *f, bool leaf)
{
    bool rsa = f->key == CERT_KEY_RSA || f->key == CERT_KEY_RSA_PSS, ec = f->key == CERT_KEY_EC;
    bool on_nlb = a->s->role == AUDIT_ROLE_TLS_LISTENER || a->s->role == AUDIT_ROLE_UNKNOWN;
    int rc = 0;

    if ((rsa && f->key_bits < RSA_REFUSED_BELOW) || (ec && f->key_bits < EC_REFUSED_BELOW) ||
        f->key == CERT_KEY_UNKNOWN)
        rc = audit_note(a->report, a->s, AUDIT_KEY_REFUSED, f, "key %s %u bits", f->key_algorithm,
                        f->key_bits);
    else if (rsa && f->key_bits < RSA_WEAK_BELOW)
        rc = audit_note(a->report, a->s, AUDIT_KEY_WEAK, f, "key RSA %u bits", f->key_bits);
    if (rc != 0 || !leaf || !on_nlb)
        return rc;
    if (!nlb_takes_key(f))
        return audit_note(a->report, a->s, AUDIT_NLB_KEY, f, "key %s %u bits on a TLS listener",
                          f->key_algorithm, f->key_bits);
    return 0;
}

static int check_hash(const struct audit *a, const struct cert_facts *f)
{
    if (strncmp(f->sig_algorithm, "MD2", 3) == 0 || strncmp(f->sig_algorithm, "MD5", 3) == 0 ||
        strncmp(f->sig_algorithm, "SHA3-", 5) == 0)
        return audit_note(a->report, a->s, AUDIT_HASH_REFUSED, f, "signed with %s",
                          f->sig_algorithm);
    if (strncmp(f->sig_algorithm, "SHA1with", 8) == 0)
        return audit_note(a->report, a->s, AUDIT_HASH_WEAK, f, "signed with %s", f->sig_algorithm);
    return 0;
}

/* Of a root that is sent nobody looks at the dates (JDK rule 4) or the signature (rule 9). */
static int check_certificate(const struct audit *a, const struct cert_facts *f, bool leaf)
{
    if (f->refusal[0] != '\0')
        return audit_note(a->report, a->s, AUDIT_UNREADABLE, NULL, "certificate cannot be read: %s",
                          f->refusal);
    if (a->s->role == AUDIT_ROLE_STORE)
        return check_dates(a, f, leaf);
    if (check_key(a, f, leaf) != 0)
        return -1;
    if (f->self_issued && !leaf)
        return 0;
    return check_dates(a, f, leaf) != 0 ? -1 : check_hash(a, f);
}

/* --- the chain --- */

static bool issued_any(const struct cert_list *chain, const struct cert_facts *f)
{
    for (size_t i = 0; i < chain->n; i++) {
        if (chain->at[i] != f && cert_names_issuer(chain->at[i], f))
            return true;
    }
    return false;
}

/* Is the leaf's issuer among the certificates? */
static bool issued_by_any(const struct cert_list *chain)
{
    for (size_t i = 1; i < chain->n; i++) {
        if (cert_names_issuer(chain->at[0], chain->at[i]))
            return true;
    }
    return false;
}

/* Each certificate after the leaf should have issued the one before it. */
static int check_order(const struct audit *a)
{
    const struct cert_list *chain = a->s->chain;
    bool ordered = true;

    for (size_t i = 1; i < chain->n; i++) {
        const struct cert_facts *f = chain->at[i];

        if (cert_names_issuer(chain->at[i - 1], f))
            continue;
        if (!issued_any(chain, f)) {
            if (audit_note(a->report, a->s, AUDIT_CHAIN_EXTRA, f,
                           "certificate %zu of %zu issued none of the others", i + 1,
                           chain->n) != 0)
                return -1;
        } else if (ordered) {
            ordered = false;
            if (audit_note(a->report, a->s, AUDIT_CHAIN_ORDER, f,
                           "certificate %zu of %zu did not issue the one before it", i + 1,
                           chain->n) != 0)
                return -1;
        }
    }
    return 0;
}

/* Nothing leads to an anchor: what is missing, by names. */
static int explain_no_path(const struct audit *a, const struct cert_list *anchors)
{
    const struct cert_facts *leaf = a->s->chain->at[0], *top;
    const char *store = a->s->store != NULL ? a->s->store->name : "the trust store";
    struct cert_path path;
    char name[512];

    if (leaf->self_issued)
        return audit_note(a->report, a->s, AUDIT_SELF_SIGNED, leaf, "signed with its own key");
    cert_path_build(a->s->chain, anchors, &path);
    top = path.at[path.n - 1];
    cert_name_text(top->issuer, CERT_STYLE_JAVA, name, sizeof name);
    if (path.complete) /* by names it is fine, so something on the way is wrong */
        return 0;
    if (path.n == 1)
        return audit_note(a->report, a->s, AUDIT_CHAIN_INCOMPLETE, leaf,
                          "its issuer '%s' is not sent", name);
    return audit_note(a->report, a->s, AUDIT_UNTRUSTED, top, "%s '%s' is not in %s",
                      top->self_issued ? "the root" : "its issuer", name, store);
}

static size_t errors_since(const struct audit *a, size_t first)
{
    size_t n = 0;

    for (size_t i = first; i < a->report->n; i++)
        n += audit_rules[a->report->at[i].code].severity == AUDIT_ERROR;
    return n;
}

/* What the judge says, unless a finding about the same chain has said it already.
 *   first  index of the first finding about this chain */
static int check_verdict(const struct audit *a, size_t first)
{
    struct trust_request request = {
        .chain = a->s->chain->at,
        .chain_len = a->s->chain->n,
        .anchors = a->s->store->anchors,
        .host = a->s->host,
        .at_utc = a->o->now_s,
        .client = TRUST_APACHE,
        .insecure_skip = a->s->insecure_skip,
        .skip_refuses_plain_self_signed = a->s->skip_refuses_plain_self_signed,
    };
    const struct cert_facts *of = NULL;
    struct verdict verdict;
    char what[700];

    trust_judge(&request, &verdict);
    if (verdict.ok)
        return 0;
    if (verdict.code == VERDICT_NO_MEMORY)
        return -1;
    if (verdict_unknown(verdict.code))
        return audit_note(a->report, a->s, AUDIT_NOT_JUDGED, NULL, "%s", verdict.what);
    if (verdict.index >= 0 && (size_t)verdict.index < a->s->chain->n)
        of = a->s->chain->at[verdict.index];
    if (verdict.code == VERDICT_HOST_MISMATCH || verdict.code == VERDICT_HOST_ILLEGAL)
        return audit_note(a->report, a->s, AUDIT_NAME_MISMATCH, a->s->chain->at[0], "%s",
                          verdict.error);
    if (verdict.code == VERDICT_NOT_ON_LIST)
        return audit_note(a->report, a->s, AUDIT_UNTRUSTED, a->s->chain->at[0], "%s",
                          verdict_what(&verdict, NULL, what, sizeof what));
    if (verdict.code == VERDICT_NO_PATH && !a->s->insecure_skip &&
        explain_no_path(a, a->s->store->list) != 0)
        return -1;
    if ((verdict.code == VERDICT_NO_PATH || verdict.code == VERDICT_EXPIRED ||
         verdict.code == VERDICT_NOT_YET_VALID || verdict.code == VERDICT_WEAK_ALGORITHM ||
         verdict.code == VERDICT_UNPARSEABLE) &&
        errors_since(a, first) > 0)
        return 0;
    return audit_note(a->report, a->s, AUDIT_REFUSED, of, "%s", verdict.error);
}

/* Without a trust store only what no store could cure is a finding. */
static int check_without_store(const struct audit *a)
{
    return a->s->chain->at[0]->self_issued || !issued_by_any(a->s->chain) ? explain_no_path(a, NULL)
                                                                          : 0;
}

static int check_names(const struct audit *a)
{
    const struct cert_facts *leaf = a->s->chain->at[0];

    if (a->s->role == AUDIT_ROLE_CLIENT || leaf->has_san ||
        (leaf->has_basic_constraints && leaf->ca))
        return 0;
    return audit_note(a->report, a->s, AUDIT_NAME_MISSING, leaf, "no subject alternative name");
}

int audit_chain(struct audit_report *report, const struct audit_options *o,
                const struct audit_subject *s, struct err *err)
{
    struct audit a = { .report = report, .o = o, .s = s };
    bool judged = s->role != AUDIT_ROLE_CLIENT && s->role != AUDIT_ROLE_TARGET_IGNORED;
    size_t first = report->n;
    int rc = 0;

    for (size_t i = 0; i < s->chain->n && rc == 0; i++)
        rc = check_certificate(&a, s->chain->at[i], i == 0 && s->role != AUDIT_ROLE_STORE);
    if (rc == 0 && s->role != AUDIT_ROLE_STORE && s->chain->at[0]->refusal[0] == '\0') {
        rc = check_order(&a);
        if (rc == 0)
            rc = check_names(&a);
        if (rc == 0 && judged)
            rc = s->store != NULL ? check_verdict(&a, first) : check_without_store(&a);
    }
    if (rc != 0)
        err_set(err, ERR_NOMEM, "audit of %s", s->file);
    return rc;
}
