/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab: what has been issued, each thing once; its authorities and stores. */
#include "certs/lab/lab.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab_issue.h"
#include "certs/lab/lab_node.h"

#define ROOT_DAYS    1825 /* either way, where the row gives no dates */
#define ISSUING_FROM (-365)
#define ISSUING_TO   730

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct lab_node *)a)->label, ((const struct lab_node *)b)->label);
}

struct cert_lab *cert_lab_new(const char *seed, int64_t now_s, struct err *err)
{
    struct cert_lab *lab = calloc(1, sizeof *lab);

    if (lab == NULL || (seed != NULL && (lab->seed = strdup(seed)) == NULL)) {
        err_set(err, ERR_NOMEM, "certificate lab");
        free(lab);
        return NULL;
    }
    lab->now_s = now_s;
    lab->last = &lab->first;
    pthread_mutex_init(&lab->lock, NULL);
    lab->keys = key_pool_new(lab->seed);
    if (issue_rng_init(&lab->blind, NULL, "signatures", err) != 0 || lab->keys == NULL) {
        if (lab->keys == NULL)
            err_set(err, ERR_NOMEM, "certificate lab");
        cert_lab_free(lab);
        return NULL;
    }
    return lab;
}

void lab_node_free(struct lab_node *n)
{
    if (n == NULL)
        return;
    free(n->label);
    free(n->subject);
    free(n->der);
    free(n);
}

static void free_node(void *arg)
{
    lab_node_free(arg);
}

void cert_lab_free(struct cert_lab *lab)
{
    if (lab == NULL)
        return;
    tdestroy(lab->nodes, free_node);
    key_pool_free(lab->keys);
    issue_rng_free(&lab->blind);
    pthread_mutex_destroy(&lab->lock);
    free(lab->seed);
    free(lab);
}

int64_t cert_lab_now(const struct cert_lab *lab)
{
    return lab->now_s;
}

void cert_lab_set_authority_key(struct cert_lab *lab, enum issue_key_kind kind)
{
    lab->ca_key = kind;
}

enum issue_key_kind lab_authority_key(const struct cert_lab *lab, const struct lab_authority *row)
{
    return row->key != ISSUE_KEY_EC256 ? row->key : lab->ca_key;
}

struct lab_node *lab_node_find(struct cert_lab *lab, const char *label)
{
    struct lab_node probe = { .label = (char *)(uintptr_t)label }; /* only compared */
    struct lab_node **found = tfind(&probe, &lab->nodes, compare_nodes);

    return found != NULL ? *found : NULL;
}

/* A serial number: positive, of exactly `len` octets. */
static int make_serial(const struct cert_lab *lab, const char *label, struct lab_node *n,
                       struct err *err)
{
    mbedtls_hmac_drbg_context rng;
    char purpose[LAB_LABEL_MAX + 16];
    int rc;

    snprintf(purpose, sizeof purpose, "serial %s", label);
    if (issue_rng_init(&rng, lab->seed, purpose, err) != 0)
        return -1;
    rc = mbedtls_hmac_drbg_random(&rng, n->serial, n->serial_len);
    issue_rng_free(&rng);
    n->serial[0] = (n->serial[0] & 0x7f) | 0x40;
    if (rc != 0)
        err_set(err, ERR_CRYPTO, "serial number of %s", label);
    return rc;
}

int lab_node_insert(struct cert_lab *lab, struct lab_node *n, struct err *err)
{
    if (tsearch(n, &lab->nodes, compare_nodes) == NULL) {
        err_set(err, ERR_NOMEM, "certificate %s", n->label);
        return -1;
    }
    *lab->last = n;
    lab->last = &n->next;
    return 0;
}

struct lab_node *lab_node_add(struct cert_lab *lab, const char *label, const char *key_label,
                              struct lab_node *issuer, enum issue_key_kind kind,
                              struct issue_cert *c, struct err *err)
{
    struct lab_node *n = calloc(1, sizeof *n);

    if (n == NULL || (n->label = strdup(label)) == NULL ||
        (n->subject = strdup(c->subject)) == NULL) {
        err_set(err, ERR_NOMEM, "certificate %s", label);
        goto fail;
    }
    n->issuer = issuer;
    n->serial_len = c->serial_len != 0 ? c->serial_len : ISSUE_SERIAL_LEN;
    n->key = key_pool_get(lab->keys, kind, key_label, err);
    if (n->key == NULL || make_serial(lab, label, n, err) != 0)
        goto fail;
    c->key = n->key;
    c->issuer_key = issuer != NULL ? issuer->key : n->key;
    c->issuer = issuer != NULL ? issuer->subject : n->subject;
    memcpy(c->serial, n->serial, n->serial_len);
    c->serial_len = n->serial_len;
    if (issue_cert_write(c, mbedtls_hmac_drbg_random, &lab->blind, label, &n->der, &n->len, err) !=
        0)
        goto fail;
    if (lab_node_insert(lab, n, err) == 0)
        return n;
fail:
    lab_node_free(n);
    return NULL;
}

void lab_authority_label(const struct lab_authority *row, const char *host,
                         char label[LAB_LABEL_MAX])
{
    bool per_host = row->nc_excludes_host;

    snprintf(label, LAB_LABEL_MAX, "authority %s%s%s", row->name, per_host ? "/" : "",
             per_host ? host : "");
}

static struct lab_node *new_authority(struct cert_lab *lab, const struct lab_authority *row,
                                      const char *label, const char *host, struct err *err)
{
    char subject[LAB_SUBJECT_MAX] = LAB_SUBJECT_BASE;
    struct lab_node *issuer = NULL, *n;
    bool own_dates = row->from_days != 0 || row->to_days != 0;
    struct issue_cert c = {
        .subject = subject,
        .md = row->md != MBEDTLS_MD_NONE ? row->md : MBEDTLS_MD_SHA256,
        .basic = row->basic == LAB_BASIC_NONE     ? ISSUE_BASIC_NONE
                 : row->basic == LAB_BASIC_NOT_CA ? ISSUE_BASIC_NOT_CA
                                                  : ISSUE_BASIC_CA,
        .path_len = row->path_len - 1,
        .usage = row->usage != 0 ? row->usage & ~LAB_USAGE_NONE
                                 : MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN |
                                       MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
        .nc_permitted = row->nc_permitted,
        .nc_excluded = row->nc_excludes_host ? host : NULL,
        .nc_critical = row->nc_critical,
        .key_ids = true,
        .unknown_critical = row->unknown_critical,
        .bad_signature = row->bad_signature,
    };

    if (row->issuer != NULL) {
        issuer = lab_authority_node(lab, lab_authority_find(row->issuer), host, err);
        if (issuer == NULL)
            return NULL;
    }
    c.not_before_utc = lab->now_s + LAB_DAY_S * (own_dates        ? row->from_days
                                                 : issuer != NULL ? ISSUING_FROM
                                                                  : -ROOT_DAYS);
    c.not_after_utc = lab->now_s + LAB_DAY_S * (own_dates        ? row->to_days
                                                : issuer != NULL ? ISSUING_TO
                                                                 : ROOT_DAYS);
    (void)issue_name_add(subject, sizeof subject, "CN", row->cn);
    n = lab_node_add(lab, label, label, issuer, lab_authority_key(lab, row), &c, err);
    if (n != NULL)
        n->authority = row;
    return n;
}

struct lab_node *lab_authority_node(struct cert_lab *lab, const struct lab_authority *row,
                                    const char *host, struct err *err)
{
    char label[LAB_LABEL_MAX];
    struct lab_node *n;

    lab_authority_label(row, host, label);
    n = lab_node_find(lab, label);
    return n != NULL ? n : new_authority(lab, row, label, host, err);
}

void lab_item_put(struct cert_lab_item *out, const struct lab_node *n)
{
    if (out->chain_len < CERT_LAB_CHAIN_MAX)
        out->chain[out->chain_len++] = der_span_of(n->der, n->len);
}

void lab_item_fill(struct cert_lab_item *out, const struct lab_node *n)
{
    memset(out, 0, sizeof *out);
    out->key = n->key;
    lab_item_put(out, n);
    while (n->issuer != NULL) {
        n = n->issuer;
        if (n->issuer != NULL)
            lab_item_put(out, n);
    }
    out->root = der_span_of(n->der, n->len);
}

int cert_lab_authority(struct cert_lab *lab, const char *name, const char *host,
                       struct cert_lab_item *out, struct err *err)
{
    const struct lab_authority *row = lab_authority_find(name);
    struct lab_node *n;

    if (row == NULL) {
        err_set(err, ERR_CONFIG, "no lab authority '%.60s' ('nlbsim lab --list' shows all)", name);
        return -1;
    }
    pthread_mutex_lock(&lab->lock);
    n = lab_authority_node(lab, row, host != NULL ? host : "", err);
    pthread_mutex_unlock(&lab->lock);
    if (n == NULL)
        return -1;
    lab_item_fill(out, n);
    return 0;
}

int cert_lab_store(struct cert_lab *lab, const char *store,
                   struct der_span anchors[CERT_LAB_CHAIN_MAX], size_t *n, struct err *err)
{
    const struct lab_store *row = lab_store_find(store, err);
    const char *words[LAB_WORDS_MAX];
    struct cert_lab_item item;
    char buf[256];

    if (row == NULL)
        return -1;
    *n = lab_words(row->members, buf, sizeof buf, words);
    for (size_t i = 0; i < *n; i++) {
        if (cert_lab_authority(lab, words[i], NULL, &item, err) != 0)
            return -1;
        anchors[i] = item.chain[0];
    }
    return 0;
}
