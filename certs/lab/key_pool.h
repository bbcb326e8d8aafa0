/* SPDX-License-Identifier: Apache-2.0
 * Key pairs by label, each made once: when asked for, or ahead on threads in the background. */
#ifndef CERTS_LAB_KEY_POOL_H
#define CERTS_LAB_KEY_POOL_H

#include "certs/lab/issue_key.h"

struct key_pool;

/* `seed` as in issue_key_make(); borrowed. NULL without memory. */
struct key_pool *key_pool_new(const char *seed);
void key_pool_free(struct key_pool *pool); /* drops what has not begun, waits for what has */
/* The key of this label; made now, or waited for when a thread is at it. Borrowed. */
mbedtls_pk_context *key_pool_get(struct key_pool *pool, enum issue_key_kind kind, const char *label,
                                 struct err *err);
/* File a key that was made elsewhere; `key` is moved from, also on failure. */
mbedtls_pk_context *key_pool_put(struct key_pool *pool, enum issue_key_kind kind, const char *label,
                                 mbedtls_pk_context *key, struct err *err);
/* Ask for a key ahead of time. Jobs are begun in the order of their cost. */
int key_pool_want(struct key_pool *pool, enum issue_key_kind kind, const char *label,
                  struct err *err);
/* Begin with the jobs: one thread per processor at most. */
int key_pool_start(struct key_pool *pool, struct err *err);

#endif
