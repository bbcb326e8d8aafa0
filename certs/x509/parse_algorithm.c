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
const char *parse_sig_algorithm(const struct der *alg, struct der_span *oid,
                                struct der_span *params)
{
    struct der_span rest = alg->body;
    char name[96];
    struct der d;
    const char *why;

    *params = der_span_of(NULL, 0);
    if (alg->tag != DER_SEQUENCE)
        return "java.io.IOException: algid parse error, not a sequence";
    why = der_next(&rest, &d);
    if (why == NULL && d.tag != DER_OID)
        why = "java.io.IOException: DerValue.getOID, not an OID";
    if (why == NULL)
        why = der_oid_check(d.body);
    if (why != NULL)
        return why;
    *oid = d.body;
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
    *params = d.all;
    return parse_algorithm_params(parse_algorithm_name(*oid, *params, name, sizeof name), *params);
}

const char *parse_algorithm_name(struct der_span oid, struct der_span params, char *out,
                                 size_t size)
{
    char digest[64];
    struct der alg;
    struct der_span inner, ignored;

    der_oid_text(oid, out, size);
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (strcmp(algorithms[i].oid, out) == 0) {
            snprintf(out, size, "%s", algorithms[i].name);
            break;
        }
    }
    if (strcmp(out, "SpecifiedSHA2withECDSA") == 0 && params.len > 0 &&
        der_next(&params, &alg) == NULL && parse_sig_algorithm(&alg, &inner, &ignored) == NULL) {
        char *w = out;

        parse_algorithm_name(inner, ignored, digest, sizeof digest);
        for (const char *r = digest; *r != '\0' && w < out + size - 10; r++) {
            if (*r != '-')
                *w++ = *r;
        }
        snprintf(w, size - (size_t)(w - out), "withECDSA");
    }
    return out;
}

/* --- parameters --- */
static const char *pss_mgf(struct der_span body, char *digest, size_t size)
{
    struct der d;
    struct der_span oid, params;
    const char *why = der_next(&body, &d);

    if (why == NULL)
        why = parse_sig_algorithm(&d, &oid, &params);
    if (why != NULL)
        return why;
    if (!der_oid_is(oid, "1.2.840.113549.1.1.8"))
        return "java.io.IOException: Only MGF1 mgf is supported";
    if (params.len == 0)
        return "java.io.IOException: Missing MGF1 parameters";
    why = der_next(&params, &d);
    if (why == NULL)
        why = parse_sig_algorithm(&d, &oid, &params);
    if (why != NULL)
        return why;
    parse_algorithm_name(oid, params, digest, size);
    return strncmp(digest, "SHA", 3) == 0
               ? NULL
               : "java.io.IOException: Unrecognized message digest algorithm";
}

static const char *pss_field(const struct der *field, struct pss_params *out)
{
    struct der_span body = field->body, oid, params;
    struct der d;
    const char *why;

    if (der_is_context(field, 1))
        return pss_mgf(body, out->mgf_digest, sizeof out->mgf_digest);
    if ((field->tag & 0xc0) != 0x80 || (field->tag & 0x1f) > 3)
        return "java.io.IOException: Invalid encoded PSSParameters";
    why = der_next(&body, &d);
    if (why != NULL)
        return why;
    if (der_is_context(field, 0)) {
        why = parse_sig_algorithm(&d, &oid, &params);
        if (why == NULL)
            parse_algorithm_name(oid, params, out->digest, sizeof out->digest);
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

const char *parse_pss_params(struct der_span params, struct pss_params *out)
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
            why = pss_field(&field, out);
        if (why != NULL)
            return why;
    }
    return NULL;
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

const char *parse_algorithm_params(const char *name, struct der_span params)
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
        return parse_pss_params(params, &pss);
    if (strcmp(name, "DSA") == 0)
        return integers(params, 3, 3);
    if (strcmp(name, "DiffieHellman") == 0)
        return integers(params, 2, 3);
    return NULL;
}
