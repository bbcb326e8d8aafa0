/* SPDX-License-Identifier: Apache-2.0
 * Write one certificate, sound or flawed, exactly as described. */
#ifndef CERTS_LAB_ISSUE_CERT_H
#define CERTS_LAB_ISSUE_CERT_H

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum issue_basic {
    ISSUE_BASIC_NONE,   /* no basicConstraints */
    ISSUE_BASIC_NOT_CA, /* CA:FALSE */
    ISSUE_BASIC_CA,     /* CA:TRUE, critical */
};

enum issue_eku { ISSUE_EKU_NONE, ISSUE_EKU_SERVER, ISSUE_EKU_CLIENT, ISSUE_EKU_BOTH };

/* Bits of `usage`: those of mbedTLS's MBEDTLS_X509_KU_*. */

#define ISSUE_SERIAL_LEN 16

struct issue_cert {
    const char *subject; /* "C=US,O=lab,CN=x", in the order of the encoding; "" for none */
    const char *issuer;
    mbedtls_pk_context *key, *issuer_key; /* borrowed */
    mbedtls_md_type_t md;
    uint8_t serial[ISSUE_SERIAL_LEN]; /* big-endian, positive */
    size_t serial_len;
    int64_t not_before_utc, not_after_utc;

    bool bare; /* no extension at all; nothing below but the last three members counts */
    enum issue_basic basic;
    int path_len;       /* -1: no limit */
    unsigned usage;     /* 0: no keyUsage */
    enum issue_eku eku; /* not critical, as public CAs write it */
    const char *const
        *names;     /* subjectAltName: DNS names, and addresses where they parse as such */
    size_t n_names; /* 0: no subjectAltName */
    const char *nc_permitted, *nc_excluded; /* name constraints: one DNS name or address each */
    bool nc_critical;
    bool key_ids;          /* subject and authority key identifier */
    bool unknown_critical; /* a critical extension that nobody knows */
    bool ev_policy;        /* certificatePolicies: the CA/Browser Forum's EV identifier */

    bool v1;            /* X.509 version 1; only with `bare` */
    bool bad_signature; /* one bit of the signature flipped after signing */
};

/* Write it. `*der` is allocated (free). `rng` blinds the signature; it does not show in it: ECDSA
 * signatures are deterministic (RFC 6979). `what` names the certificate in the error text. */
int issue_cert_write(const struct issue_cert *c, mbedtls_f_rng_t *rng, void *rng_arg,
                     const char *what, uint8_t **der, size_t *len, struct err *err);

/* Append "CN=value" to a name, escaping what needs it. False when it does not fit. */
bool issue_name_add(char *name, size_t size, const char *attribute, const char *value);

#endif
