/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab: authorities made when first needed, and certificates of every profile.
 * One lab per INI file; everything of it lives in memory until somebody writes it down. */
#ifndef CERTS_LAB_LAB_H
#define CERTS_LAB_LAB_H

#include <stddef.h>
#include <stdint.h>

#include "certs/lab/profiles.h"
#include "certs/x509/der.h"
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

#define CERT_LAB_CHAIN_MAX LAB_WORDS_MAX /* certificates of a chain, anchors of a store */

/* One certificate with what belongs to it. Borrowed from the lab, valid until cert_lab_free(). */
struct cert_lab_item {
    struct der_span chain[CERT_LAB_CHAIN_MAX]; /* as it is to be presented; [0] is the leaf */
    size_t chain_len;
    struct der_span root; /* the anchor that it ends in, trusted or not; the leaf if self-signed */
    struct mbedtls_pk_context *key;
};

/* Issue (or find again: one lab never makes the same one twice) profile for host. */
int cert_lab_issue(struct cert_lab *lab, const char *profile, const char *host,
                   struct cert_lab_item *out, struct err *err);
/* An authority of certs/lab/authorities.def: chain[0] is its own certificate, its issuers follow
 * without the root. `host` counts only for authorities that are made per host. */
int cert_lab_authority(struct cert_lab *lab, const char *name, const char *host,
                       struct cert_lab_item *out, struct err *err);
/* The anchors of a store of certs/lab/stores.def ("public", "private", "all", "client", …). */
int cert_lab_store(struct cert_lab *lab, const char *store,
                   struct der_span anchors[CERT_LAB_CHAIN_MAX], size_t *n, struct err *err);

/* The list of certificates that an authority has revoked, as of now: those of profiles whose row
 * says so, among the ones issued so far. `*der` is allocated (free). */
int cert_lab_crl(struct cert_lab *lab, const char *authority, uint8_t **der, size_t *len,
                 struct err *err);

#endif
