/* SPDX-License-Identifier: Apache-2.0
 * The judge of client certificates: a path from the client's certificate through the truststore to
 * a root in it. */
#include "certs/judge/mutual_tls.h"

#include <stdio.h>
#include <string.h>

#include "certs/judge/trust_impl.h"
#include "core/clock.h"

static const struct row {
    const char *evidence, *reason, *what, *remedy, *source;
} reasons[MUTUAL_TLS_N] = {
#define REASON(id, evidence, reason, what, remedy, source)                                         \
    [MUTUAL_TLS_##id] = { evidence, reason, what, remedy, source },
#include "certs/judge/mutual_tls.def"
#undef REASON
};

/* Which of several failures is told when no path holds: the one that came furthest. A failure of
 * the certificates themselves comes behind a path that reached its root. */
static const unsigned came[MUTUAL_TLS_N] = {
    [MUTUAL_TLS_NO_ISSUER] = 1,
    [MUTUAL_TLS_SELF_SIGNED] = 1,
    [MUTUAL_TLS_BAD_SIGNATURE] = 2,
    [MUTUAL_TLS_NOT_A_CA] = 3,
    [MUTUAL_TLS_TOO_LONG] = 4,
    [MUTUAL_TLS_UNREADABLE] = 5,
    [MUTUAL_TLS_INSECURE_SIGNATURE] = 5,
    [MUTUAL_TLS_KEY] = 5,
    [MUTUAL_TLS_NOT_YET_VALID] = 5,
    [MUTUAL_TLS_EXPIRED] = 5,
    [MUTUAL_TLS_LIMIT] = 9,
    [MUTUAL_TLS_NO_MEMORY] = 9,
};

struct climber {
    const struct cert_list *store;
    int64_t at_utc;
    struct trust_request none; /* what the checks of signatures want to have around them */
    struct trust_run run;
    const struct cert_facts *path[TRUSTSTORE_LEVELS_MAX + 2]; /* [0] is the client's */
    enum mutual_tls_code code;
    const struct cert_facts *cert;
};

/* Note a failure, unless one that came further is known. Answers false. */
static bool falls(struct climber *s, enum mutual_tls_code code, const struct cert_facts *cert)
{
    if (came[code] > came[s->code]) {
        s->code = code;
        s->cert = cert;
    }
    return false;
}

/* --- one certificate --- */
static bool weak_digest(const char *name)
{
    return strncmp(name, "MD", 2) == 0 || strncmp(name, "SHA1", 4) == 0 ||
           strncmp(name, "SHA-1", 5) == 0 || strncmp(name, "SHA224", 6) == 0 ||
           strncmp(name, "SHA-224", 7) == 0;
}

static bool weak_signature(const struct cert_facts *f)
{
    struct pss_params pss;

    if (strcmp(f->sig_algorithm, "RSASSA-PSS") == 0)
        return parse_pss_params(f->sig_params, &pss) != NULL || weak_digest(pss.digest);
    return weak_digest(f->sig_algorithm);
}

static bool key_is_taken(const struct cert_facts *f)
{
    if (f->key == CERT_KEY_RSA || f->key == CERT_KEY_RSA_PSS)
        return f->key_bits >= 2048;
    return f->key == CERT_KEY_EC && f->curve != NULL &&
           (strcmp(f->curve, "secp256r1") == 0 || strcmp(f->curve, "secp384r1") == 0);
}

static enum mutual_tls_code look_at(const struct cert_facts *f, int64_t at_utc)
{
    if (f->refusal[0] != '\0')
        return MUTUAL_TLS_UNREADABLE;
    if (weak_signature(f))
        return MUTUAL_TLS_INSECURE_SIGNATURE;
    if (!key_is_taken(f))
        return MUTUAL_TLS_KEY;
    if (at_utc < f->not_before_utc)
        return MUTUAL_TLS_NOT_YET_VALID;
    return at_utc > f->not_after_utc ? MUTUAL_TLS_EXPIRED : MUTUAL_TLS_OK;
}

static enum mutual_tls_code signed_by(struct climber *s, const struct cert_facts *cert,
                                      const struct cert_facts *issuer)
{
    char detail[VERDICT_TEXT_MAX];

    switch (sig_check(&s->run, cert, issuer, issuer, detail, sizeof detail)) {
    case VERDICT_OK:
        return MUTUAL_TLS_OK;
    case VERDICT_SIMULATOR_LIMIT:
        return MUTUAL_TLS_LIMIT;
    case VERDICT_NO_MEMORY:
        return MUTUAL_TLS_NO_MEMORY;
    default:
        return MUTUAL_TLS_BAD_SIGNATURE;
    }
}

/* Version 1 certificates say nothing of it; roots of old are such. */
static bool may_issue(const struct cert_facts *f)
{
    return f->has_basic_constraints ? f->ca : f->version < 3 && f->self_issued;
}

/* --- a path --- */
static bool path_holds(struct climber *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum mutual_tls_code code = look_at(s->path[i], s->at_utc);

        if (code != MUTUAL_TLS_OK)
            return falls(s, code, s->path[i]);
    }
    return true;
}

static bool climb(struct climber *s, size_t n);

static bool step_to(struct climber *s, size_t n, const struct cert_facts *issuer)
{
    const struct cert_facts *cert = s->path[n - 1];
    enum mutual_tls_code code;

    if (!may_issue(issuer))
        return falls(s, MUTUAL_TLS_NOT_A_CA, issuer);
    code = signed_by(s, cert, issuer);
    if (code != MUTUAL_TLS_OK)
        return falls(s, code, cert);
    s->path[n] = issuer;
    if (n > TRUSTSTORE_LEVELS_MAX)
        return falls(s, MUTUAL_TLS_TOO_LONG, s->path[0]);
    /* An authority that changed its key may have issued itself a certificate under the old one. */
    return issuer->self_issued && signed_by(s, issuer, issuer) == MUTUAL_TLS_OK
               ? path_holds(s, n + 1)
               : climb(s, n + 1);
}

/* Find what issued path[n - 1]. */
static bool climb(struct climber *s, size_t n)
{
    const struct cert_facts *cert = s->path[n - 1];
    bool any = false;

    if (!run_pay(&s->run, s->store->n))
        return falls(s, MUTUAL_TLS_LIMIT, cert);
    for (size_t i = 0; i < s->store->n && came[s->code] < came[MUTUAL_TLS_LIMIT]; i++) {
        const struct cert_facts *issuer = s->store->at[i];

        if (issuer->refusal[0] != '\0' || same_cert(issuer, cert) || !issued_by_name(cert, issuer))
            continue;
        any = true;
        if (step_to(s, n, issuer))
            return true;
    }
    return any ? false : falls(s, MUTUAL_TLS_NO_ISSUER, cert);
}

static bool is_entry(const struct climber *s, const struct cert_facts *cert)
{
    for (size_t i = 0; i < s->store->n; i++) {
        if (same_cert(s->store->at[i], cert))
            return true;
    }
    return false;
}

static bool judge(struct climber *s, const struct cert_facts *leaf)
{
    if (leaf->refusal[0] != '\0')
        return falls(s, MUTUAL_TLS_UNREADABLE, leaf);
    s->path[0] = leaf;
    if (!leaf->self_issued)
        return climb(s, 1);
    return is_entry(s, leaf) ? path_holds(s, 1) : falls(s, MUTUAL_TLS_SELF_SIGNED, leaf);
}

static void tell(struct climber *s, bool ok, struct mutual_tls_verdict *out)
{
    const struct row *row;

    if (!ok && (s->run.no_memory || s->run.arena.failed))
        s->code = MUTUAL_TLS_NO_MEMORY;
    arena_clear(&s->run.arena);
    row = &reasons[ok ? MUTUAL_TLS_OK : s->code];
    *out = (struct mutual_tls_verdict){ .ok = ok,
                                        .code = ok ? MUTUAL_TLS_OK : s->code,
                                        .cert = ok ? NULL : s->cert,
                                        .reason = row->reason,
                                        .evidence = row->evidence,
                                        .remedy = row->remedy,
                                        .source = row->source };
}

void mutual_tls_judge(const struct cert_facts *leaf, const struct cert_list *store, int64_t at_utc,
                      struct mutual_tls_verdict *out)
{
    struct climber s = { .store = store, .at_utc = at_utc };

    s.run.req = &s.none;
    tell(&s, judge(&s, leaf), out);
}

const char *mutual_tls_what(const struct mutual_tls_verdict *v, char *out, size_t size)
{
    const char *what = reasons[v->code].what, *mark = strchr(what, '{');
    char filled[512];

    if (mark == NULL || v->cert == NULL) {
        snprintf(out, size, "%s", what);
        return out;
    }
    if (mark[1] == 'i') {
        cert_name_text(v->cert->issuer, CERT_STYLE_JAVA, filled, sizeof filled);
    } else {
        clock_format_day(v->code == MUTUAL_TLS_EXPIRED ? v->cert->not_after_utc
                                                       : v->cert->not_before_utc,
                         filled);
    }
    snprintf(out, size, "%.*s%s%s", (int)(mark - what), what, filled, strchr(mark, '}') + 1);
    return out;
}

bool mutual_tls_unknown(enum mutual_tls_code code)
{
    return code == MUTUAL_TLS_LIMIT || code == MUTUAL_TLS_NO_MEMORY;
}

void mutual_tls_judge_entry(const struct cert_list *store, size_t i, int64_t at_utc,
                            struct mutual_tls_verdict *out)
{
    struct climber s = { .store = store, .at_utc = at_utc };
    const struct cert_facts *entry = store->at[i];
    enum mutual_tls_code own = look_at(entry, at_utc);

    s.run.req = &s.none;
    s.path[0] = entry;
    /* A self-signed client certificate may be an entry as well, so a root need be no authority. */
    if (own != MUTUAL_TLS_OK)
        tell(&s, falls(&s, own, entry), out);
    else if (entry->self_issued)
        tell(&s, true, out);
    else if (!may_issue(entry))
        tell(&s, falls(&s, MUTUAL_TLS_NOT_A_CA, entry), out);
    else
        tell(&s, climb(&s, 1), out);
}
