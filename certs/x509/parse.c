/* SPDX-License-Identifier: Apache-2.0
 * One certificate: the outline of Certificate and TBSCertificate. */
#include "certs/x509/parse.h"

#include <mbedtls/sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/parse_impl.h"

#define BAD "java.security.cert.CertificateParsingException: "

static const char *version_of(const struct der *d, int32_t *version)
{
    struct der_span body = d->body;
    struct der v;
    const char *why;

    if (!der_is_constructed(d))
        return NULL; /* version 1, says the JDK */
    why = der_next(&body, &v);
    if (why == NULL && v.tag != DER_INTEGER)
        why = "java.io.IOException: DerValue.getBigIntegerInternal, not expected";
    if (why == NULL)
        why = der_int32(&v, version);
    if (why == NULL && body.len != 0)
        why = "java.io.IOException: X.509 version, bad format";
    return why;
}

static const char *validity(struct cert_facts *f, struct der_span *rest)
{
    struct der seq, d;
    const char *why = der_next(rest, &seq);
    int64_t *out[2] = { &f->not_before_utc, &f->not_after_utc };
    struct der_span body;
    unsigned n = 0;

    if (why == NULL && seq.tag != DER_SEQUENCE)
        why = "java.io.IOException: Invalid encoded CertificateValidity, starting sequence tag "
              "missing.";
    if (why == NULL && seq.body.len == 0)
        why = "java.io.IOException: No data encoded for CertificateValidity";
    for (body = seq.body; why == NULL && body.len > 0; n++)
        why = der_next(&body, &d);
    if (why == NULL && n != 2)
        why = "java.io.IOException: Invalid encoding for CertificateValidity";
    for (unsigned i = 0; why == NULL && i < 2; i++) {
        why = der_next(&seq.body, &d);
        if (why == NULL && d.tag != DER_UTC_TIME && d.tag != DER_GENERALIZED_TIME)
            why = "java.io.IOException: Invalid encoding for CertificateValidity";
        if (why == NULL)
            why = der_time(&d, i == 0, out[i]);
    }
    return why;
}

static const char *name_of(struct cert_parser *p, struct der_span *rest, struct der_span *all,
                           struct x500_name *out)
{
    struct der d;
    const char *why = der_next(rest, &d);

    if (why != NULL)
        return why;
    *all = d.all;
    return x500_name_parse(d.all, &p->arena, out);
}

/* issuerUniqueID and subjectUniqueID, when they are there. */
static const char *unique_ids(struct der_span *rest, struct der *d)
{
    for (unsigned n = 1; n <= 2; n++) {
        struct der_span octets;
        unsigned unused;
        const char *why;

        if (!der_is_context(d, n))
            continue;
        why = der_bits(d, &octets, &unused);
        if (why != NULL)
            return why;
        if (rest->len == 0) {
            d->tag = 0; /* nothing more */
            return NULL;
        }
        why = der_next(rest, d);
        if (why != NULL)
            return why;
    }
    return NULL;
}

static const char *empty_subject(const struct cert_facts *f)
{
    if (f->n_extensions == 0)
        return BAD "X.509 Certificate is incomplete: subject field is empty, and certificate has "
                   "no extensions";
    if (!f->has_san)
        return BAD "X.509 Certificate is incomplete: subject field is empty, and "
                   "SubjectAlternativeName extension is absent";
    if (!f->san_critical)
        return BAD "X.509 Certificate is incomplete: SubjectAlternativeName extension MUST be "
                   "marked critical when subject field is empty";
    return NULL;
}

/* What follows the key: identifiers that nobody uses, and the extensions. */
static const char *tail(struct cert_parser *p, struct der_span rest)
{
    struct cert_facts *f = &p->facts;
    struct der d;
    const char *why;

    if (rest.len == 0)
        return NULL;
    if (f->version == 1)
        return BAD "no more data allowed for version 1 certificate";
    why = der_next(&rest, &d);
    if (why == NULL)
        why = unique_ids(&rest, &d);
    if (why != NULL || d.tag == 0)
        return why;
    if (f->version != 3)
        return BAD "Extensions not allowed in v2 certificate";
    if (d.tag == 0xa3)
        why = parse_extensions(p, d.body);
    if (why == NULL && p->details.subject.empty)
        why = empty_subject(f);
    return why;
}

static const char *to_be_signed(struct cert_parser *p, struct der_span rest,
                                struct algorithm *inner)
{
    struct cert_facts *f = &p->facts;
    int32_t version = 0;
    struct der d;
    const char *why = der_next(&rest, &d);

    if (why == NULL && der_is_context(&d, 0)) {
        why = version_of(&d, &version);
        if (why == NULL)
            why = der_next(&rest, &d);
    }
    f->version = version == INT32_MAX ? version : version + 1;
    if (why == NULL && (d.tag != DER_INTEGER || d.body.len == 0))
        why = "java.io.IOException: DerValue.getBigIntegerInternal, not expected";
    f->serial = d.body;
    if (why == NULL)
        why = der_next(&rest, &d);
    if (why == NULL)
        why = parse_algorithm(&d, inner);
    if (why == NULL)
        why = name_of(p, &rest, &f->issuer, &p->details.issuer);
    if (why == NULL && p->details.issuer.empty)
        why = BAD "Empty issuer DN not allowed in X509Certificates";
    if (why == NULL)
        why = validity(f, &rest);
    if (why == NULL)
        why = name_of(p, &rest, &f->subject, &p->details.subject);
    if (why == NULL && f->version == 1 && p->details.subject.empty)
        why = BAD "Empty subject DN not allowed in v1 certificate";
    if (why == NULL)
        why = parse_spki(p, &rest);
    return why != NULL ? why : tail(p, rest);
}

static const char *certificate(struct cert_parser *p, struct der_span body)
{
    struct cert_facts *f = &p->facts;
    struct algorithm outer, inner;
    struct der tbs, alg, sig;
    unsigned unused;
    const char *why = der_next(&body, &tbs);

    if (why == NULL)
        why = der_next(&body, &alg);
    if (why == NULL)
        why = der_next(&body, &sig);
    if (why == NULL && body.len != 0)
        why = BAD "signed overrun";
    if (why == NULL && tbs.tag != DER_SEQUENCE)
        why = BAD "signed fields invalid";
    if (why != NULL)
        return why;
    f->tbs = tbs.all;
    p->details.tbs_body = tbs.body;
    why = parse_algorithm(&alg, &outer);
    f->sig_oid = outer.oid;
    f->sig_params = outer.params;
    memcpy(f->sig_algorithm, outer.name, sizeof f->sig_algorithm);
    if (why == NULL && sig.tag != DER_BIT_STRING)
        why = "java.io.IOException: DerValue.getBitString, not a bit string";
    if (why == NULL)
        why = der_bits(&sig, &f->signature, &unused);
    if (why != NULL)
        return why;
    p->details.sig_unused_bits = unused;
    why = to_be_signed(p, tbs.body, &inner);
    if (why == NULL &&
        (!der_span_eq(inner.oid, f->sig_oid) || !der_span_eq(inner.params, f->sig_params)))
        why = "java.security.cert.CertificateException: Signature algorithm mismatch";
    return why;
}

/* Copy the outer element with the shortest possible length, as the JDK keeps it. */
static const char *copy_outer(struct cert_parser *p, const void *der, size_t len,
                              struct der_span *body)
{
    struct der_span rest = der_span_of(der, len);
    struct der d;
    const char *why;
    uint8_t *w, *converted = NULL;
    size_t n_converted = 0;

    if (len == 0 || *(const uint8_t *)der != DER_SEQUENCE)
        return "java.io.IOException: Empty input";
    if (len > 1 && rest.at[1] == 0x80) {
        why = ber_definite(rest, &converted, &n_converted);
        if (why != NULL)
            return why;
        rest = der_span_of(converted, n_converted);
    }
    why = der_next(&rest, &d);
    w = p->own = why == NULL ? malloc(d.body.len + DER_HEAD_MAX) : NULL;
    if (w == NULL) {
        free(converted);
        return why != NULL ? why : "no memory";
    }
    w += der_head(DER_SEQUENCE, d.body.len, w);
    if (d.body.len > 0)
        memcpy(w, d.body.at, d.body.len);
    p->facts.der = der_span_of(p->own, (size_t)(w - p->own) + d.body.len);
    *body = der_span_of(w, d.body.len);
    free(converted);
    return NULL;
}

struct cert_facts *cert_facts_new(const void *der, size_t len)
{
    struct cert_parser *p = calloc(1, sizeof *p);
    struct der_span body;
    const char *why;

    if (p == NULL)
        return NULL;
    p->facts.priv = p;
    p->facts.presented_len = len;
    p->facts.details = &p->details;
    p->details.java_bc = p->facts.path_len = -1;
    p->facts.require_explicit_policy = p->facts.inhibit_policy_mapping = -1;
    p->facts.inhibit_any_policy = -1;
    why = copy_outer(p, der, len, &body);
    if (why == NULL) {
        uint32_t hash = 1;

        mbedtls_sha256(p->facts.der.at, p->facts.der.len, p->facts.sha256, 0);
        for (size_t i = 0; i < p->facts.der.len; i++)
            hash =
                31u * hash + (p->facts.der.at[i] ^ 0x80u) - 0x80u; /* octets are signed in Java */
        p->details.java_hash = (int32_t)hash;
        why = certificate(p, body);
    }
    if (why == NULL)
        p->facts.self_issued = x500_name_same(&p->details.issuer, &p->details.subject);
    else
        snprintf(p->facts.refusal, sizeof p->facts.refusal, "%s", why);
    if (p->arena.failed || (why != NULL && strcmp(why, "no memory") == 0)) {
        cert_facts_free(&p->facts);
        return NULL;
    }
    return &p->facts;
}

void cert_facts_free(struct cert_facts *facts)
{
    struct cert_parser *p;

    if (facts == NULL)
        return;
    p = facts->priv;
    arena_clear(&p->arena);
    free(p->own);
    free(p);
}
