/* SPDX-License-Identifier: Apache-2.0
 * Signatures of certificates: RSA, RSA-PSS, ECDSA, EdDSA and DSA, over nettle and GMP, with the
 * JDK's opinion about which keys and encodings may be used at all.
 *
 * nettle, not mbedTLS: mbedTLS has no Ed25519, Ed448, DSA or RSA over 8192 bits, and its ECDSA
 * takes 1.2 ms where nettle's takes 0.2 (measured; docs/judge.md). */
#include <nettle/curve448.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/eddsa.h>
#include <nettle/nettle-meta.h>
#include <stdio.h>
#include <string.h>

#include "certs/judge/signature.h"
#include "core/bignum_memory.h"

/* --- ECDSA, DSA, EdDSA --- */
/* SEQUENCE of two INTEGERs in strict DER. */
static bool read_pair(struct der_span sig, struct dsa_signature *out)
{
    struct der seq, r, s;

    if (der_next_strict(&sig, &seq) != NULL || sig.len != 0 || seq.tag != DER_SEQUENCE ||
        der_next_strict(&seq.body, &r) != NULL || der_next_strict(&seq.body, &s) != NULL ||
        seq.body.len != 0 || r.tag != DER_INTEGER || s.tag != DER_INTEGER || r.body.len == 0 ||
        s.body.len == 0)
        return false;
    if ((r.body.len > 1 && r.body.at[0] == 0 && (r.body.at[1] & 0x80) == 0) ||
        (s.body.len > 1 && s.body.at[0] == 0 && (s.body.at[1] & 0x80) == 0))
        return false;
    sig_import(out->r, r.body);
    sig_import(out->s, s.body);
    return true;
}

static const struct ecc_curve *nettle_curve(const char *name)
{
    if (strcmp(name, "secp256r1") == 0)
        return nettle_get_secp_256r1();
    if (strcmp(name, "secp384r1") == 0)
        return nettle_get_secp_384r1();
    if (strcmp(name, "secp521r1") == 0)
        return nettle_get_secp_521r1();
    return NULL;
}

static bool ecdsa_fits(const struct ecc_curve *curve, struct der_span point, const uint8_t *h,
                       size_t hlen, const struct dsa_signature *sig)
{
    size_t half = (point.len - 1) / 2;
    struct ecc_point p;
    mpz_t x, y;
    bool ok;

    mpz_init(x);
    mpz_init(y);
    ecc_point_init(&p, curve);
    sig_import(x, der_span_of(point.at + 1, half));
    sig_import(y, der_span_of(point.at + 1 + half, half));
    ok = ecc_point_set(&p, x, y) != 0 && ecdsa_verify(&p, hlen, h, sig) != 0;
    ecc_point_clear(&p);
    mpz_clear(x);
    mpz_clear(y);
    return ok;
}

static enum verdict_code ecdsa(const struct sig_job *j, const struct sig_digest *d)
{
    uint8_t h[SIG_DIGEST_MAX];
    struct dsa_signature sig;
    enum verdict_code result;
    const struct ecc_curve *curve;

    if (j->issuer->key != CERT_KEY_EC)
        return sig_unusable(
            j, "java.security.InvalidKeyException: No installed provider supports this "
               "key");
    if (j->cert->sig_params.len > 0 && !der_oid_is(j->cert->sig_oid, "1.2.840.10045.4.3") &&
        !der_span_eq(j->cert->sig_params, j->issuer->key_params))
        return sig_unusable(
            j, "java.security.cert.CertificateException: Error handling EC parameters");
    curve = nettle_curve(j->issuer->curve);
    if (curve == NULL) {
        char why[96];

        snprintf(why, sizeof why, "Curve not supported: %s", j->issuer->curve);
        return sig_mismatch(j, why);
    }
    dsa_signature_init(&sig);
    if (!read_pair(j->signature, &sig))
        result = sig_mismatch(j, "Could not verify signature");
    else if (!ecdsa_fits(curve, j->issuer->key_bits_at, h, sig_hash_tbs(j->cert, d, h), &sig))
        result = sig_mismatch(j, "Signature does not match.");
    else
        result = VERDICT_OK;
    dsa_signature_clear(&sig);
    return result;
}

static enum verdict_code dsa(const struct sig_job *j, const struct sig_digest *d)
{
    struct der_span rest = j->params->key_params, value = j->issuer->key_bits_at;
    struct der seq, p, q, g, y;
    struct dsa_signature sig;
    struct dsa_params params;
    enum verdict_code result;
    uint8_t h[SIG_DIGEST_MAX];
    size_t hlen;
    mpz_t pub;

    if (j->issuer->key != CERT_KEY_DSA)
        return sig_unusable(
            j, "java.security.InvalidKeyException: No installed provider supports this "
               "key");
    if (j->cert->sig_params.len > 0 || der_next(&rest, &seq) != NULL ||
        der_next(&seq.body, &p) != NULL || der_next(&seq.body, &q) != NULL ||
        der_next(&seq.body, &g) != NULL || der_next(&value, &y) != NULL)
        return sig_unusable(j,
                            "java.security.cert.CertificateException: Unrecognized algorithm for "
                            "signature parameters");
    dsa_signature_init(&sig);
    dsa_params_init(&params);
    mpz_init(pub);
    sig_import(params.p, p.body);
    sig_import(params.q, q.body);
    sig_import(params.g, g.body);
    sig_import(pub, y.body);
    hlen = sig_hash_tbs(j->cert, d, h);
    if (mpz_sizeinbase(params.q, 2) > 8 * hlen)
        result = sig_unusable(j, "java.security.InvalidKeyException: The security strength of the "
                                 "digest algorithm is not sufficient for this key size");
    else if (!read_pair(j->signature, &sig))
        result = sig_mismatch(j, "Invalid encoding for signature");
    else if (mpz_sgn(params.p) == 0 || mpz_sgn(params.q) == 0 ||
             dsa_verify(&params, pub, hlen, h, &sig) == 0)
        result = sig_mismatch(j, "Signature does not match.");
    else
        result = VERDICT_OK;
    mpz_clear(pub);
    dsa_params_clear(&params);
    dsa_signature_clear(&sig);
    return result;
}

static enum verdict_code eddsa(const struct sig_job *j, bool ed448)
{
    size_t len = j->cert->details->tbs_body.len;
    size_t size = ed448 ? ED448_SIGNATURE_SIZE : ED25519_SIGNATURE_SIZE;
    uint8_t header[6], *message;
    size_t head = sig_tbs_header(j->cert, header);
    int ok;

    if (j->issuer->key != (ed448 ? CERT_KEY_ED448 : CERT_KEY_ED25519))
        return sig_unusable(
            j, "java.security.InvalidKeyException: No installed provider supports this "
               "key");
    if (j->cert->sig_params.len > 0)
        return sig_unusable(j,
                            "java.security.cert.CertificateException: Unrecognized algorithm for "
                            "signature parameters");
    /* the JDK halves what it gets, so one octet more is the top of S and may be zero */
    if (j->signature.len != size && (j->signature.len != size + 1 || j->signature.at[size] != 0))
        return sig_mismatch(j, "signature was invalid");
    if (ed448 && j->signature.at[size - 1] != 0) /* nettle does not look at S's last octet */
        return sig_mismatch(j, "s is too large");
    message = arena_alloc(&j->run->arena, head + len);
    if (message == NULL)
        return VERDICT_NO_MEMORY;
    memcpy(message, header, head);
    memcpy(message + head, j->cert->details->tbs_body.at, len);
    ok = ed448 ? ed448_shake256_verify(j->issuer->key_bits_at.at, head + len, message,
                                       j->signature.at)
               : ed25519_sha512_verify(j->issuer->key_bits_at.at, head + len, message,
                                       j->signature.at);
    return ok != 0 ? VERDICT_OK : sig_mismatch(j, "Signature does not match.");
}

static enum verdict_code by_name(const struct sig_job *j)
{
    const char *name = j->cert->sig_algorithm, *with = strstr(name, "with");
    const struct sig_digest *d;
    char why[192];

    if (strcmp(name, "RSASSA-PSS") == 0)
        return sig_rsa_pss(j);
    if (strcmp(name, "Ed25519") == 0 || strcmp(name, "Ed448") == 0)
        return eddsa(j, name[2] == '4');
    d = with != NULL ? sig_digest_of(name, (size_t)(with - name), false) : NULL;
    if (d != NULL && strcmp(with, "withRSA") == 0)
        return sig_rsa_pkcs1(j, d);
    if (d != NULL && strcmp(with, "withECDSA") == 0)
        return ecdsa(j, d);
    if (d != NULL && strcmp(with, "withDSA") == 0)
        return dsa(j, d);
    snprintf(why, sizeof why, "java.security.NoSuchAlgorithmException: %s Signature not available",
             name);
    return sig_unusable(j, why);
}

static unsigned bits_of(struct der_span rest, unsigned index)
{
    struct der seq, d = { 0 };

    if (der_next(&rest, &seq) != NULL)
        return 0;
    for (unsigned i = 0; i <= index; i++) {
        if (der_next(&seq.body, &d) != NULL)
            return 0;
    }
    return d.body.len < 100000 ? (unsigned)d.body.len * 8 : 800000;
}

/* One check with this key, in the unit of TRUST_WORK_MAX (measured; exponents count by their
 * length, which a key may choose). */
static size_t sig_cost(const struct cert_facts *issuer, const struct cert_facts *params)
{
    size_t bits = issuer->key_bits;

    switch (issuer->key) {
    case CERT_KEY_EC:
        return bits <= 256 ? 40000 : bits <= 384 ? 120000 : 200000;
    case CERT_KEY_RSA:
    case CERT_KEY_RSA_PSS:
        return 10000 + bits * bits / 9600 * bits_of(issuer->key_bits_at, 1);
    case CERT_KEY_DSA: /* two powers modulo p with exponents below q */
        bits = bits_of(params->key_params, 0);
        return 80000 + bits * bits / 4800 * bits_of(params->key_params, 1);
    default:
        return 80000;
    }
}

struct checking {
    const struct sig_job *job;
    enum verdict_code result;
};

static void check(void *arg)
{
    struct checking *c = arg;

    c->result = by_name(c->job);
}

enum verdict_code sig_check(struct trust_run *run, const struct cert_facts *cert,
                            const struct cert_facts *issuer, const struct cert_facts *params,
                            char *detail, size_t size)
{
    struct sig_job j = { run, cert, issuer, params, cert->signature, detail, size };
    struct checking c = { &j, VERDICT_NO_MEMORY };
    uint8_t *masked;

    detail[0] = '\0';
    if (!run_pay(run, sig_cost(issuer, params)))
        return VERDICT_SIMULATOR_LIMIT;
    if (cert->details->sig_unused_bits != 0 && cert->signature.len > 0) {
        masked = arena_alloc(&run->arena, cert->signature.len); /* the JDK clears the bits */
        if (masked == NULL)
            return VERDICT_NO_MEMORY;
        memcpy(masked, cert->signature.at, cert->signature.len);
        masked[cert->signature.len - 1] &= (uint8_t)(0xff << cert->details->sig_unused_bits);
        j.signature = der_span_of(masked, cert->signature.len);
    }
    if (!bignum_guarded(check, &c))
        c.result = VERDICT_NO_MEMORY;
    run->no_memory = run->no_memory || c.result == VERDICT_NO_MEMORY;
    return c.result;
}
