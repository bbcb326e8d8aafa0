/* SPDX-License-Identifier: Apache-2.0
 * Load trust stores: lists of certificates without keys. */
#include "certs/store/trust_store.h"

#include <mbedtls/x509_crt.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/store/apigateway_authorities.h"
#include "certs/x509/file_kind.h"
#include "certs/x509/pem_file.h"

struct shared_store {
    struct trust_store pub; /* first: a struct trust_store * is a struct shared_store * */
    atomic_uint refs;
    mbedtls_x509_crt crt;
};

/* Where distributions keep the CA bundle, best known first. */
static const char *const system_stores[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Ubuntu, Arch: ca-certificates */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Red Hat */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* Alpine */
};

const char *trust_store_system(size_t i)
{
    return i < sizeof system_stores / sizeof system_stores[0] ? system_stores[i] : NULL;
}

static struct shared_store *shared_store_of(const struct trust_store *store)
{
    return (struct shared_store *)(uintptr_t)store; /* only the count behind it changes */
}

/* "lab:STORE", or "lab:PROFILE/HOST" for the leaf alone: pinning. */
static int load_lab_store(struct trust_store *b, struct cert_lab *lab, struct err *err)
{
    const char *name = strchr(b->spec, ':') + 1, *slash = strchr(name, '/');
    struct der_span anchors[CERT_LAB_CHAIN_MAX];
    struct cert_lab_item item;
    char profile[64];
    size_t n = 1;

    if (lab == NULL) {
        err_set(err, ERR_CONFIG, "'%.200s': there is no certificate lab here; give a PEM file",
                b->spec);
        return -1;
    }
    if (slash == NULL) {
        if (cert_lab_store(lab, name, anchors, &n, err) != 0)
            return -1;
    } else {
        if (cert_spec_check(b->spec, err) != 0) /* the profile is one of the table's names then */
            return -1;
        memcpy(profile, name, (size_t)(slash - name));
        profile[slash - name] = '\0';
        if (cert_lab_issue(lab, profile, slash + 1, &item, err) != 0)
            return -1;
        anchors[0] = item.chain[0];
    }
    for (size_t i = 0; i < n; i++) {
        if (cert_list_add_der(&b->list, anchors[i], err) != 0)
            return -1;
    }
    return 0;
}

static int load_store_file(struct cert_list *list, const char *path, struct err *err)
{
    size_t len = 0;
    char *text = pem_read(path, &len, err);
    int rc = -1;

    if (text != NULL)
        rc = cert_list_read(list, text, len, path, err);
    file_wipe(text, len);
    return rc;
}

/* The bundle that SSL_CERT_FILE names, as for OpenSSL, or the distribution's. */
static int load_system(struct cert_list *list, struct err *err)
{
    const char *named = getenv("SSL_CERT_FILE");

    if (named != NULL && named[0] != '\0')
        return load_store_file(list, named, err);
    for (size_t i = 0; i < sizeof system_stores / sizeof system_stores[0]; i++) {
        if (access(system_stores[i], R_OK) == 0)
            return load_store_file(list, system_stores[i], err);
    }
    err_set(err, ERR_ENVIRONMENT,
            "no CA bundle of this system was found (Debian: package ca-certificates)");
    return -1;
}

/* The machine's roots, by AWS's list. */
static int load_listed(struct trust_store *b, struct err *err)
{
    struct cert_list all = { 0 };
    int rc = 0;

    b->by_list = true;
    if (load_system(&all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.n && rc == 0; i++) {
        bool listed = apigateway_authority_of(all.at[i]) != NULL;

        rc = cert_list_take(listed ? &b->list : &b->left_out, all.at[i], err);
        if (rc == 0)
            all.at[i] = NULL;
    }
    cert_list_clear(&all);
    return rc;
}

static int load(struct trust_store *b, const char *base_dir, struct cert_lab *lab, struct err *err)
{
    const char *no_file;
    char *path;
    int rc;

    if (cert_spec_is_lab(b->spec))
        return load_lab_store(b, lab, err);
    if (strcmp(b->spec, "system") == 0)
        return load_system(&b->list, err);
    if (strcmp(b->spec, "apigateway") == 0)
        return load_listed(b, err);
    no_file = file_kind_of_name(b->spec);
    if (no_file != NULL) {
        err_set(err, ERR_CONFIG, "'%.200s' %s", b->spec, no_file);
        return -1;
    }
    path = pem_path(base_dir, b->spec);
    if (path == NULL) {
        err_set(err, ERR_NOMEM, "%s", b->spec);
        return -1;
    }
    rc = load_store_file(&b->list, path, err);
    free(path);
    return rc;
}

struct trust_store *trust_store_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                                     struct err *err)
{
    struct shared_store *b = calloc(1, sizeof *b);
    size_t readable = 0;

    if (b == NULL || (b->pub.spec = strdup(spec)) == NULL) {
        err_set(err, ERR_NOMEM, "trust store %s", spec);
        free(b);
        return NULL;
    }
    atomic_init(&b->refs, 1);
    mbedtls_x509_crt_init(&b->crt);
    if (load(&b->pub, base_dir, lab, err) != 0) {
        trust_store_unref(&b->pub);
        return NULL;
    }
    for (size_t i = 0; i < b->pub.list.n; i++) {
        struct der_span der = b->pub.list.at[i]->der;

        readable += mbedtls_x509_crt_parse_der(&b->crt, der.at, der.len) == 0;
    }
    b->pub.crt = readable > 0 ? &b->crt : NULL;
    return &b->pub;
}

void trust_store_unref(const struct trust_store *store)
{
    struct shared_store *b = shared_store_of(store);

    if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    mbedtls_x509_crt_free(&b->crt);
    cert_list_clear(&b->pub.list);
    cert_list_clear(&b->pub.left_out);
    free(b->pub.spec);
    free(b);
}
