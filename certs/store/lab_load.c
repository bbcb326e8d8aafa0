/* SPDX-License-Identifier: Apache-2.0
 * Take the authorities of a lab directory into a lab in memory. */
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/lab/lab_dir.h"
#include "certs/lab/lab_node.h"
#include "certs/store/identity.h"

#define PATH_LEN 4096

/* The certificate as the lab would have made it: the row's name, and an issuer that is there. */
static struct lab_node *node_of(struct cert_lab *lab, const struct lab_authority *row,
                                const struct identity *cert, struct err *err)
{
    struct lab_node *n = calloc(1, sizeof *n);
    char label[LAB_LABEL_MAX], subject[LAB_SUBJECT_MAX] = LAB_SUBJECT_BASE;
    struct der_span der = cert->leaf->der;

    if (n == NULL)
        goto nomem;
    (void)issue_name_add(subject, sizeof subject, "CN", row->cn);
    lab_authority_label(row, "", label);
    n->label = strdup(label);
    n->subject = strdup(subject);
    n->der = malloc(der.len);
    if (n->label == NULL || n->subject == NULL || n->der == NULL)
        goto nomem;
    memcpy(n->der, der.at, der.len);
    n->len = der.len;
    n->authority = row;
    if (row->issuer != NULL) {
        lab_authority_label(lab_authority_find(row->issuer), "", label);
        n->issuer = lab_node_find(lab, label);
    }
    return n;
nomem:
    err_set(err, ERR_NOMEM, "authority %s", row->name);
    lab_node_free(n);
    return NULL;
}

static int take(struct cert_lab *lab, const struct lab_authority *row, const struct identity *cert,
                struct err *err)
{
    struct lab_node *n = node_of(lab, row, cert, err);
    mbedtls_pk_context key;

    if (n == NULL)
        return -1;
    mbedtls_pk_init(&key);
    if (identity_copy_key(&key, cert, err) == 0)
        n->key = key_pool_put(lab->keys, row->key, n->label, &key, err);
    if (n->key == NULL || lab_node_insert(lab, n, err) != 0) {
        lab_node_free(n);
        return -1;
    }
    return 0;
}

static int load_authority(struct cert_lab *lab, const char *dir, const struct lab_authority *row,
                          struct err *err)
{
    char path[PATH_LEN], cn[128];
    struct identity *cert;
    int rc = -1;

    snprintf(path, sizeof path, "%s/ca/%s.pem", dir, row->name);
    cert = identity_load(path, NULL, NULL, err);
    if (cert == NULL)
        return -1;
    if (!cert_name_cn(cert->leaf->subject, 0, cn, sizeof cn) || strcmp(cn, row->cn) != 0)
        err_set(err, ERR_CONFIG, "%s: is not '%s'; was another version of nlbsim at work?", path,
                row->cn);
    else
        rc = take(lab, row, cert, err);
    identity_unref(cert);
    return rc;
}

int lab_dir_load(struct cert_lab *lab, const char *dir, struct err *err)
{
    char marker[PATH_LEN];
    int rc = 0;

    snprintf(marker, sizeof marker, "%s/" LAB_DIR_MARKER, dir);
    if (access(marker, F_OK) != 0) {
        err_set(err, ERR_CONFIG, "%s: no certificate lab (no " LAB_DIR_MARKER " in it)", dir);
        return -1;
    }
    pthread_mutex_lock(&lab->lock);
    for (size_t i = 0; i < lab_n_authorities && rc == 0; i++) {
        if (!lab_authorities[i].nc_excludes_host) /* those are made anew for each host */
            rc = load_authority(lab, dir, &lab_authorities[i], err);
    }
    pthread_mutex_unlock(&lab->lock);
    return rc;
}
