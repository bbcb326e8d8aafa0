/* SPDX-License-Identifier: Apache-2.0
 * Write certificate revocation lists. All of it is own DER: mbedTLS has no writer for them. */
#include "certs/lab/crl_write.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/der_write.h"

/* INTEGER of a small number. */
static void put_number(struct der_out *o, uint32_t n)
{
    uint8_t octets[5] = { 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                          (uint8_t)n };
    size_t skip = 0;

    while (skip < 4 && octets[skip] == 0 && (octets[skip + 1] & 0x80) == 0)
        skip++;
    der_put_element(o, DER_INTEGER, octets + skip, sizeof octets - skip);
}

/* Extension that is not critical, whose value is what was written since `mark`. */
static void wrap_extension(struct der_out *o, const char *oid, size_t oid_len, const uint8_t *mark)
{
    der_wrap_since(o, DER_OCTET_STRING, mark);
    der_put_element(o, DER_OID, oid, oid_len);
    der_wrap_since(o, DER_SEQUENCE, mark);
}

static void put_entry(struct der_out *o, const struct crl_entry *e)
{
    static const char oid[] = "\x55\x1d\x15"; /* 2.5.29.21, reasonCode */
    const uint8_t *mark = o->at;

    if (e->reason != CRL_REASON_UNSPECIFIED) {
        uint8_t reason = (uint8_t)e->reason;

        der_put_element(o, DER_ENUMERATED, &reason, 1);
        wrap_extension(o, oid, sizeof oid - 1, mark);
        der_wrap_since(o, DER_SEQUENCE, mark);
    }
    der_put_time(o, e->revoked_utc);
    der_put_element(o, DER_INTEGER, e->serial.at, e->serial.len);
    der_wrap_since(o, DER_SEQUENCE, mark);
}

/* crlNumber, and the key identifier of the issuer where its certificate has one. */
static void put_extensions(struct der_out *o, const mbedtls_x509_crt *issuer, uint32_t number)
{
    static const char crl_number[] = "\x55\x1d\x14", aki[] = "\x55\x1d\x23";
    const uint8_t *mark = o->at, *inner = mark;

    put_number(o, number);
    wrap_extension(o, crl_number, sizeof crl_number - 1, inner);
    if (issuer->subject_key_id.len > 0) {
        inner = o->at;
        der_put_element(o, 0x80, issuer->subject_key_id.p, issuer->subject_key_id.len);
        der_wrap_since(o, DER_SEQUENCE, inner);
        wrap_extension(o, aki, sizeof aki - 1, inner);
    }
    der_wrap_since(o, DER_SEQUENCE, mark);
    der_wrap_since(o, 0xa0, mark);
}

static int put_algorithm(struct der_out *o, mbedtls_pk_context *key, mbedtls_md_type_t md)
{
    bool rsa = mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA;
    const uint8_t *mark = o->at;
    const char *oid;
    size_t len;
    int rc =
        mbedtls_oid_get_oid_by_sig_alg(rsa ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECDSA, md, &oid, &len);

    if (rc != 0)
        return rc;
    if (rsa)
        der_put_element(o, DER_NULL, NULL, 0);
    der_put_element(o, DER_OID, oid, len);
    der_wrap_since(o, DER_SEQUENCE, mark);
    return 0;
}

static int put_tbs(struct der_out *o, const struct crl_spec *spec, const mbedtls_x509_crt *issuer)
{
    const uint8_t *mark = o->at, *list;
    int rc;

    put_extensions(o, issuer, spec->number);
    list = o->at;
    for (size_t i = spec->n_entries; i > 0; i--)
        put_entry(o, &spec->entries[i - 1]);
    if (spec->n_entries > 0) /* an empty list is left out (RFC 5280, 5.1.2.6) */
        der_wrap_since(o, DER_SEQUENCE, list);
    der_put_time(o, spec->next_update_utc);
    der_put_time(o, spec->this_update_utc);
    der_put(o, issuer->subject_raw.p, issuer->subject_raw.len);
    rc = put_algorithm(o, spec->key, spec->md);
    put_number(o, 1); /* version 2 */
    der_wrap_since(o, DER_SEQUENCE, mark);
    return rc;
}

static int sign(const struct crl_spec *spec, const struct der_out *tbs, mbedtls_f_rng_t *rng,
                void *rng_arg, uint8_t *signature, size_t room, size_t *len)
{
    const mbedtls_md_info_t *md = mbedtls_md_info_from_type(spec->md);
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    int rc = mbedtls_md(md, tbs->at, der_out_len(tbs), hash);

    if (rc != 0)
        return rc;
    return mbedtls_pk_sign(spec->key, spec->md, hash, mbedtls_md_get_size(md), signature, room, len,
                           rng, rng_arg);
}

int crl_write(const struct crl_spec *spec, mbedtls_f_rng_t *rng, void *rng_arg, uint8_t **der,
              size_t *len, struct err *err)
{
    size_t room = 4096 + spec->n_entries * 80;
    uint8_t *buf = malloc(room), *out = malloc(room), signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE + 1];
    struct der_out tbs = der_out_of(buf, room), whole = der_out_of(out, room);
    size_t signature_len = 0;
    mbedtls_x509_crt issuer;
    int rc = MBEDTLS_ERR_X509_ALLOC_FAILED;

    mbedtls_x509_crt_init(&issuer);
    if (buf == NULL || out == NULL)
        goto out;
    rc = mbedtls_x509_crt_parse_der(&issuer, spec->issuer.at, spec->issuer.len);
    if (rc == 0)
        rc = put_tbs(&tbs, spec, &issuer);
    signature[0] = 0; /* of the BIT STRING: no unused bits */
    if (rc == 0)
        rc = sign(spec, &tbs, rng, rng_arg, signature + 1, sizeof signature - 1, &signature_len);
    if (rc != 0)
        goto out;
    der_put_element(&whole, DER_BIT_STRING, signature, signature_len + 1);
    rc = put_algorithm(&whole, spec->key, spec->md);
    der_put(&whole, tbs.at, der_out_len(&tbs));
    der_wrap_since(&whole, DER_SEQUENCE, whole.end);
    if (tbs.bad || whole.bad)
        rc = MBEDTLS_ERR_ASN1_BUF_TOO_SMALL;
    *len = der_out_len(&whole);
    memmove(out, whole.at, *len);
out:
    mbedtls_x509_crt_free(&issuer);
    free(buf);
    if (rc != 0) {
        free(out);
        err_set(err, ERR_CRYPTO, "cannot write a revocation list: mbedTLS -0x%04x", (unsigned)-rc);
        return -1;
    }
    *der = out;
    return 0;
}
