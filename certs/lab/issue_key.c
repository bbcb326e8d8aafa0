/* SPDX-License-Identifier: Apache-2.0
 * Random numbers and key pairs of the certificate lab, repeatable when there is a seed. */
#include "certs/lab/issue_key.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define RSA_EXPONENT   65537
#define LARGE_RSA_BITS 3072

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

/* One prime of a large RSA key, on its own thread with its own generator. */
struct prime_job {
    mbedtls_mpi prime;
    mbedtls_hmac_drbg_context rng;
    size_t bits;
    int rc;
};

static void *find_prime(void *arg)
{
    struct prime_job *job = arg;

    job->rc = mbedtls_mpi_gen_prime(&job->prime, job->bits, MBEDTLS_MPI_GEN_PRIME_FLAG_LOW_ERR,
                                    mbedtls_hmac_drbg_random, &job->rng);
    return NULL;
}

/* Is E prime to P-1, so that a private exponent exists? */
static int suits_exponent(const mbedtls_mpi *prime, bool *suits)
{
    mbedtls_mpi_uint rest;
    mbedtls_mpi less;
    int rc;

    mbedtls_mpi_init(&less);
    rc = mbedtls_mpi_sub_int(&less, prime, 1);
    if (rc == 0)
        rc = mbedtls_mpi_mod_int(&rest, &less, RSA_EXPONENT);
    *suits = rc == 0 && rest != 0; /* the exponent is a prime itself */
    mbedtls_mpi_free(&less);
    return rc;
}

static int import_primes(mbedtls_rsa_context *rsa, struct prime_job job[2])
{
    mbedtls_mpi e;
    int rc;

    mbedtls_mpi_init(&e);
    rc = mbedtls_mpi_lset(&e, RSA_EXPONENT);
    /* The larger one is called P, as PKCS #1 keys are usually written. */
    if (rc == 0 && mbedtls_mpi_cmp_mpi(&job[0].prime, &job[1].prime) < 0)
        mbedtls_mpi_swap(&job[0].prime, &job[1].prime);
    if (rc == 0)
        rc = mbedtls_rsa_import(rsa, NULL, &job[0].prime, &job[1].prime, NULL, &e);
    if (rc == 0)
        rc = mbedtls_rsa_complete(rsa);
    if (rc == 0)
        rc = mbedtls_rsa_check_privkey(rsa);
    mbedtls_mpi_free(&e);
    return rc;
}

/* As mbedtls_rsa_gen_key(), but the two primes are looked for at the same time: that halves the
 * wait for an RSA-4096 key. Primes of full length drawn independently differ by far more than
 * FIPS 186-4 asks for (2^(bits/2-100)). */
static int make_large_rsa(mbedtls_pk_context *key, unsigned bits, struct prime_job job[2])
{
    bool suits = false;
    int rc = 0;

    while (!suits && rc == 0) {
        pthread_t second;
        bool threaded = pthread_create(&second, NULL, find_prime, &job[1]) == 0;
        bool suits_p = false, suits_q = false;

        find_prime(&job[0]);
        if (threaded)
            pthread_join(second, NULL);
        else
            find_prime(&job[1]);
        rc = job[0].rc != 0 ? job[0].rc : job[1].rc;
        if (rc == 0)
            rc = suits_exponent(&job[0].prime, &suits_p);
        if (rc == 0)
            rc = suits_exponent(&job[1].prime, &suits_q);
        suits = suits_p && suits_q;
    }
    if (rc == 0)
        rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
    if (rc == 0)
        rc = import_primes(mbedtls_pk_rsa(*key), job);
    return rc == 0 && mbedtls_pk_get_bitlen(key) != bits ? MBEDTLS_ERR_RSA_KEY_GEN_FAILED : rc;
}

static int begin_large_rsa(mbedtls_pk_context *key, unsigned bits, const char *seed,
                           const char *label, struct err *err, int *rc)
{
    struct prime_job job[2];
    char sub[512];
    int ok = 0;

    memset(job, 0, sizeof job);
    for (size_t i = 0; i < 2; i++) {
        mbedtls_mpi_init(&job[i].prime);
        job[i].bits = bits / 2;
        snprintf(sub, sizeof sub, "%s prime %zu", label, i);
        if (ok == 0)
            ok = issue_rng_init(&job[i].rng, seed, sub, err);
        else
            mbedtls_hmac_drbg_init(&job[i].rng);
    }
    if (ok == 0)
        *rc = make_large_rsa(key, bits, job);
    for (size_t i = 0; i < 2; i++) {
        mbedtls_mpi_free(&job[i].prime);
        issue_rng_free(&job[i].rng);
    }
    return ok;
}

int issue_key_make(mbedtls_pk_context *key, enum issue_key_kind kind, const char *seed,
                   const char *label, struct err *err)
{
    unsigned bits = kinds[kind].bits;
    mbedtls_hmac_drbg_context rng;
    int rc = 0;

    if (issue_key_is_large_rsa(kind)) {
        if (begin_large_rsa(key, bits, seed, label, err, &rc) != 0)
            return -1;
    } else {
        if (issue_rng_init(&rng, seed, label, err) != 0)
            return -1;
        if (kinds[kind].family == FAMILY_EC) {
            rc = make_ec(key, bits, &rng);
        } else {
            rc = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA));
            if (rc == 0)
                rc = mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), mbedtls_hmac_drbg_random, &rng, bits,
                                         RSA_EXPONENT);
        }
        issue_rng_free(&rng);
    }
    if (rc != 0) {
        err_set(err, ERR_CRYPTO, "%s key for %s: mbedTLS -0x%04x", kinds[kind].name, label,
                (unsigned)-rc);
        return -1;
    }
    return 0;
}
