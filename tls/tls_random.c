/* SPDX-License-Identifier: Apache-2.0
 * Random bytes, one generator per thread. */
#include "tls/tls_random.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <stdbool.h>

static _Thread_local struct {
    bool ready;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
} rng;

int tls_random(void *unused, unsigned char *out, size_t n)
{
    (void)unused;
    if (!rng.ready) {
        int rc;

        mbedtls_entropy_init(&rng.entropy);
        mbedtls_ctr_drbg_init(&rng.drbg);
        rc = mbedtls_ctr_drbg_seed(&rng.drbg, mbedtls_entropy_func, &rng.entropy, NULL, 0);
        if (rc != 0)
            return rc;
        rng.ready = true;
    }
    while (n > MBEDTLS_CTR_DRBG_MAX_REQUEST) {
        int rc = mbedtls_ctr_drbg_random(&rng.drbg, out, MBEDTLS_CTR_DRBG_MAX_REQUEST);

        if (rc != 0)
            return rc;
        out += MBEDTLS_CTR_DRBG_MAX_REQUEST;
        n -= MBEDTLS_CTR_DRBG_MAX_REQUEST;
    }
    return mbedtls_ctr_drbg_random(&rng.drbg, out, n);
}

void tls_thread_done(void)
{
    if (!rng.ready)
        return;
    mbedtls_ctr_drbg_free(&rng.drbg);
    mbedtls_entropy_free(&rng.entropy);
    rng.ready = false;
}
