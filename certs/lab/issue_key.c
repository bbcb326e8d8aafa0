/* SPDX-License-Identifier: Apache-2.0
 * Random numbers and key pairs of the certificate lab, repeatable when there is a seed. */
#include "certs/lab/issue_key.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <nettle/bignum.h>
#include <nettle/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/bignum_memory.h"

#define RSA_EXPONENT   65537
#define LARGE_RSA_BITS 3072
#define RSA_BITS_MAX   4096

enum family { FAMILY_EC, FAMILY_RSA };

static const struct {
    const char *name;
    enum family family;
    unsigned bits;
} kinds[] = {
#define KEY(id, name, kind, bits, curve, nlb, help) { name, FAMILY_##kind, bits },
#include "certs/lab/keys.def"
#undef KEY
};

const char *issue_key_name(enum issue_key_kind kind)
{
    return kind < ISSUE_KEY_N ? kinds[kind].name : "?";
}

enum issue_key_kind issue_key_find(const char *name)
{
    enum issue_key_kind k = 0;

    while (k < ISSUE_KEY_N && strcmp(kinds[k].name, name) != 0)
        k++;
    return k;
}

bool issue_key_is_slow(enum issue_key_kind kind)
{
    return kinds[kind].family == FAMILY_RSA;
}

bool issue_key_is_large_rsa(enum issue_key_kind kind)
{
    return kinds[kind].family == FAMILY_RSA && kinds[kind].bits >= LARGE_RSA_BITS;
}

const char *issue_key_names(char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < ISSUE_KEY_N && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ", ", kinds[i].name);
    return out;
}

static int fill_from_system(unsigned char *out, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        out += got;
        n -= (size_t)got;
    }
    return 0;
}

/* SHA-256 over "seed NUL label": two strings cannot run into each other. */
static int hash_seed(const char *seed, const char *label, unsigned char out[32])
{
    mbedtls_sha256_context sha;
    int rc;

    mbedtls_sha256_init(&sha);
    rc = mbedtls_sha256_starts(&sha, 0);
    if (rc == 0)
        rc = mbedtls_sha256_update(&sha, (const unsigned char *)seed, strlen(seed) + 1);
    if (rc == 0)
        rc = mbedtls_sha256_update(&sha, (const unsigned char *)label, strlen(label));
    if (rc == 0)
        rc = mbedtls_sha256_finish(&sha, out);
    mbedtls_sha256_free(&sha);
    return rc;
}

int issue_rng_init(mbedtls_hmac_drbg_context *rng, const char *seed, const char *label,
                   struct err *err)
{
    unsigned char material[48];
    size_t len = seed == NULL ? sizeof material : 32;
    int rc;

    mbedtls_hmac_drbg_init(rng);
    if (seed == NULL ? fill_from_system(material, len) != 0
                     : hash_seed(seed, label, material) != 0) {
        err_set(err, ERR_ENVIRONMENT, "no random numbers for %s", label);
        return -1;
    }
    rc = mbedtls_hmac_drbg_seed_buf(rng, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), material,
                                    len);
    mbedtls_platform_zeroize(material, sizeof material);
    if (rc != 0) {
        err_set(err, ERR_CRYPTO, "random generator for %s: mbedTLS -0x%04x", label, (unsigned)-rc);
        return -1;
    }
    return 0;
}

void issue_rng_free(mbedtls_hmac_drbg_context *rng)
{
    mbedtls_hmac_drbg_free(rng);
}

static mbedtls_ecp_group_id group_of(unsigned bits)
{
    return bits == 256   ? MBEDTLS_ECP_DP_SECP256R1
           : bits == 384 ? MBEDTLS_ECP_DP_SECP384R1
                         : MBEDTLS_ECP_DP_SECP521R1;
}

static int make_ec(mbedtls_pk_context *key, unsigned bits, mbedtls_hmac_drbg_context *rng)
{
    int rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    if (rc != 0)
        return rc;
    return mbedtls_ecp_gen_key(group_of(bits), mbedtls_pk_ec(*key), mbedtls_hmac_drbg_random, rng);
}

/* Two primes of `bits`/2 bits each, and where their random numbers come from. */
struct rsa_search {
    unsigned bits;
    mbedtls_hmac_drbg_context *rng;
    int rc; /* mbedTLS's */
    unsigned char p[RSA_BITS_MAX / 16], q[RSA_BITS_MAX / 16];
};

static void random_for_rsa(void *arg, size_t n, uint8_t *out)
{
    struct rsa_search *s = arg;

    while (n > 0) {
        size_t part = n < MBEDTLS_HMAC_DRBG_MAX_REQUEST ? n : MBEDTLS_HMAC_DRBG_MAX_REQUEST;
        int rc = mbedtls_hmac_drbg_random(s->rng, out, part);

        if (s->rc == 0)
            s->rc = rc;
        out += part;
        n -= part;
    }
}

/* By nettle, which needs half of mbedTLS's time (docs/libraries.md). */
static void search_primes(void *arg)
{
    struct rsa_search *s = arg;
    struct rsa_private_key key;
    struct rsa_public_key pub;

    rsa_public_key_init(&pub);
    rsa_private_key_init(&key);
    mpz_set_ui(pub.e, RSA_EXPONENT);
    if (rsa_generate_keypair(&pub, &key, s, random_for_rsa, NULL, NULL, s->bits, 0) != 1) {
        s->rc = MBEDTLS_ERR_RSA_KEY_GEN_FAILED;
    } else {
        if (mpz_cmp(key.p, key.q) < 0) /* the larger one is called P, as keys are usually written */
            mpz_swap(key.p, key.q);
        nettle_mpz_get_str_256(s->bits / 16, s->p, key.p);
        nettle_mpz_get_str_256(s->bits / 16, s->q, key.q);
    }
    rsa_private_key_clear(&key);
    rsa_public_key_clear(&pub);
}

static int make_rsa(mbedtls_pk_context *key, unsigned bits, mbedtls_hmac_drbg_context *rng)
{
    static const unsigned char e[] = { RSA_EXPONENT >> 16, RSA_EXPONENT >> 8 & 0xff,
                                       RSA_EXPONENT & 0xff };
    struct rsa_search s = { .bits = bits, .rng = rng };
    int rc;

    if (!bignum_guarded(search_primes, &s))
        return MBEDTLS_ERR_MPI_ALLOC_FAILED;
    rc = s.rc;
    if (rc == 0)
        rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (rc == 0)
        rc = mbedtls_rsa_import_raw(mbedtls_pk_rsa(*key), NULL, 0, s.p, bits / 16, s.q, bits / 16,
                                    NULL, 0, e, sizeof e);
    if (rc == 0)
        rc = mbedtls_rsa_complete(mbedtls_pk_rsa(*key));
    mbedtls_platform_zeroize(&s, sizeof s);
    return rc;
}

int issue_key_make(mbedtls_pk_context *key, enum issue_key_kind kind, const char *seed,
                   const char *label, struct err *err)
{
    unsigned bits = kinds[kind].bits;
    mbedtls_hmac_drbg_context rng;
    int rc;

    if (issue_rng_init(&rng, seed, label, err) != 0)
        return -1;
    rc = kinds[kind].family == FAMILY_EC ? make_ec(key, bits, &rng) : make_rsa(key, bits, &rng);
    issue_rng_free(&rng);
    if (rc != 0) {
        err_set(err, ERR_CRYPTO, "%s key for %s: mbedTLS -0x%04x", kinds[kind].name, label,
                (unsigned)-rc);
        return -1;
    }
    return 0;
}
