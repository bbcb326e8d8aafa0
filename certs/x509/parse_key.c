/* SPDX-License-Identifier: Apache-2.0
 * Public keys, accepted and refused as the JDK's key factories do. */
#include <stdio.h>
#include <string.h>

#include "certs/x509/parse_impl.h"

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
    const struct parse_curve *curve;
    struct der oid;
    size_t bytes;

    if (params.len == 0 || der_next(&params, &oid) != NULL)
        return "java.security.InvalidKeyException: EC domain parameters must be encoded in the "
               "algorithm identifier";
    curve = parse_curve_of(oid.body);
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
    return f->key_bits_at.len == octets && f->details->key_unused_bits == 0
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
    struct algorithm a;
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
        why = parse_algorithm(&alg, &a);
    if (why == NULL)
        why = der_next(&seq.body, &bits);
    if (why == NULL && bits.tag != DER_BIT_STRING)
        why = "java.io.IOException: DerValue.getBitString, not a bit string";
    if (why == NULL)
        why = der_bits(&bits, &f->key_bits_at, &unused);
    if (why != NULL)
        return why;
    p->details.key_unused_bits = unused;
    p->details.key_oid = a.oid;
    f->key_params = a.params;
    snprintf(f->key_algorithm, sizeof f->key_algorithm, "%s", a.name);
    why = read_key(f);
    if (why != NULL)
        return why;
    return seq.body.len == 0 ? NULL : "java.io.IOException: excess subject key";
}
