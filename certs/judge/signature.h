/* SPDX-License-Identifier: Apache-2.0
 * What the files of signature checks share. */
#ifndef CERTS_JUDGE_SIGNATURE_H
#define CERTS_JUDGE_SIGNATURE_H

#include <gmp.h>
#include <nettle/nettle-meta.h>

#include "certs/judge/trust_impl.h"

#define SIG_DIGEST_MAX 64

/* A digest by the two spellings the JDK uses: of signature names and of parameters. */
struct sig_digest {
    const char *in_signature, *standard;
    const struct nettle_hash *nettle;
    uint8_t oid[11]; /* content of the identifier, after its length in oid[0] */
};
const struct sig_digest *sig_digest_of(const char *name, size_t n, bool standard);
/* Digest of pieces; returns its size. */
size_t sig_hash(const struct sig_digest *d, const struct der_span *pieces, size_t n, uint8_t *out);
/* MGF1 of PKCS #1: `n` octets that the seed decides. */
void sig_mask(const struct sig_digest *d, struct der_span seed, uint8_t *out, size_t n);
/* The header of the part that is signed; returns how many. */
size_t sig_tbs_header(const struct cert_facts *f, uint8_t out[DER_HEAD_MAX]);
size_t sig_hash_tbs(const struct cert_facts *f, const struct sig_digest *d, uint8_t *out);
void sig_import(mpz_t out, struct der_span number);

/* One check: is `signature` on `cert` by the key of `issuer`? Says why not in `detail`. */
struct sig_job {
    struct trust_run *run;
    const struct cert_facts *cert, *issuer, *params;
    struct der_span signature;
    char *detail;
    size_t size;
};
enum verdict_code sig_mismatch(const struct sig_job *j, const char *why);
enum verdict_code sig_unusable(const struct sig_job *j, const char *why);

/* signature_rsa.c */
enum verdict_code sig_rsa_pkcs1(const struct sig_job *j, const struct sig_digest *d);
enum verdict_code sig_rsa_pss(const struct sig_job *j);

#endif
