/* SPDX-License-Identifier: Apache-2.0
 * Algorithm identifiers: their names, curves and parameters, accepted and refused as the JDK does.
 */
#include <stdio.h>
#include <string.h>

#include "certs/x509/parse_impl.h"

static const struct {
    const char *oid, *name;
} algorithms[] = {
#define ALGORITHM(oid, name) { oid, name },
#include "certs/x509/algorithms.def"
#undef ALGORITHM
};

static const struct parse_curve curves[] = {
#define CURVE(oid, name, field, order) { oid, name, field, order },
#include "certs/x509/curves.def"
#undef CURVE
};

const struct parse_curve *parse_curve_of(struct der_span oid)
{
    char dotted[DER_OID_TEXT_MAX];

    der_oid_text(oid, dotted, sizeof dotted);
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(curves[i].oid, dotted) == 0)
            return &curves[i];
    }
    return NULL;
}

/* --- algorithm identifiers --- */
/* Identifiers nest: parameters hold digests, which are identifiers with parameters. The JDK goes on
 * until its stack ends, or for 2^depth steps; nobody means more than two levels. */
#define DEPTH_MAX 24

static const char *read_algorithm(const struct der *alg, unsigned depth, struct algorithm *out);
static const char *params_check(const char *name, struct der_span params, unsigned depth);

static void known_name(struct algorithm *a)
{
    der_oid_text(a->oid, a->name, sizeof a->name);
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (strcmp(algorithms[i].oid, a->name) == 0) {
            snprintf(a->name, sizeof a->name, "%s", algorithms[i].name);
            break;
        }
    }
}

/* ecdsa-with-SHA2: its digest is in the parameters, and then in the name. */
static const char *specified_digest(struct algorithm *a, unsigned depth)
{
    struct der_span params = a->params;
    struct algorithm digest;
    struct der alg;
    const char *why;
    char *w = a->name;

    if (strcmp(a->name, "SpecifiedSHA2withECDSA") != 0 || params.len == 0 ||
        der_next(&params, &alg) != NULL)
        return NULL;
    why = read_algorithm(&alg, depth + 1, &digest);
    if (why != NULL) /* the name stays as it is, says the JDK */
        return parse_is_limit(why) ? why : NULL;
    for (const char *r = digest.name; *r != '\0' && w < a->name + sizeof a->name - 10; r++) {
        if (*r != '-')
            *w++ = *r;
    }
    snprintf(w, sizeof a->name - (size_t)(w - a->name), "withECDSA");
    return NULL;
}

static const char *read_algorithm(const struct der *alg, unsigned depth, struct algorithm *out)
{
    struct der_span rest = alg->body;
    struct der d;
    const char *why;

    *out = (struct algorithm){ .params = der_span_of(NULL, 0) };
    if (depth > DEPTH_MAX)
        return PARSE_LIMIT "algorithm identifiers nested more than 24 deep";
    if (alg->tag != DER_SEQUENCE)
        return "java.io.IOException: algid parse error, not a sequence";
    why = der_next_oid(&rest, &out->oid);
    if (why != NULL)
        return why;
    known_name(out);
    if (rest.len == 0)
        return NULL;
    why = der_next(&rest, &d);
    if (why != NULL)
        return why;
    if (d.tag == DER_NULL && d.body.len != 0)
        return "java.io.IOException: invalid NULL";
    if (rest.len != 0)
        return "java.io.IOException: Invalid AlgorithmIdentifier: extra data";
    if (d.tag == DER_NULL)
        return NULL; /* as good as absent */
    out->params = d.all;
    why = specified_digest(out, depth);
    return why != NULL ? why : params_check(out->name, out->params, depth);
}

const char *parse_algorithm(const struct der *alg, struct algorithm *out)
{
    return read_algorithm(alg, 0, out);
}

bool parse_is_limit(const char *why)
{
    return strncmp(why, PARSE_LIMIT, strlen(PARSE_LIMIT)) == 0;
}

/* --- parameters --- */
static const char *pss_mgf(struct der_span body, unsigned depth, char *digest, size_t size)
{
    struct algorithm a;
    struct der d;
    const char *why = der_next(&body, &d);

    if (why == NULL)
        why = read_algorithm(&d, depth + 1, &a);
    if (why != NULL)
        return why;
    if (!der_oid_is(a.oid, "1.2.840.113549.1.1.8"))
        return "java.io.IOException: Only MGF1 mgf is supported";
    if (a.params.len == 0)
        return "java.io.IOException: Missing MGF1 parameters";
    why = der_next(&a.params, &d);
    if (why == NULL)
        why = read_algorithm(&d, depth + 1, &a);
    if (why != NULL)
        return why;
    snprintf(digest, size, "%s", a.name);
    return strncmp(digest, "SHA", 3) == 0
               ? NULL
               : "java.io.IOException: Unrecognized message digest algorithm";
}

static const char *pss_field(const struct der *field, unsigned depth, struct pss_params *out)
{
    struct der_span body = field->body;
    struct algorithm a;
    struct der d;
    const char *why;

    if (der_is_context(field, 1))
        return pss_mgf(body, depth, out->mgf_digest, sizeof out->mgf_digest);
    if ((field->tag & 0xc0) != 0x80 || (field->tag & 0x1f) > 3)
        return "java.io.IOException: Invalid encoded PSSParameters";
    why = der_next(&body, &d);
    if (why != NULL)
        return why;
    if (der_is_context(field, 0)) {
        why = read_algorithm(&d, depth + 1, &a);
        if (why == NULL)
            snprintf(out->digest, sizeof out->digest, "%s", a.name);
        return why;
    }
    if (d.tag != DER_INTEGER)
        return "java.io.IOException: DerValue.getBigIntegerInternal, not expected";
    why = der_int32(&d, der_is_context(field, 2) ? &out->salt_len : &out->trailer);
    if (why == NULL && out->salt_len < 0)
        why = "java.io.IOException: Negative value for saltLength";
    if (why == NULL && out->trailer != 1)
        why = "java.io.IOException: Unsupported trailerField value";
    return why;
}

static const char *pss_params(struct der_span params, unsigned depth, struct pss_params *out)
{
    struct der seq, field;
    const char *why = der_next(&params, &seq);

    *out = (struct pss_params){ "SHA-1", "SHA-1", 20, 1 };
    if (why != NULL)
        return why;
    if (seq.tag != DER_SEQUENCE)
        return "java.io.IOException: Not the correct tag";
    while (seq.body.len > 0) {
        why = der_next(&seq.body, &field);
        if (why == NULL)
            why = pss_field(&field, depth, out);
        if (why != NULL)
            return why;
    }
    return NULL;
}

const char *parse_pss_params(struct der_span params, struct pss_params *out)
{
    return pss_params(params, 0, out);
}

/* A SEQUENCE of `min` to `max` INTEGERs. */
static const char *integers(struct der_span all, unsigned min, unsigned max)
{
    struct der seq, d;
    unsigned n = 0;
    const char *why = der_next(&all, &seq);

    if (why != NULL)
        return why;
    if (seq.tag != DER_SEQUENCE)
        return "java.io.IOException: params parsing error";
    for (; seq.body.len > 0 && n < max; n++) {
        why = der_next(&seq.body, &d);
        if (why == NULL && (d.tag != DER_INTEGER || d.body.len == 0))
            why = "java.io.IOException: DerValue.getBigIntegerInternal, not expected";
        if (why != NULL)
            return why;
    }
    if (n < min)
        return "java.io.IOException: Too short";
    return seq.body.len == 0 ? NULL : "java.io.IOException: encoded params have extra bytes";
}

/* The JDK's AlgorithmParameters: NULL when they can be read (or are not looked at). */
static const char *params_check(const char *name, struct der_span params, unsigned depth)
{
    struct pss_params pss;
    struct der d;

    if (strcmp(name, "EC") == 0) {
        const char *why = der_next(&params, &d);

        if (why == NULL && d.tag != DER_OID)
            why = "java.io.IOException: Only named ECParameters supported";
        if (why == NULL)
            why = der_oid_check(d.body);
        if (why == NULL && parse_curve_of(d.body) == NULL)
            why = "java.io.IOException: Unknown named curve";
        return why;
    }
    if (strcmp(name, "RSASSA-PSS") == 0)
        return pss_params(params, depth, &pss);
    if (strcmp(name, "DSA") == 0)
        return integers(params, 3, 3);
    if (strcmp(name, "DiffieHellman") == 0)
        return integers(params, 2, 3);
    return NULL;
}
