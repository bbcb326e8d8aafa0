/* SPDX-License-Identifier: Apache-2.0
 * Certificates with their keys, as they are presented: loaded once, shared, immutable. A
 * specification is what a user writes: a PEM file or "lab:PROFILE/HOST". */
#ifndef CERTS_STORE_IDENTITY_H
#define CERTS_STORE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "certs/store/cert_spec.h"
#include "certs/x509/parse.h"
#include "core/bytes.h"
#include "core/err.h"
#include "tls/tls_conf_params.h"

struct cert_lab;           /* certs/lab/lab.h */
struct mbedtls_pk_context; /* mbedtls/pk.h */
struct mbedtls_x509_crt;   /* mbedtls/x509_crt.h */

#define IDENTITY_ID_TEXT UUID_TEXT

/*
 * A certificate to present: its chain and its key. Everything is read-only after identity_load(),
 * so that any number of threads and configuration generations may hold it at once (mbedTLS locks
 * what an RSA key changes while it signs).
 */
struct identity {
    char *spec;                     /* as written in the configuration */
    char *key_path;                 /* the file its key came from; NULL: the lab made it */
    unsigned key_mode;              /* of that file: 0600; 0 when it is no regular file */
    struct cert_list chain;         /* exactly the order given, even if wrong: a fault to reproduce;
                                       at least one; the octets are at[i]->der */
    const struct cert_facts *leaf;  /* chain.at[0] */
    struct mbedtls_x509_crt *crt;   /* the same chain for mbedtls_ssl_conf_own_cert() */
    struct mbedtls_pk_context *key; /* belongs to the leaf: checked */
    char id[IDENTITY_ID_TEXT];      /* made from the leaf's SHA-256; the tail of an ARN:
                                       "…:certificate/ID" */
};

/*
 * Load a certificate.
 *   spec      "api.pem" (chain; the key in the same file, or in api.key beside it),
 *             "api.pem api.key" (two files), or
 *             "lab:PROFILE/HOST" (issued now, in memory; certs/lab/profiles.def)
 *   base_dir  what a relative path is relative to; NULL: the working directory
 *   lab       needed for "lab:…"; may be NULL when no spec names a lab
 *   returns   a reference (identity_unref), or NULL with the reason in `err`, naming the file and
 * what is wrong with it. Keys are wiped from memory when the last reference goes.
 */
struct identity *identity_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                               struct err *err);
/* The same for a file whose key is in the file `key` (NULL: in the file itself, or beside it). */
struct identity *identity_load_with_key(const char *spec, const char *key, const char *base_dir,
                                        struct cert_lab *lab, struct err *err);
/* The same of a file `path` that was read already; a pipe can be read but once. */
struct identity *identity_load_text(const char *path, const char *text, size_t len,
                                    struct err *err);
void identity_unref(const struct identity *cert); /* NULL is fine */

/* For a TLS session; borrows from it. */
struct tls_identity identity_to_present(const struct identity *cert);
/* Where the key of the file `path` is when not in it: "api.key" for "api.pem", ".key" after any
 * other name. To be freed; NULL: memory. */
char *identity_key_beside(const char *path);
/* A copy of its private key; `key` is initialised and freed by the caller. */
int identity_copy_key(struct mbedtls_pk_context *key, const struct identity *cert, struct err *err);

#endif
