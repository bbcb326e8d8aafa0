/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab: authorities made when first needed, and certificates of every profile.
 * One lab per INI file; everything of it lives in memory until somebody writes it down. */
#ifndef CERTS_LAB_H
#define CERTS_LAB_H

#include <stddef.h>
#include <stdint.h>

#include "certs/der.h"
#include "core/err.h"

struct cert_lab;
struct mbedtls_pk_context;

/*
 * A new lab; nothing is issued yet.
 *   seed     NULL: fresh keys and serial numbers; otherwise every key, serial number and signature
 *            follows from the seed, the profile and the host, whatever is asked for first
 *   now_s    the moment that "expired", "365 days" and so on count from; seconds since 1970
 *   returns  NULL with the reason in `err`. A lab may be used by several threads at once.
 */
struct cert_lab *cert_lab_new(const char *seed, int64_t now_s, struct err *err);
void cert_lab_free(struct cert_lab *lab); /* wipes its keys */
int64_t cert_lab_now(const struct cert_lab *lab);

/* What one profile gives for one host. Borrowed from the lab, valid until cert_lab_free(). */
struct cert_lab_item {
    const struct der_span *chain; /* as it is to be presented; chain[0] is the leaf */
    size_t chain_len;
    struct mbedtls_pk_context *key;
};

/* Issue (or find again: one lab never makes the same one twice) profile for host. */
int cert_lab_issue(struct cert_lab *lab, const char *profile, const char *host,
                   struct cert_lab_item *out, struct err *err);
/* The anchors of a store: "public", "private", "all" or "client". Borrowed like the above. */
int cert_lab_store(struct cert_lab *lab, const char *store, const struct der_span **anchors,
                   size_t *n, struct err *err);

#endif
