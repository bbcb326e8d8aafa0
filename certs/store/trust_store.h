/* SPDX-License-Identifier: Apache-2.0
 * Trust stores: whom a client, a target or a listener trusts. Loaded once, shared, immutable. */
#ifndef CERTS_STORE_TRUST_STORE_H
#define CERTS_STORE_TRUST_STORE_H

#include "certs/store/cert_spec.h"
#include "certs/x509/parse.h"
#include "core/err.h"

struct cert_lab;         /* certs/lab/lab.h */
struct mbedtls_x509_crt; /* mbedtls/x509_crt.h */

/* A list of certificates without keys: the anchors of a trust store, or a `client_ca`. */
struct trust_store {
    char *spec;                   /* as written in the configuration */
    struct cert_list list;        /* in the order of the file; at least one */
    struct mbedtls_x509_crt *crt; /* those that mbedTLS can read, for mbedtls_ssl_conf_ca_chain();
                                     NULL when it can read none */
    /* Of "apigateway": it goes by a list of fingerprints (certs/store/apigateway_authorities.h), so
     * a root that is on it is trusted although this machine has it not. */
    bool by_list;
    struct cert_list left_out; /* this machine's roots that are not on the list */
};

/*
 * Load a trust store.
 *   spec      a PEM file, "lab:public", "lab:private", "lab:all", "lab:client" (the truststore for
 *             mutual TLS: subordinate, then root) and more (certs/lab/stores.def),
 *             "lab:PROFILE/HOST" (that leaf alone: pinning), or "system" (the distribution's CA
 *             bundle), or "apigateway" (those of "system" that stand on AWS's published list)
 *   returns   a reference (trust_store_unref), or NULL with the reason in `err`
 */
struct trust_store *trust_store_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                                     struct err *err);
void trust_store_unref(const struct trust_store *store);
/* Where distributions keep what "system" stands for: the i-th place; NULL behind the last. */
const char *trust_store_system(size_t i);

#endif
