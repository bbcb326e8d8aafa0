/* SPDX-License-Identifier: Apache-2.0
 * Audit for a custom domain with mutual TLS: its truststore, and the certificates of its clients.
 */
#include <stdio.h>
#include <string.h>

#include "certs/audit/audit_impl.h"
#include "certs/judge/mutual_tls.h"
#include "core/clock.h"

static bool expires_soon(const struct audit_options *o, const struct cert_facts *f)
{
    return f->not_after_utc >= o->now_s && f->not_after_utc - o->now_s < (int64_t)o->days * 86400;
}

/* The remedy is that of the reason. */
static int note_reason(struct audit_report *report, const struct audit_subject *s,
                       enum audit_code code, const struct cert_facts *cert, const char *prefix,
                       const struct mutual_tls_verdict *v)
{
    char what[640];

    if (audit_note(report, s, code, cert, "%s%s", prefix, mutual_tls_what(v, what, sizeof what)) !=
        0)
        return -1;
    report->at[report->n - 1].remedy = v->remedy;
    return 0;
}

static int judge_client(struct audit_report *report, const struct audit_options *o,
                        const struct audit_subject *subject)
{
    const struct cert_facts *leaf = subject->chain->at[0];
    struct mutual_tls_verdict v;
    char prefix[512] = "", name[384], when[24];

    mutual_tls_judge(leaf, o->truststore, o->now_s, &v);
    if (v.ok)
        return expires_soon(o, leaf)
                   ? audit_note(report, subject, AUDIT_CLIENT_EXPIRES_SOON, leaf,
                                "it expires on %s", clock_format_day(leaf->not_after_utc, when))
                   : 0;
    if (mutual_tls_unknown(v.code))
        return note_reason(report, subject, AUDIT_NOT_JUDGED, leaf, "", &v);
    snprintf(prefix, sizeof prefix, "Access denied. Reason: %s%s; ", v.reason,
             v.evidence[0] == 'd' ? "" : " (the words are inferred)");
    if (v.cert != leaf) {
        size_t n = strlen(prefix);

        snprintf(prefix + n, sizeof prefix - n, "of '%s' in the truststore: ",
                 cert_name_text(v.cert->subject, CERT_STYLE_JAVA, name, sizeof name));
    }
    return note_reason(report, subject, AUDIT_CLIENT_REFUSED, leaf, prefix, &v);
}

int audit_client(struct audit_report *report, const struct audit_options *o,
                 const struct audit_subject *subject, struct err *err)
{
    int rc = judge_client(report, o, subject);

    if (rc != 0)
        err_set(err, ERR_NOMEM, "audit of %s", subject->file);
    return rc;
}

static int look_at_entry(struct audit_report *report, const struct audit_options *o,
                         const struct audit_subject *s, size_t i)
{
    const struct cert_facts *entry = s->chain->at[i];
    struct mutual_tls_verdict v;
    char prefix[512], name[384], when[24];

    mutual_tls_judge_entry(s->chain, i, o->now_s, &v);
    if (v.ok)
        return expires_soon(o, entry)
                   ? audit_note(report, s, AUDIT_TRUSTSTORE_EXPIRES_SOON, entry,
                                "certificate %zu of %zu expires on %s", i + 1, s->chain->n,
                                clock_format_day(entry->not_after_utc, when))
                   : 0;
    if (mutual_tls_unknown(v.code))
        return note_reason(report, s, AUDIT_NOT_JUDGED, entry, "", &v);
    snprintf(prefix, sizeof prefix, "certificate %zu of %zu: ", i + 1, s->chain->n);
    if (v.cert != entry)
        snprintf(prefix, sizeof prefix, "certificate %zu of %zu, above it '%s': ", i + 1,
                 s->chain->n, cert_name_text(v.cert->subject, CERT_STYLE_JAVA, name, sizeof name));
    return note_reason(report, s, AUDIT_TRUSTSTORE_ENTRY, entry, prefix, &v);
}

int audit_truststore(struct audit_report *report, const struct audit_options *o, const char *path,
                     const struct cert_list *list, size_t bytes, struct err *err)
{
    const struct audit_subject s = {
        .file = path, .where = "truststore", .role = AUDIT_ROLE_STORE, .chain = list
    };
    int rc = 0;

    if (list->n > TRUSTSTORE_CERTS_MAX || bytes > TRUSTSTORE_BYTES_MAX)
        rc = audit_note(report, &s, AUDIT_TRUSTSTORE_LIMIT, NULL, "%zu certificates, %zu bytes",
                        list->n, bytes);
    for (size_t i = 0; i < list->n && i < TRUSTSTORE_CERTS_MAX && rc == 0; i++)
        rc = look_at_entry(report, o, &s, i);
    if (rc != 0)
        err_set(err, ERR_NOMEM, "audit of %s", path);
    return rc;
}
