/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab: profiles for hosts, certificates by flags, keys made ahead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab_issue.h"
#include "certs/lab/lab_node.h"

#define LEAF_FROM      (-1) /* days; where the row gives no dates */
#define LEAF_TO        198  /* as long as a public certificate may live in 2026 */
#define STAGE_SERIAL   8    /* octets; decoded from real stage certificates, apigateway.md 6.2 */
#define STAGE_SUBJECT  "C=US,L=Seattle,CN=ApiGateway"
#define COMMON_NAME_UB 64 /* RFC 5280, ub-common-name: longer hosts are named in the SAN only */

/* The names of a subjectAltName, and what they are kept in. */
struct name_list {
    const char **names;
    size_t n;
    char *text;
};

static void name_list_clear(struct name_list *list)
{
    free(list->names);
    free(list->text);
}

/* What follows the first `labels` labels of a host, from the dot on; ".HOST" when it is short. */
static const char *after_labels(const char *host, unsigned labels)
{
    const char *p = host;

    for (unsigned i = 0; i < labels && p != NULL; i++)
        p = strchr(i == 0 ? p : p + 1, '.');
    return p;
}

static size_t wanted_names(const struct lab_profile *p)
{
    switch (p->names) {
    case LAB_NAMES_NONE:
        return 0;
    case LAB_NAMES_1000:
        return 1000;
    case LAB_NAMES_10000:
        return 10000;
    case LAB_NAMES_ADDRESS:
        return 2;
    case LAB_NAMES_HOST:
    case LAB_NAMES_OTHER:
    case LAB_NAMES_WILDCARD:
    case LAB_NAMES_WILDCARD_DEEP:
        return 1;
    }
    return 0;
}

static void write_name(const struct lab_profile *p, const char *host, size_t i, char *out,
                       size_t size)
{
    const char *rest = NULL;

    switch (p->names) {
    case LAB_NAMES_HOST:
    case LAB_NAMES_NONE:
        snprintf(out, size, "%s", host);
        break;
    case LAB_NAMES_OTHER:
        snprintf(out, size, "%s", LAB_OTHER_HOST);
        break;
    case LAB_NAMES_WILDCARD:
    case LAB_NAMES_WILDCARD_DEEP:
        rest = after_labels(host, p->names == LAB_NAMES_WILDCARD ? 1 : 2);
        snprintf(out, size, "*%s%s", rest != NULL ? "" : ".", rest != NULL ? rest : host);
        break;
    case LAB_NAMES_ADDRESS:
        snprintf(out, size, "%s", i == 0 ? "127.0.0.1" : "::1");
        break;
    case LAB_NAMES_1000:
    case LAB_NAMES_10000:
        if (i == 0)
            snprintf(out, size, "%s", host);
        else
            snprintf(out, size, "name-%05zu.example.com", i);
        break;
    }
}

static int make_names(const struct lab_profile *p, const char *host, struct name_list *list,
                      struct err *err)
{
    size_t each = LAB_HOST_MAX + 3;

    memset(list, 0, sizeof *list);
    list->n = wanted_names(p);
    if (list->n == 0)
        return 0;
    list->names = calloc(list->n, sizeof *list->names);
    list->text = calloc(list->n, each);
    if (list->names == NULL || list->text == NULL) {
        err_set(err, ERR_NOMEM, "names of profile %s", p->name);
        name_list_clear(list);
        return -1;
    }
    for (size_t i = 0; i < list->n; i++) {
        list->names[i] = list->text + i * each;
        write_name(p, host, i, list->text + i * each, each);
    }
    return 0;
}

static void make_subject(const struct lab_profile *p, const char *host, char *out, size_t size)
{
    const char *cn = p->subject == LAB_SUBJECT_HOST    ? host
                     : p->subject == LAB_SUBJECT_OTHER ? LAB_OTHER_HOST
                                                       : NULL;

    snprintf(out, size, "%s",
             p->subject == LAB_SUBJECT_NONE    ? ""
             : p->subject == LAB_SUBJECT_STAGE ? STAGE_SUBJECT
                                               : LAB_SUBJECT_BASE);
    if (cn != NULL && (strlen(cn) <= COMMON_NAME_UB || p->names == LAB_NAMES_NONE))
        (void)issue_name_add(out, size, "CN", cn);
}

static unsigned leaf_usage(const struct lab_profile *p, enum issue_key_kind key)
{
    if (p->usage != 0)
        return p->usage & ~LAB_USAGE_NONE;
    return MBEDTLS_X509_KU_DIGITAL_SIGNATURE |
           (issue_key_is_slow(key) ? MBEDTLS_X509_KU_KEY_ENCIPHERMENT : 0U);
}

static void leaf_label(const struct lab_profile *p, const char *host, char label[LAB_LABEL_MAX])
{
    snprintf(label, LAB_LABEL_MAX, "leaf %s/%s", p->name, host);
}

static void leaf_key_label(const struct lab_profile *p, const char *host, char label[LAB_LABEL_MAX])
{
    snprintf(label, LAB_LABEL_MAX, "leaf %s/%s", p->key_of != NULL ? p->key_of : p->name, host);
}

static struct lab_node *new_leaf(struct cert_lab *lab, const struct lab_profile *p,
                                 const char *label, const char *host, struct err *err)
{
    char subject[LAB_SUBJECT_MAX], key_label[LAB_LABEL_MAX];
    struct lab_node *issuer = NULL, *n = NULL;
    struct name_list names;
    bool own_dates = p->from_days != 0 || p->to_days != 0;
    struct issue_cert c = {
        .subject = subject,
        .md = p->md != MBEDTLS_MD_NONE ? p->md : MBEDTLS_MD_SHA256,
        .serial_len = p->short_serial ? STAGE_SERIAL : ISSUE_SERIAL_LEN,
        .not_before_utc = lab->now_s + LAB_DAY_S * (own_dates ? p->from_days : LEAF_FROM),
        .not_after_utc = lab->now_s + LAB_DAY_S * (own_dates ? p->to_days : LEAF_TO),
        .bare = p->bare,
        .basic = p->basic == LAB_BASIC_NONE ? ISSUE_BASIC_NONE
                 : p->basic == LAB_BASIC_CA ? ISSUE_BASIC_CA
                                            : ISSUE_BASIC_NOT_CA,
        .path_len = -1,
        .usage = leaf_usage(p, p->key),
        .eku = p->eku != ISSUE_EKU_NONE ? p->eku
               : p->side == LAB_SERVER  ? ISSUE_EKU_SERVER
                                        : ISSUE_EKU_CLIENT,
        .key_ids = true,
        .unknown_critical = p->unknown_critical,
        .ev_policy = p->ev_policy,
        .v1 = p->v1,
        .bad_signature = p->bad_signature,
    };

    if (strcmp(lab_profile_issuer(p), "leaf") != 0) {
        issuer = lab_authority_node(lab, lab_authority_find(lab_profile_issuer(p)), host, err);
        if (issuer == NULL)
            return NULL;
    }
    make_subject(p, host, subject, sizeof subject);
    leaf_key_label(p, host, key_label);
    if (make_names(p, host, &names, err) != 0)
        return NULL;
    c.names = names.names;
    c.n_names = names.n;
    n = lab_node_add(lab, label, key_label, issuer, p->key, &c, err);
    if (n != NULL)
        n->revoked = p->revoked;
    name_list_clear(&names);
    return n;
}

/* The chain of a profile as its row spells it. Called with the lock held. */
static int put_chain(struct cert_lab *lab, const struct lab_profile *p, const char *host,
                     const struct lab_node *leaf, struct cert_lab_item *out, struct err *err)
{
    const char *words[LAB_WORDS_MAX];
    char buf[256];
    size_t n = lab_profile_chain(p, buf, sizeof buf, words);

    lab_item_fill(out, leaf); /* for the key and the root */
    out->chain_len = 0;
    for (size_t i = 0; i < n; i++) {
        const struct lab_node *node = leaf;

        if (strcmp(words[i], "leaf") != 0)
            node = lab_authority_node(lab, lab_authority_find(words[i]), host, err);
        if (node == NULL)
            return -1;
        lab_item_put(out, node);
    }
    return 0;
}

int cert_lab_issue(struct cert_lab *lab, const char *profile, const char *host,
                   struct cert_lab_item *out, struct err *err)
{
    const struct lab_profile *p = lab_profile_find(profile, err);
    char label[LAB_LABEL_MAX];
    struct lab_node *leaf;
    int rc = -1;

    if (p == NULL || lab_host_check(host, err) != 0)
        return -1;
    leaf_label(p, host, label);
    pthread_mutex_lock(&lab->lock);
    leaf = lab_node_find(lab, label);
    if (leaf == NULL)
        leaf = new_leaf(lab, p, label, host, err);
    if (leaf != NULL)
        rc = put_chain(lab, p, host, leaf, out, err);
    pthread_mutex_unlock(&lab->lock);
    return rc;
}

int cert_lab_issue_request(struct cert_lab *lab, const struct cert_lab_request *request,
                           struct cert_lab_item *out, struct err *err)
{
    const struct lab_authority *row = NULL;
    struct issue_cert c = request->cert;
    struct lab_node *issuer = NULL, *n = NULL;
    char label[LAB_LABEL_MAX];

    if (request->authority != NULL && (row = lab_authority_find(request->authority)) == NULL) {
        err_set(err, ERR_CONFIG, "no lab authority '%.60s' ('nlbsim lab --list' shows all)",
                request->authority);
        return -1;
    }
    snprintf(label, sizeof label, "request %s", request->label);
    pthread_mutex_lock(&lab->lock);
    if (row != NULL)
        issuer = lab_authority_node(lab, row, "", err);
    if (lab_node_find(lab, label) != NULL)
        err_set(err, ERR_BUG, "lab request '%s' came twice", request->label);
    else if (row == NULL || issuer != NULL)
        n = lab_node_add(lab, label, label, issuer, request->key_kind, &c, err);
    pthread_mutex_unlock(&lab->lock);
    if (n == NULL)
        return -1;
    lab_item_fill(out, n);
    return 0;
}

int cert_lab_prepare(struct cert_lab *lab, const struct lab_profile *const *profiles, size_t n,
                     const char *host, struct err *err)
{
    char label[LAB_LABEL_MAX];

    for (size_t i = 0; i < n; i++) {
        const struct lab_profile *p = profiles[i];
        const struct lab_authority *a = lab_authority_find(lab_profile_issuer(p));

        leaf_key_label(p, host, label);
        if (issue_key_is_slow(p->key) && key_pool_want(lab->keys, p->key, label, err) != 0)
            return -1;
        for (; a != NULL; a = a->issuer != NULL ? lab_authority_find(a->issuer) : NULL) {
            enum issue_key_kind kind = lab_authority_key(lab, a);

            lab_authority_label(a, host, label);
            if (issue_key_is_slow(kind) && key_pool_want(lab->keys, kind, label, err) != 0)
                return -1;
        }
    }
    return key_pool_start(lab->keys, err);
}
