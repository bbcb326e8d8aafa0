/* SPDX-License-Identifier: Apache-2.0
 * Certificates and trust stores as the rest of the program uses them: loaded once, shared,
 * immutable. A specification is what a user writes: a PEM file or "lab:PROFILE/HOST". */
#ifndef CERTS_STORE_IDENTITY_H
#define CERTS_STORE_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "certs/store/cert_spec.h"
#include "certs/x509/parse.h"
#include "core/bytes.h"
#include "core/err.h"

struct cert_lab;           /* certs/lab/lab.h */
struct mbedtls_pk_context; /* mbedtls/pk.h */
struct mbedtls_x509_crt;   /* mbedtls/x509_crt.h */

#define CERT_ID_TEXT UUID_TEXT

/*
 * A certificate to present: its chain and its key. Everything is read-only after cert_load(), so
 * that any number of threads and configuration generations may hold it at once (mbedTLS locks what
 * an RSA key changes while it signs).
 */
struct cert {
    char *spec;                     /* as written in the configuration */
    char *key_path;                 /* the file its key came from; NULL: the lab made it */
    unsigned key_mode;              /* of that file: 0600; 0 when it is no regular file */
    struct cert_list chain;         /* exactly the order given, even if wrong: a fault to reproduce;
                                       at least one; the octets are at[i]->der */
    const struct cert_facts *leaf;  /* chain.at[0] */
    struct mbedtls_x509_crt *crt;   /* the same chain for mbedtls_ssl_conf_own_cert() */
    struct mbedtls_pk_context *key; /* belongs to the leaf: checked */
    char
        id[CERT_ID_TEXT]; /* made from the leaf's SHA-256; the tail of an ARN: "…:certificate/ID" */
};

/*
 * Load a certificate.
 *   spec      "api.pem" (chain; the key in the same file, or in api.key beside it),
 *             "api.pem api.key" (two files), or
 *             "lab:PROFILE/HOST" (issued now, in memory; certs/lab/profiles.def)
 *   base_dir  what a relative path is relative to; NULL: the working directory
 *   lab       needed for "lab:…"; may be NULL when no spec names a lab
 *   returns   a reference (cert_unref), or NULL with the reason in `err`, naming the file and what
 *             is wrong with it. Keys are wiped from memory when the last reference goes.
 */
struct cert *cert_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                       struct err *err);
/* The same for a file whose key is in the file `key` (NULL: in the file itself, or beside it). */
struct cert *cert_load_with_key(const char *spec, const char *key, const char *base_dir,
                                struct cert_lab *lab, struct err *err);
/* The same of a file `path` that was read already; a pipe can be read but once. */
struct cert *cert_load_text(const char *path, const char *text, size_t len, struct err *err);
void cert_unref(const struct cert *cert); /* NULL is fine */

/* A copy of its private key; `key` is initialised and freed by the caller. */
int cert_copy_key(struct mbedtls_pk_context *key, const struct cert *cert, struct err *err);

/* A list of certificates without keys: the anchors of a trust store, or a `client_ca`. */
struct trust_store {
    char *spec;                   /* as written in the configuration */
    struct cert_list list;        /* in the order of the file; at least one */
    struct mbedtls_x509_crt *crt; /* those that mbedTLS can read, for mbedtls_ssl_conf_ca_chain();
                                     NULL when it can read none */
};

/*
 * Load a trust store.
 *   spec      a PEM file, "lab:public", "lab:private", "lab:all", "lab:client" (the truststore for
 *             mutual TLS: subordinate, then root) and more (certs/lab/stores.def),
 * "lab:PROFILE/HOST" (that leaf alone: pinning), or "system" (the distribution's CA bundle) returns
 * a reference (trust_store_unref), or NULL with the reason in `err`
 */
struct trust_store *trust_store_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                                     struct err *err);
void trust_store_unref(const struct trust_store *bundle);

/* Lists of revoked certificates, for mbedtls_ssl_conf_ca_chain(). */
struct cert_crl;
struct mbedtls_x509_crl; /* mbedtls/x509_crl.h */

/*
 * Load revocation lists.
 *   spec      a PEM (or DER) file, or "lab:PROFILE/HOST": the list of the authority that issued
 * that certificate; a profile whose flaw is to be revoked is on it returns   NULL with the reason
 * in `err`
 */
struct cert_crl *cert_crl_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                               struct err *err);
void cert_crl_free(struct cert_crl *crl);
struct mbedtls_x509_crl *cert_crl_list(const struct cert_crl *crl); /* NULL of NULL */

#endif
