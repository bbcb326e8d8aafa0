/* SPDX-License-Identifier: Apache-2.0
 * Algorithm identifiers and public keys, accepted and refused as the JDK's key factories do. */
#include <stdio.h>
#include <string.h>

#include "certs/parse_impl.h"

static const struct {
    const char *oid, *name;
} algorithms[] = {
#define ALGORITHM(oid, name) { oid, name },
#include "certs/algorithms.def"
#undef ALGORITHM
};

static const struct curve {
    const char *oid, *name;
    unsigned field_bits, order_bits;
} curves[] = {
#define CURVE(oid, name, field, order) { oid, name, field, order },
#include "certs/curves.def"
#undef CURVE
};

static const struct curve *curve_of(struct der_span oid)
{
    char dotted[DER_OID_TEXT_MAX];

    der_oid_text(oid, dotted, sizeof dotted);
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (strcmp(curves[i].oid, dotted) == 0)
            return &curves[i];
    }
    return NULL;
}

/* --- algorithm identifiers ---------------------------------------------------------------------
 */
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

/* --- parameters ----------------------------------------------------------------------------------
 */
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
        if (why == NULL && curve_of(d.body) == NULL)
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

/* --- keys
 * ----------------------------------------------------------------------------------------- */
static unsigned bit_length(struct der_span n)
{
    unsigned bits;

    while (n.len > 0 && n.at[0] == 0) {
        n.at++;
        n.len--;
    }
    if (n.len == 0)
        return 0;
    bits = (unsigned)n.len * 8;
    for (uint8_t top = n.at[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

/* Like memcmp for numbers without leading zeros. */
static int compare_numbers(struct der_span a, struct der_span b)
{
    unsigned x = bit_length(a), y = bit_length(b);
    size_t n = (x + 7) / 8;

    if (x != y)
        return x < y ? -1 : 1;
    return n == 0 ? 0 : memcmp(a.at + a.len - n, b.at + b.len - n, n);
}

static const char *rsa_key(struct cert_facts *f)
{
    static const uint8_t three = 3;
    struct der_span rest = f->key_bits_at;
    struct der seq, n, e;
    unsigned rounded;
    const char *why = der_next(&rest, &seq);

    if (why == NULL && (rest.len != 0 || seq.tag != DER_SEQUENCE))
        why = "java.security.InvalidKeyException: Invalid RSA public key";
    if (why == NULL)
        why = der_next(&seq.body, &n);
    if (why == NULL)
        why = der_next(&seq.body, &e);
    if (why == NULL && (n.tag != DER_INTEGER || e.tag != DER_INTEGER || n.body.len == 0 ||
                        e.body.len == 0 || seq.body.len != 0))
        why = "java.security.InvalidKeyException: Invalid RSA public key";
    if (why != NULL)
        return why;
    f->key_bits = bit_length(n.body);
    rounded = (f->key_bits + 7) & ~7u;
    if (rounded < 512)
        return "java.security.InvalidKeyException: RSA keys must be at least 512 bits long";
    if (rounded > 16384)
        return "java.security.InvalidKeyException: RSA keys must be no longer than 16384 bits";
    if (rounded > 3072 && bit_length(e.body) > 64)
        return "java.security.InvalidKeyException: RSA exponents can be no longer than 64 bits  if "
               "modulus is greater than 3072 bits";
    if (compare_numbers(e.body, n.body) >= 0)
        return "java.security.InvalidKeyException: exponent is larger than modulus";
    if (compare_numbers(e.body, der_span_of(&three, 1)) < 0)
        return "java.security.InvalidKeyException: exponent is smaller than 3";
    return NULL;
}

static const char *ec_key(struct cert_facts *f)
{
    struct der_span params = f->key_params;
    const struct curve *curve;
    struct der oid;
    size_t bytes;

    if (params.len == 0 || der_next(&params, &oid) != NULL)
        return "java.security.InvalidKeyException: EC domain parameters must be encoded in the "
               "algorithm identifier";
    curve = curve_of(oid.body);
    if (curve == NULL)
        return "java.io.IOException: Unknown named curve";
    f->curve = curve->name;
    f->key_bits = curve->order_bits;
    bytes = (curve->field_bits + 7) / 8;
    if (f->key_bits_at.len == 0 || f->key_bits_at.at[0] != 4)
        return "java.io.IOException: Only uncompressed point format supported";
    if (f->key_bits_at.len != 1 + 2 * bytes && f->key_bits_at.len != 2 + 2 * bytes)
        return "java.io.IOException: Point does not match field size";
    return NULL;
}

static const char *dsa_key(struct cert_facts *f)
{
    struct der_span rest = f->key_bits_at, params = f->key_params;
    struct der y, seq, p;
    const char *why = der_next(&rest, &y);

    if (why == NULL && (y.tag != DER_INTEGER || y.body.len == 0))
        why = "java.security.InvalidKeyException: Invalid key: y value";
    if (why == NULL && params.len > 0 && der_next(&params, &seq) == NULL &&
        der_next(&seq.body, &p) == NULL)
        f->key_bits = bit_length(p.body);
    return why;
}

static const char *dh_key(struct cert_facts *f)
{
    struct der_span rest = f->key_bits_at, params = f->key_params;
    struct der y, seq, p;
    const char *why = der_next(&rest, &y);

    if (params.len == 0)
        return "java.security.InvalidKeyException: Null parameters";
    if (why == NULL && (y.tag != DER_INTEGER || y.body.len == 0 || rest.len != 0))
        why = "java.security.InvalidKeyException: Error parsing key encoding";
    if (why == NULL && der_next(&params, &seq) == NULL && der_next(&seq.body, &p) == NULL)
        f->key_bits = bit_length(p.body);
    return why;
}

static const char *fixed_key(struct cert_facts *f, size_t octets, unsigned bits)
{
    f->key_bits = bits;
    return f->key_bits_at.len == octets && f->priv->key_unused_bits == 0
               ? NULL
               : "java.security.InvalidKeyException: key length is not right for the algorithm";
}

/* `algorithm` is Key.getAlgorithm() where it differs from the identifier's name. */
static const struct {
    const char *name, *algorithm;
    enum cert_key_kind kind;
} kinds[] = {
    { "RSA", "RSA", CERT_KEY_RSA },
    { "RSASSA-PSS", "RSASSA-PSS", CERT_KEY_RSA_PSS },
    { "EC", "EC", CERT_KEY_EC },
    { "DSA", "DSA", CERT_KEY_DSA },
    { "DiffieHellman", "DH", CERT_KEY_DH },
    { "Ed25519", "EdDSA", CERT_KEY_ED25519 },
    { "Ed448", "EdDSA", CERT_KEY_ED448 },
    { "X25519", "XDH", CERT_KEY_X25519 },
    { "X448", "XDH", CERT_KEY_X448 },
};

static const char *read_key(struct cert_facts *f)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, f->key_algorithm) == 0) {
            f->key = kinds[i].kind;
            snprintf(f->key_algorithm, sizeof f->key_algorithm, "%s", kinds[i].algorithm);
            break;
        }
    }
    switch (f->key) {
    case CERT_KEY_RSA:
    case CERT_KEY_RSA_PSS:
        return rsa_key(f);
    case CERT_KEY_EC:
        return ec_key(f);
    case CERT_KEY_DSA:
        return dsa_key(f);
    case CERT_KEY_DH:
        return dh_key(f);
    case CERT_KEY_ED25519:
        return fixed_key(f, 32, 256);
    case CERT_KEY_ED448:
        return fixed_key(f, 57, 448);
    case CERT_KEY_X25519:
        return fixed_key(f, 32, 256);
    case CERT_KEY_X448:
        return fixed_key(f, 56, 448);
    case CERT_KEY_UNKNOWN:
        return NULL;
    }
    return NULL;
}

const char *parse_spki(struct cert_parser *p, struct der_span *rest)
{
    struct cert_facts *f = &p->facts;
    struct der seq, alg, bits;
    const char *why = der_next(rest, &seq);
    unsigned unused;

    if (why != NULL)
        return why;
    if (seq.tag != DER_SEQUENCE)
        return "java.io.IOException: corrupt subject key";
    f->spki = seq.all;
    why = der_next(&seq.body, &alg);
    if (why == NULL)
        why = parse_sig_algorithm(&alg, &p->key_oid, &f->key_params);
    if (why == NULL)
        why = der_next(&seq.body, &bits);
    if (why == NULL && bits.tag != DER_BIT_STRING)
        why = "java.io.IOException: DerValue.getBitString, not a bit string";
    if (why == NULL)
        why = der_bits(&bits, &f->key_bits_at, &unused);
    if (why != NULL)
        return why;
    p->key_unused_bits = unused;
    parse_algorithm_name(p->key_oid, f->key_params, f->key_algorithm, sizeof f->key_algorithm);
    why = read_key(f);
    if (why != NULL)
        return why;
    return seq.body.len == 0 ? NULL : "java.io.IOException: excess subject key";
}
