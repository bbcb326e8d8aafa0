/* SPDX-License-Identifier: Apache-2.0
 * A certificate and its key in OpenSSL's form; the start of the library. */
#include "tls/openssl_own.h"

#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_crt.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#define KEY_DER_MAX 16384

static void start_library(void)
{
    /* No clean-up at exit either: a thread may still be at work then. */
    (void)OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

void openssl_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, start_library);
}

void openssl_own_free(struct openssl_own *own)
{
    if (own == NULL)
        return;
    X509_free(own->leaf);
    sk_X509_pop_free(own->rest, X509_free);
    EVP_PKEY_free(own->key);
    free(own);
}

static EVP_PKEY *key_of(const mbedtls_pk_context *key)
{
    unsigned char *der = malloc(KEY_DER_MAX);
    int n = der == NULL ? -1 : mbedtls_pk_write_key_der(key, der, KEY_DER_MAX);
    const unsigned char *at = n <= 0 ? NULL : der + KEY_DER_MAX - n; /* written at the end */
    EVP_PKEY *out = at == NULL ? NULL : d2i_AutoPrivateKey(NULL, &at, n);

    if (der != NULL)
        mbedtls_platform_zeroize(der, KEY_DER_MAX);
    free(der);
    return out;
}

static struct openssl_own *make_own(const struct tls_identity *identity)
{
    struct openssl_own *own = calloc(1, sizeof *own);

    if (own == NULL)
        return NULL;
    own->rest = sk_X509_new_null();
    own->key = key_of(identity->key);
    for (const mbedtls_x509_crt *crt = identity->chain; crt != NULL && own->rest != NULL;
         crt = crt->next) {
        const unsigned char *at = crt->raw.p;
        X509 *x = d2i_X509(NULL, &at, (long)crt->raw.len);

        if (own->leaf == NULL)
            own->leaf = x;
        else if (x != NULL && sk_X509_push(own->rest, x) == 0)
            X509_free(x);
        if (x == NULL)
            break;
    }
    ERR_clear_error();
    if (own->leaf != NULL && own->key != NULL)
        return own;
    openssl_own_free(own);
    return NULL;
}

struct openssl_own *openssl_own_of(const struct tls_identity *identity)
{
    struct openssl_own_slot *slot = identity->slot;
    struct openssl_own *own =
        slot == NULL ? NULL : atomic_load_explicit(&slot->own, memory_order_acquire);
    struct openssl_own *first = NULL;

    if (own != NULL)
        return own;
    openssl_start();
    own = make_own(identity);
    if (slot == NULL || own == NULL ||
        atomic_compare_exchange_strong_explicit(&slot->own, &first, own, memory_order_acq_rel,
                                                memory_order_acquire))
        return own;
    openssl_own_free(own); /* another thread was first */
    return first;
}

void openssl_own_slot_clear(struct openssl_own_slot *slot)
{
    openssl_own_free(atomic_exchange(&slot->own, NULL));
}
