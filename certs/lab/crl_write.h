/* SPDX-License-Identifier: Apache-2.0
 * Certificate revocation lists: write one (mbedTLS has no writer), read one. */
#ifndef CERTS_LAB_CRL_WRITE_H
#define CERTS_LAB_CRL_WRITE_H

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/der.h"
#include "core/err.h"

/* CRLReason. Source: RFC 5280, 5.3.1. */
#define CRL_REASON_UNSPECIFIED    0
#define CRL_REASON_KEY_COMPROMISE 1

struct crl_entry {
    struct der_span serial; /* content of the INTEGER, positive */
    int64_t revoked_utc;
    unsigned reason; /* CRL_REASON_UNSPECIFIED writes none, as RFC 5280 asks for */
};

struct crl_spec {
    struct der_span issuer;  /* the DER of the issuer's certificate: name and key id come from it */
    mbedtls_pk_context *key; /* its key; borrowed */
    mbedtls_md_type_t md;
    int64_t this_update_utc, next_update_utc;
    uint32_t number; /* cRLNumber */
    const struct crl_entry *entries;
    size_t n_entries;
};

/* Write a version 2 list. `*der` is allocated (free). `rng` blinds the signature. */
int crl_write(const struct crl_spec *spec, mbedtls_f_rng_t *rng, void *rng_arg, uint8_t **der,
              size_t *len, struct err *err);

#endif
