/* SPDX-License-Identifier: Apache-2.0
 * Digests of what is signed, and what the checks of one signature share. */
#include <nettle/nettle-meta.h>
#include <nettle/pss-mgf1.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/signature.h"

/* The largest state of a digest is SHA-3's, with 400 octets or so. */
#define DIGEST_CONTEXT_MAX 1024

/* Every digest that a signature of the JDK can have. */
static const struct sig_digest digests[] = {
    { "MD2", "MD2", &nettle_md2, { 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 2 } },
    { "MD5", "MD5", &nettle_md5, { 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5 } },
    { "SHA1", "SHA-1", &nettle_sha1, { 5, 0x2b, 0x0e, 3, 2, 0x1a } },
#define NIST(a, b, c, n)                                                                           \
    {                                                                                              \
        a, b, c,                                                                                   \
        {                                                                                          \
            9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, n                                               \
        }                                                                                          \
    }
    NIST("SHA224", "SHA-224", &nettle_sha224, 4),
    NIST("SHA256", "SHA-256", &nettle_sha256, 1),
    NIST("SHA384", "SHA-384", &nettle_sha384, 2),
    NIST("SHA512", "SHA-512", &nettle_sha512, 3),
    NIST("SHA512/224", "SHA-512/224", &nettle_sha512_224, 5),
    NIST("SHA512/256", "SHA-512/256", &nettle_sha512_256, 6),
    NIST("SHA3-224", "SHA3-224", &nettle_sha3_224, 7),
    NIST("SHA3-256", "SHA3-256", &nettle_sha3_256, 8),
    NIST("SHA3-384", "SHA3-384", &nettle_sha3_384, 9),
    NIST("SHA3-512", "SHA3-512", &nettle_sha3_512, 10),
#undef NIST
};

const struct sig_digest *sig_digest_of(const char *name, size_t n, bool standard)
{
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        const char *d = standard ? digests[i].standard : digests[i].in_signature;

        if (strlen(d) == n && memcmp(d, name, n) == 0)
            return &digests[i];
    }
    return NULL;
}

struct digest_state {
    alignas(max_align_t) uint8_t ctx[DIGEST_CONTEXT_MAX];
};

static void take_in(struct digest_state *s, const struct nettle_hash *h,
                    const struct der_span *pieces, size_t n)
{
    if (h->context_size > sizeof s->ctx)
        abort(); /* no digest must pass as one */
    h->init(s->ctx);
    for (size_t i = 0; i < n; i++)
        h->update(s->ctx, pieces[i].len, pieces[i].at);
}

size_t sig_hash(const struct sig_digest *d, const struct der_span *pieces, size_t n, uint8_t *out)
{
    struct digest_state s;

    take_in(&s, d->nettle, pieces, n);
    d->nettle->digest(s.ctx, d->nettle->digest_size, out);
    return d->nettle->digest_size;
}

void sig_mask(const struct sig_digest *d, struct der_span seed, uint8_t *out, size_t n)
{
    struct digest_state s;

    take_in(&s, d->nettle, &seed, 1);
    pss_mgf1(s.ctx, d->nettle, n, out);
}

/* The JDK verifies TBSCertificate with a header of its own making: shortest length. */
size_t sig_tbs_header(const struct cert_facts *f, uint8_t out[DER_HEAD_MAX])
{
    return der_head(DER_SEQUENCE, f->details->tbs_body.len, out);
}

size_t sig_hash_tbs(const struct cert_facts *f, const struct sig_digest *d, uint8_t *out)
{
    uint8_t header[6];
    struct der_span pieces[2];

    pieces[0] = der_span_of(header, sig_tbs_header(f, header));
    pieces[1] = f->details->tbs_body;
    return sig_hash(d, pieces, 2, out);
}

enum verdict_code sig_mismatch(const struct sig_job *j, const char *why)
{
    snprintf(j->detail, j->size, "java.security.SignatureException: %s", why);
    return VERDICT_BAD_SIGNATURE;
}

enum verdict_code sig_unusable(const struct sig_job *j, const char *why)
{
    snprintf(j->detail, j->size, "%s", why);
    return VERDICT_SIGNATURE_UNUSABLE;
}

void sig_import(mpz_t out, struct der_span v)
{
    mpz_import(out, v.len, 1, 1, 1, 0, v.at);
}
