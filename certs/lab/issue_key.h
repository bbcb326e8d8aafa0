/* SPDX-License-Identifier: Apache-2.0
 * Random numbers and key pairs of the certificate lab, repeatable when there is a seed. */
#ifndef CERTS_LAB_ISSUE_KEY_H
#define CERTS_LAB_ISSUE_KEY_H

#include <mbedtls/hmac_drbg.h>
#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

enum issue_key_kind {
#define KEY(id, name, kind, bits, curve, nlb, help) ISSUE_KEY_##id,
#include "certs/lab/keys.def"
#undef KEY
    ISSUE_KEY_N
};

/* "ecdsa-256", "rsa-2048", …; as written in tables and options. */
const char *issue_key_name(enum issue_key_kind kind);
/* The kind of that name, or ISSUE_KEY_N. */
enum issue_key_kind issue_key_find(const char *name);
/* Does the making of such a key take long enough to be worth a thread of its own? */
bool issue_key_is_slow(enum issue_key_kind kind);
/* RSA of 3072 bits and more: what --no-large-rsa leaves out. */
bool issue_key_is_large_rsa(enum issue_key_kind kind);
/* The names, separated by ", ", for help and error texts. */
const char *issue_key_names(char *out, size_t size);

/*
 * A random generator of its own for one purpose.
 *   seed     NULL: from the system's random numbers; otherwise seed and label decide all it gives
 *   label    what it is for ("key leaf valid/api.example.com"); no two purposes share a label
 */
int issue_rng_init(mbedtls_hmac_drbg_context *rng, const char *seed, const char *label,
                   struct err *err);
void issue_rng_free(mbedtls_hmac_drbg_context *rng);

/* Make a key pair; `key` is initialised by the caller and freed by the caller (mbedTLS wipes it).
 */
int issue_key_make(mbedtls_pk_context *key, enum issue_key_kind kind, const char *seed,
                   const char *label, struct err *err);

#endif
