/* SPDX-License-Identifier: Apache-2.0
 * A certificate's names against name constraints, as the JDK's NameConstraintsExtension verifies
 * them. Source: measured on JDK 17.0.15. */
#include <stdio.h>
#include <string.h>

#include "certs/judge/name_constraints.h"
#include "certs/x509/parse_text.h"
#include "certs/x509/parse_uri.h"

struct check {
    struct trust_run *run;
    const struct constraints *c;
    const struct cert_facts *cert;
    struct fault *fault;
};

static bool refused(const struct check *k)
{
    fault_set(k->fault, VERDICT_NAME_CONSTRAINTS, k->cert, "name constraints check failed");
    return false;
}

static bool verify_name(const struct check *k, const struct nc_name *n)
{
    bool same_type = false;
    enum nc_relation r;

    for (size_t i = 0; i < k->c->excluded.n; i++) {
        if (!nc_compare_charged(k->run, k->c->excluded.at[i], n, &r, k->fault))
            return false;
        if (r == NC_MATCH || r == NC_NARROWS)
            return refused(k);
    }
    for (size_t i = 0; i < k->c->permitted.n; i++) {
        if (!nc_compare_charged(k->run, k->c->permitted.at[i], n, &r, k->fault))
            return false;
        if (r == NC_MATCH || r == NC_NARROWS)
            return true;
        same_type = same_type || r != NC_OTHER_TYPE;
    }
    return same_type ? refused(k) : true;
}

static bool verify_general(const struct check *k, enum cert_name_kind kind, struct der_span value)
{
    struct cert_general_name name = { .kind = kind, .value = value };
    struct nc_name *n = nc_name_new(k->run, &name, false);

    return n != NULL && verify_name(k, n);
}

/* Without a subjectAltName the e-mail addresses of the subject count. */
static bool verify_subject_emails(const struct check *k)
{
    struct der_span name = k->cert->subject;
    struct der seq, set, item;
    struct ava ava;
    char text[1024];

    if (der_next(&name, &seq) != NULL)
        return true;
    while (der_next(&seq.body, &set) == NULL) {
        while (der_next(&set.body, &item) == NULL && ava_read(&item, &ava) == NULL) {
            const char *domain;

            if (!der_oid_is(ava.oid, "1.2.840.113549.1.9.1") ||
                !text_of_value(&ava.value, text, sizeof text))
                continue;
            domain = strchr(text, '@') != NULL ? strchr(text, '@') + 1 : text;
            if (*domain == '\0' || strcmp(domain, ".") == 0)
                continue;
            if (!verify_general(k, CERT_NAME_EMAIL, der_span_of(text, strlen(text))))
                return false;
        }
    }
    return true;
}

static bool has_kind(const struct cert_facts *f, enum cert_name_kind kind)
{
    for (size_t i = 0; i < f->n_sans; i++) {
        if (f->sans[i].kind == kind)
            return true;
    }
    return false;
}

/* The JDK adds the CN to the certificate's own list of names, where its host name check finds it.
 */
static void note_cn(const struct check *k)
{
    if (k->cert->has_san && same_cert(k->cert, k->run->req->chain[0]))
        k->run->cn_became_san = true;
}

/* The last CN counts as a host name or address where the certificate has none of that kind. */
static bool verify_cn(const struct check *k)
{
    struct der value;
    uint8_t address[16];
    char cn[1024];
    size_t n;

    if (!cert_name_last_cn(k->cert->subject, &value) || !text_of_value(&value, cn, sizeof cn))
        return true;
    n = ip_from_text(cn, address);
    if (n > 0) {
        if (has_kind(k->cert, CERT_NAME_IP) || strpbrk(cn, ".:") == NULL)
            return true;
        note_cn(k);
        return verify_general(k, CERT_NAME_IP, der_span_of(address, n));
    }
    if (has_kind(k->cert, CERT_NAME_DNS) || !dns_name_strict(cn, strlen(cn)))
        return true;
    note_cn(k);
    return verify_general(k, CERT_NAME_DNS, der_span_of(cn, strlen(cn)));
}

static bool has_distance(const struct constraints *c, bool maximum)
{
    const struct nc_list *lists[] = { &c->permitted, &c->excluded };

    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->n; i++) {
            if (maximum ? lists[l]->at[i]->has_maximum : lists[l]->at[i]->has_minimum)
                return true;
        }
    }
    return false;
}

bool constraints_verify(struct trust_run *run, const struct constraints *c,
                        const struct cert_facts *cert, struct fault *fault)
{
    struct check k = { run, c, cert, fault };

    if (has_distance(c, false) || has_distance(c, true)) {
        fault_set(fault, VERDICT_NAME_CONSTRAINTS_UNSUPPORTED, cert,
                  "java.io.IOException: %s in name constraints not supported",
                  has_distance(c, false) ? "Non-zero minimum BaseDistance"
                                         : "Maximum BaseDistance");
        return false;
    }
    if (!cert->details->subject.empty && !verify_general(&k, CERT_NAME_DIRECTORY, cert->subject))
        return false;
    if (!cert->has_san && !verify_subject_emails(&k))
        return false;
    for (size_t i = 0; i < cert->n_sans; i++) {
        if (!verify_general(&k, cert->sans[i].kind, cert->sans[i].value))
            return false;
    }
    return verify_cn(&k);
}
