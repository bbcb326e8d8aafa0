/* SPDX-License-Identifier: Apache-2.0
 * Extensions about policies, and those that only have to be readable. */
#include "certs/x509/parse_ext.h"

static const char *policy(struct der_span body, struct cert_policy *out)
{
    struct der_span ignored;
    struct der list, d;
    const char *why = der_next_oid(&body, &out->oid);

    if (why != NULL || body.len == 0)
        return why;
    why = der_next(&body, &list);
    if (why == NULL && (list.tag != DER_SEQUENCE || list.body.len == 0))
        why = "java.io.IOException: Invalid encoding of PolicyInformation";
    while (why == NULL && list.body.len > 0) {
        why = der_next(&list.body, &d);
        if (why == NULL && d.tag != DER_SEQUENCE)
            why = "java.io.IOException: Invalid encoding for PolicyQualifierInfo";
        if (why == NULL)
            why = der_next_oid(&d.body, &ignored);
    }
    out->has_qualifiers = true;
    return why;
}

const char *ext_policies(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_facts *f = &p->facts;
    struct der_span body;
    struct der d;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        struct cert_policy *slot =
            arena_append(&p->arena, &f->policies, &f->n_policies, sizeof *slot);

        why = der_next(&body, &d);
        if (why == NULL && d.tag != DER_SEQUENCE)
            why = "java.io.IOException: Invalid encoding of PolicyInformation";
        if (why == NULL && slot == NULL)
            why = "no memory";
        if (why == NULL)
            why = policy(d.body, slot);
    }
    f->has_policies = why == NULL;
    f->policies_critical = ext->critical;
    if (why != NULL)
        f->n_policies = 0;
    return why;
}

const char *ext_policy_mappings(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_facts *f = &p->facts;
    struct der_span body;
    struct der d;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        struct cert_policy_mapping *slot =
            arena_append(&p->arena, &f->mappings, &f->n_mappings, sizeof *slot);

        why = der_next(&body, &d);
        if (why == NULL && d.tag != DER_SEQUENCE)
            why = "java.io.IOException: Invalid encoding for CertificatePolicyMap";
        if (why == NULL && slot == NULL)
            why = "no memory";
        if (why == NULL)
            why = der_next_oid(&d.body, &slot->issuer_domain);
        if (why == NULL)
            why = der_next_oid(&d.body, &slot->subject_domain);
    }
    if (why != NULL)
        f->n_mappings = 0;
    return why;
}

const char *ext_policy_constraints(struct cert_parser *p, const struct cert_extension *ext)
{
    int32_t value[2] = { -1, -1 };
    struct der_span body;
    struct der d;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        why = der_next(&body, &d);
        if (why == NULL && d.tag != 0x80 && d.tag != 0x81)
            why = "java.io.IOException: Invalid encoding of PolicyConstraint";
        if (why == NULL && value[d.tag & 1] != -1)
            why = "java.io.IOException: Duplicate field found in the PolicyConstraintsExtension";
        if (why == NULL)
            why = der_int32(&d, &value[d.tag & 1]);
    }
    if (why == NULL) {
        p->facts.require_explicit_policy = value[0];
        p->facts.inhibit_policy_mapping = value[1];
    }
    return why;
}

const char *ext_inhibit_any_policy(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der d;
    int32_t v;
    const char *why;

    if (!ext->critical)
        return "java.io.IOException: Criticality cannot be false for InhibitAnyPolicy";
    why = ext_whole(ext->value, &d);
    if (why == NULL && d.tag != DER_INTEGER)
        why = "java.io.IOException: Invalid encoding of InhibitAnyPolicy: data not integer";
    if (why == NULL)
        why = der_int32(&d, &v);
    if (why == NULL && v < -1)
        why = "java.io.IOException: Invalid value for skipCerts";
    if (why == NULL)
        p->facts.inhibit_any_policy = v == -1 ? INT32_MAX : v;
    return why;
}

/* --- only to be readable --- */
const char *ext_nothing(struct cert_parser *p, const struct cert_extension *ext)
{
    (void)p;
    (void)ext;
    return NULL;
}

const char *ext_general_names(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_general_name *names = NULL;
    size_t n = 0;
    struct der_span body;
    const char *why = ext_sequence(ext->value, &body);

    return why != NULL ? why : parse_general_names(p, body, &names, &n);
}

const char *ext_number(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der d;
    const char *why = ext_whole(ext->value, &d);

    (void)p;
    if (why == NULL && (d.tag != DER_INTEGER || d.body.len == 0))
        why = "java.io.IOException: DerValue.getBigIntegerInternal, not expected";
    return why;
}

const char *ext_enumerated(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der d;
    int32_t v;
    const char *why = ext_whole(ext->value, &d);

    (void)p;
    if (why == NULL && d.tag != DER_ENUMERATED)
        why = "java.io.IOException: DerValue.getBigIntegerInternal, not expected";
    return why != NULL ? why : der_int32(&d, &v);
}

const char *ext_access(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_general_name name;
    struct der_span body, item, oid;
    struct der d;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        why = der_next(&body, &d);
        item = d.body;
        if (why == NULL)
            why = der_next_oid(&item, &oid);
        if (why == NULL)
            why = der_next(&item, &d);
        if (why == NULL)
            why = parse_general_name(p, &d, false, &name);
    }
    return why;
}

const char *ext_private_key_usage(struct cert_parser *p, const struct cert_extension *ext)
{
    bool seen[2] = { false, false };
    struct der_span body;
    struct der d;
    int64_t when;
    const char *why = ext_sequence(ext->value, &body);

    (void)p;
    while (why == NULL && body.len > 0) {
        why = der_next(&body, &d);
        if (why == NULL && ((d.tag != 0x80 && d.tag != 0x81) || seen[d.tag & 1]))
            why = "java.io.IOException: Invalid encoding of PrivateKeyUsageExtension";
        if (why != NULL)
            break;
        seen[d.tag & 1] = true;
        d.tag = DER_GENERALIZED_TIME;
        why = der_time(&d, false, &when);
    }
    return why;
}

/* [0] fullName or [1] nameRelativeToCRLIssuer. */
static const char *point_name(struct cert_parser *p, struct der_span body)
{
    struct cert_general_name *names = NULL;
    size_t n = 0;
    struct der d;
    const char *why = der_next(&body, &d);

    if (why != NULL)
        return why;
    if (d.tag == 0xa0)
        return parse_general_names(p, d.body, &names, &n);
    return d.tag == 0xa1 ? NULL
                         : "java.io.IOException: Invalid DistributionPointName in "
                           "DistributionPoint";
}

static const char *point(struct cert_parser *p, struct der_span body)
{
    bool seen[3] = { false, false, false };
    struct cert_general_name *names = NULL;
    struct der_span octets;
    unsigned unused;
    size_t n = 0;
    struct der d;

    while (body.len > 0) {
        const char *why = der_next(&body, &d);
        unsigned kind = d.tag & 0x1f;

        if (why == NULL && (d.tag != (kind == 1 ? 0x81 : 0xa0 + kind) || kind > 2 || seen[kind]))
            why = "java.io.IOException: Invalid encoding of DistributionPoint.";
        if (why != NULL)
            return why;
        seen[kind] = true;
        why = kind == 0   ? point_name(p, d.body)
              : kind == 1 ? der_bits(&d, &octets, &unused)
                          : parse_general_names(p, d.body, &names, &n);
        if (why != NULL)
            return why;
    }
    return seen[0] || seen[2] ? NULL
                              : "java.io.IOException: One of fullName, relativeName,  and "
                                "crlIssuer has to be set";
}

const char *ext_distribution_points(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der_span body;
    struct der d;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        why = der_next(&body, &d);
        if (why == NULL && d.tag != DER_SEQUENCE)
            why = "java.io.IOException: Invalid encoding of DistributionPoint.";
        if (why == NULL)
            why = point(p, d.body);
    }
    return why;
}

const char *ext_issuing_point(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der_span body, octets;
    unsigned unused;
    struct der d;
    bool flag;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        why = der_next(&body, &d);
        if (why != NULL)
            break;
        if (d.tag == 0xa0) {
            why = point_name(p, d.body);
        } else if (d.tag == 0x83) {
            why = der_bits(&d, &octets, &unused);
        } else if (d.tag >= 0x81 && d.tag <= 0x85) {
            d.tag = DER_BOOLEAN;
            why = der_boolean(&d, &flag);
        } else {
            why = "java.io.IOException: Invalid encoding of IssuingDistributionPoint";
        }
    }
    return why;
}
