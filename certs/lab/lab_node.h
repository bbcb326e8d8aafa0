/* SPDX-License-Identifier: Apache-2.0
 * The inside of a certificate lab; for certs/lab*.c only. */
#ifndef CERTS_LAB_LAB_NODE_H
#define CERTS_LAB_LAB_NODE_H

#include <mbedtls/hmac_drbg.h>
#include <pthread.h>

#include "certs/lab/issue_cert.h"
#include "certs/lab/key_pool.h"
#include "certs/lab/lab.h"
#include "certs/lab/profiles.h"

#define LAB_DAY_S       ((int64_t)86400)
#define LAB_LABEL_MAX   384
#define LAB_SUBJECT_MAX 1024

/* An authority or a leaf: a certificate with its key. */
struct lab_node {
    char *label; /* "authority issuing", "leaf valid/api.example.com" */
    char *subject;
    uint8_t *der;
    size_t len;
    mbedtls_pk_context *key; /* of the key pool */
    uint8_t serial[ISSUE_SERIAL_LEN];
    size_t serial_len;
    const struct lab_authority *authority; /* the row, for authorities */
    struct lab_node *issuer;               /* NULL: self-signed */
    bool revoked;
    struct lab_node *next; /* in the order of issue */
};

struct cert_lab {
    char *seed;
    int64_t now_s;
    enum issue_key_kind ca_key; /* of authorities whose row asks for nothing else */
    struct key_pool *keys;
    pthread_mutex_t lock; /* of everything below; a node that is there no longer changes */
    mbedtls_hmac_drbg_context blind;
    void *nodes; /* tsearch() by label */
    struct lab_node *first, **last;
};

/* NULL when nothing of that label was issued. All of these are called with the lock held. */
struct lab_node *lab_node_find(struct cert_lab *lab, const char *label);
/* Issue what `c` describes and keep it; key, issuer and serial number of `c` are filled in.
 * `issuer` NULL: self-signed. `key_label`: what the key is filed under. */
struct lab_node *lab_node_add(struct cert_lab *lab, const char *label, const char *key_label,
                              struct lab_node *issuer, enum issue_key_kind kind,
                              struct issue_cert *c, struct err *err);
/* Keep a finished node, which the lab owns from then on; -1 without memory. */
int lab_node_insert(struct cert_lab *lab, struct lab_node *n, struct err *err);
void lab_node_free(struct lab_node *n);
/* The kind of key that an authority gets. */
enum issue_key_kind lab_authority_key(const struct cert_lab *lab, const struct lab_authority *row);
/* Find or make an authority; `host` counts for those that are made per host. */
struct lab_node *lab_authority_node(struct cert_lab *lab, const struct lab_authority *row,
                                    const char *host, struct err *err);
/* "authority NAME" or "authority NAME/HOST": what its key is filed under. */
void lab_authority_label(const struct lab_authority *row, const char *host,
                         char label[LAB_LABEL_MAX]);
void lab_item_put(struct cert_lab_item *out, const struct lab_node *n);
/* `n` and its issuers up to, but without, the root; `out->root` is that. */
void lab_item_fill(struct cert_lab_item *out, const struct lab_node *n);

#endif
