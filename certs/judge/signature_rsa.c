/* SPDX-License-Identifier: Apache-2.0
 * RSA and RSA-PSS signatures of certificates, over GMP, as strict and as lenient as the JDK. */
#include <nettle/memxor.h>
#include <string.h>

#include "certs/judge/signature.h"

#define RSA_OCTETS_MAX 2048

struct rsa {
    mpz_t n, e;
    size_t octets;
};

static void rsa_init(struct rsa *k, const struct cert_facts *f)
{
    struct der_span rest = f->key_bits_at;
    struct der seq, n, e;

    mpz_init(k->n);
    mpz_init(k->e);
    if (der_next(&rest, &seq) == NULL && der_next(&seq.body, &n) == NULL &&
        der_next(&seq.body, &e) == NULL) {
        sig_import(k->n, n.body);
        sig_import(k->e, e.body);
    }
    k->octets = (mpz_sizeinbase(k->n, 2) + 7) / 8;
}

static void rsa_clear(struct rsa *k)
{
    mpz_clear(k->n);
    mpz_clear(k->e);
}

/* signature ^ e mod n, `octets` long, into `out`. */
static bool rsa_open(const struct rsa *k, struct der_span signature, uint8_t *out)
{
    mpz_t s;
    size_t n = 0;
    bool ok;

    mpz_init(s);
    sig_import(s, signature);
    ok = mpz_cmp(s, k->n) < 0 && mpz_sgn(k->n) > 0;
    if (ok) {
        memset(out, 0, k->octets);
        mpz_powm(s, s, k->e, k->n);
        n = (mpz_sizeinbase(s, 2) + 7) / 8;
        if (mpz_sgn(s) != 0)
            mpz_export(out + k->octets - n, NULL, 1, 1, 1, 0, s);
    }
    mpz_clear(s);
    return ok;
}

/* DigestInfo with or without the NULL of its algorithm; both are fine with the JDK. */
static size_t digest_info(const struct sig_digest *d, bool with_null, const uint8_t *h, size_t hlen,
                          uint8_t *out)
{
    size_t oid = d->oid[0], alg = 2 + oid + (with_null ? 2 : 0), n = 0;

    out[n++] = DER_SEQUENCE;
    out[n++] = (uint8_t)(2 + alg + 2 + hlen);
    out[n++] = DER_SEQUENCE;
    out[n++] = (uint8_t)alg;
    out[n++] = DER_OID;
    memcpy(out + n, d->oid, 1 + oid);
    n += 1 + oid;
    if (with_null) {
        out[n++] = DER_NULL;
        out[n++] = 0;
    }
    out[n++] = DER_OCTET_STRING;
    out[n++] = (uint8_t)hlen;
    memcpy(out + n, h, hlen);
    return n + hlen;
}

static bool padding_fits(const uint8_t *em, size_t len, const uint8_t *info, size_t n)
{
    if (len < n + 11 || em[0] != 0 || em[1] != 1 || em[len - n - 1] != 0)
        return false;
    for (size_t i = 2; i < len - n - 1; i++) {
        if (em[i] != 0xff)
            return false;
    }
    return memcmp(em + len - n, info, n) == 0;
}

enum verdict_code sig_rsa_pkcs1(const struct sig_job *j, const struct sig_digest *d)
{
    uint8_t em[RSA_OCTETS_MAX], h[SIG_DIGEST_MAX], info[SIG_DIGEST_MAX + 32];
    enum verdict_code result;
    struct rsa k;
    size_t hlen, n;

    if (j->issuer->key != CERT_KEY_RSA && j->issuer->key != CERT_KEY_RSA_PSS)
        return sig_unusable(
            j, "java.security.InvalidKeyException: No installed provider supports this "
               "key");
    /* an RSASSA-PSS key that fixes no parameters is to the JDK an RSA key like any other */
    if (j->issuer->key == CERT_KEY_RSA_PSS && j->issuer->key_params.len > 0)
        return sig_unusable(j, "java.security.ProviderException: null params expected for RSA");
    if (j->cert->sig_params.len > 0)
        return sig_unusable(
            j, "java.security.cert.CertificateException: Error handling RSA parameters");
    rsa_init(&k, j->issuer);
    hlen = sig_hash_tbs(j->cert, d, h);
    n = digest_info(d, true, h, hlen, info);
    if (n + 11 > k.octets)
        result = sig_unusable(j, "java.security.InvalidKeyException: Key is too short for this "
                                 "signature algorithm");
    else if (j->signature.len != k.octets)
        result = sig_mismatch(j, "Bad signature length");
    else if (!rsa_open(&k, j->signature, em) ||
             (!padding_fits(em, k.octets, info, n) &&
              !padding_fits(em, k.octets, info, digest_info(d, false, h, hlen, info))))
        result = sig_mismatch(j, "Signature does not match.");
    else
        result = VERDICT_OK;
    rsa_clear(&k);
    return result;
}

static bool pss_decode(uint8_t *em, size_t octets, unsigned bits, const struct sig_digest *d,
                       const struct sig_digest *mgf, const uint8_t *h, size_t hlen, size_t salt)
{
    static const uint8_t zeros[8];
    unsigned em_bits = bits - 1;
    size_t len = (em_bits + 7) / 8, db = len - hlen - 1;
    uint8_t again[SIG_DIGEST_MAX], mask[RSA_OCTETS_MAX];
    struct der_span pieces[3];

    if (octets > len && *em++ != 0)
        return false;
    if (len < hlen + salt + 2 || em[len - 1] != 0xbc)
        return false;
    if (len * 8 > em_bits && (em[0] >> (8 - (len * 8 - em_bits))) != 0)
        return false;
    sig_mask(mgf, der_span_of(em + db, hlen), mask, db);
    memxor(em, mask, db);
    if (len * 8 > em_bits)
        em[0] &= (uint8_t)(0xff >> (len * 8 - em_bits));
    for (size_t i = 0; i < db - salt - 1; i++) {
        if (em[i] != 0)
            return false;
    }
    if (em[db - salt - 1] != 1)
        return false;
    pieces[0] = der_span_of(zeros, 8);
    pieces[1] = der_span_of(h, hlen);
    pieces[2] = der_span_of(em + db - salt, salt);
    return sig_hash(d, pieces, 3, again) == hlen && memcmp(again, em + db, hlen) == 0;
}

/* An RSASSA-PSS key may fix the parameters its signatures use. */
static bool pss_key_allows(const struct cert_facts *issuer, const struct pss_params *p)
{
    struct pss_params k;

    if (issuer->key != CERT_KEY_RSA_PSS || issuer->key_params.len == 0)
        return true;
    return parse_pss_params(issuer->key_params, &k) == NULL && k.salt_len <= p->salt_len &&
           strcmp(k.digest, p->digest) == 0 && strcmp(k.mgf_digest, p->mgf_digest) == 0;
}

enum verdict_code sig_rsa_pss(const struct sig_job *j)
{
    uint8_t em[RSA_OCTETS_MAX], h[SIG_DIGEST_MAX];
    const struct sig_digest *d, *mgf;
    struct pss_params p;
    enum verdict_code result;
    struct rsa k;
    size_t hlen;

    if (j->issuer->key != CERT_KEY_RSA && j->issuer->key != CERT_KEY_RSA_PSS)
        return sig_unusable(j, "java.security.InvalidKeyException: key must be RSAPublicKey");
    if (j->cert->sig_params.len == 0)
        return sig_mismatch(j, "Parameters required for RSASSA-PSS signatures");
    if (parse_pss_params(j->cert->sig_params, &p) != NULL)
        return sig_unusable(j, "java.security.cert.CertificateException: parameters");
    d = sig_digest_of(p.digest, strlen(p.digest), true);
    mgf = sig_digest_of(p.mgf_digest, strlen(p.mgf_digest), true);
    if (d == NULL || mgf == NULL || d->oid[0] == 8) /* MD2 and MD5 are not among them */
        return sig_unusable(j,
                            "java.security.InvalidAlgorithmParameterException: Unsupported digest "
                            "algo");
    if (!pss_key_allows(j->issuer, &p))
        return sig_unusable(
            j, "java.security.InvalidAlgorithmParameterException: Signature parameters "
               "does not match key parameters");
    rsa_init(&k, j->issuer);
    hlen = sig_hash_tbs(j->cert, d, h);
    if (k.octets < hlen + (size_t)p.salt_len + 2)
        result = sig_unusable(j, "java.security.InvalidKeyException: Key is too short");
    else if (j->signature.len != k.octets)
        result = sig_mismatch(j, "Signature length not correct");
    else if (!rsa_open(&k, j->signature, em) ||
             !pss_decode(em, k.octets, j->issuer->key_bits, d, mgf, h, hlen, (size_t)p.salt_len))
        result = sig_mismatch(j, "Signature does not match.");
    else
        result = VERDICT_OK;
    rsa_clear(&k);
    return result;
}
