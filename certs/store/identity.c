/* SPDX-License-Identifier: Apache-2.0
 * Load certificates with their keys, check that they belong together, share them. */
#include "certs/store/identity.h"

#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/x509_crt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/lab/issue_key.h"
#include "certs/lab/lab.h"
#include "certs/lab/profiles.h"
#include "certs/x509/file_kind.h"
#include "certs/x509/pem_file.h"
#include "core/bytes.h"
#include "tls/mbedtls_private.h"
#include "tls/openssl_own.h"

#define KEY_DER_MAX 8192

struct shared_identity {
    struct identity pub; /* first: a struct identity * is a struct shared_identity * */
    atomic_uint refs;
    mbedtls_x509_crt crt;
    mbedtls_pk_context key;
    struct openssl_own_slot openssl;
};

static struct shared_identity *shared_of(const struct identity *cert)
{
    return (struct shared_identity *)(uintptr_t)cert; /* only the count behind it changes */
}

static int accept_extension(void *ctx, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid,
                            int critical, const unsigned char *p, const unsigned char *end)
{
    (void)ctx, (void)crt, (void)oid, (void)critical, (void)p, (void)end;
    return 0;
}

/* Parse for presenting: an odd extension is a fault to reproduce, not one to refuse. */
static int parse_for_mbedtls(mbedtls_x509_crt *crt, struct der_span der)
{
    return mbedtls_x509_crt_parse_der_with_ext_cb(crt, der.at, der.len, 1, accept_extension, NULL);
}

/* --- from the lab --- */

/* The certificate outlives the lab, so it gets a copy of the key. */
static int copy_key(mbedtls_pk_context *to, mbedtls_pk_context *from)
{
    unsigned char der[KEY_DER_MAX];
    int n = mbedtls_pk_write_key_der(from, der, sizeof der), rc = n;

    if (n > 0)
        rc = mbedtls_pk_parse_key(to, der + sizeof der - (size_t)n, (size_t)n, NULL, 0, NULL, NULL);
    mbedtls_platform_zeroize(der, sizeof der);
    return rc;
}

int identity_copy_key(mbedtls_pk_context *key, const struct identity *cert, struct err *err)
{
    int rc = copy_key(key, cert->key);

    if (rc == 0)
        return 0;
    err_set(err, ERR_CRYPTO, "%s: key: mbedTLS -0x%04x", cert->spec, (unsigned)-rc);
    return -1;
}

static int load_lab_identity(struct shared_identity *c, struct cert_lab *lab, struct err *err)
{
    struct cert_lab_item item;
    char profile[64];
    const char *host = cert_spec_split(c->pub.spec, profile, sizeof profile, err);
    int rc;

    if (host == NULL)
        return -1;
    if (lab == NULL) {
        err_set(err, ERR_CONFIG, "'%.200s': there is no certificate lab here; give a PEM file",
                c->pub.spec);
        return -1;
    }
    if (cert_lab_issue(lab, profile, host, &item, err) != 0)
        return -1;
    for (size_t i = 0; i < item.chain_len; i++) {
        if (cert_list_add_der(&c->pub.chain, item.chain[i], err) != 0)
            return -1;
    }
    rc = copy_key(&c->key, item.key);
    if (rc != 0)
        err_set(err, ERR_CRYPTO, "%s: key: mbedTLS -0x%04x", c->pub.spec, (unsigned)-rc);
    return rc;
}

/* --- from files --- */

char *identity_key_beside(const char *path)
{
    size_t n = strlen(path);
    bool pem = n > 4 && (strcmp(path + n - 4, ".pem") == 0 || strcmp(path + n - 4, ".crt") == 0);
    char *key = NULL;

    return asprintf(&key, "%.*s.key", (int)(pem ? n - 4 : n), path) < 0 ? NULL : key;
}

static int parse_key(struct shared_identity *c, const char *path, const char *text, size_t len,
                     struct err *err)
{
    char reason[512];
    const char *why;
    struct stat st;
    int rc =
        mbedtls_pk_parse_key(&c->key, (const unsigned char *)text, len + 1, NULL, 0, NULL, NULL);

    if (rc == 0) {
        c->pub.key_path = strdup(path);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
            c->pub.key_mode = st.st_mode & 0777;
        if (c->pub.key_path != NULL)
            return 0;
        err_set(err, ERR_NOMEM, "%s", path);
        return -1;
    }
    why = file_kind_of_key(path, text, reason, sizeof reason);
    err_set(err, ERR_CONFIG, "%s: the private key %s", path,
            why != NULL ? why : pem_reason(rc, reason, sizeof reason));
    return -1;
}

static int load_key_from(struct shared_identity *c, const char *path, struct err *err)
{
    size_t len = 0;
    char *text = pem_read(path, &len, err);
    int rc = text == NULL ? -1 : parse_key(c, path, text, len, err);

    file_wipe(text, len);
    return rc;
}

static int load_key_beside(struct shared_identity *c, const char *path, struct err *err)
{
    char *beside = identity_key_beside(path);
    size_t n;
    int rc;

    if (beside == NULL) {
        err_set(err, ERR_NOMEM, "%s", path);
        return -1;
    }
    rc = load_key_from(c, beside, err);
    if (rc != 0 && access(beside, R_OK) != 0) {
        err_prefix(err, "%s holds no private key, so it is looked for beside it", path);
        n = strlen(err->text);
        snprintf(err->text + n, sizeof err->text - n,
                 "; name a key that is elsewhere behind it: certificate = CERT.pem KEY.pem");
    }
    free(beside);
    return rc;
}

static int check_pair(const struct shared_identity *c, const char *path, struct err *err)
{
    /* The random numbers only blind the check. */
    mbedtls_hmac_drbg_context rng;
    int rc;

    if (issue_rng_init(&rng, NULL, "key check", err) != 0)
        return -1;
    rc = mbedtls_pk_check_pair(&c->crt.pk, &c->key, mbedtls_hmac_drbg_random, &rng);
    issue_rng_free(&rng);
    if (rc == 0)
        return 0;
    err_set(err, ERR_CONFIG,
            "%s: the private key does not belong to the first certificate of the file", path);
    return -1;
}

/* "cert.pem key.pem": two files. The blank is the one behind which something is there; a name that
 * is there as it stands may have blanks of its own. */
static int split_pair(const char *base_dir, char *spec, char **key, struct err *err)
{
    char *path = pem_path(base_dir, spec), *first = NULL;
    bool whole = path == NULL || access(path, F_OK) == 0;

    free(path);
    *key = NULL;
    for (char *at = whole ? NULL : strchr(spec, ' '); at != NULL; at = strchr(at + 1, ' ')) {
        *at = '\0';
        first = pem_path(base_dir, spec);
        if (first != NULL && access(first, F_OK) == 0) {
            free(first);
            *key = pem_path(base_dir, at + 1 + strspn(at + 1, " "));
            if (*key != NULL)
                return 0;
            err_set(err, ERR_NOMEM, "%s", spec);
            return -1;
        }
        free(first);
        *at = ' ';
    }
    return 0;
}

static int load_text(struct shared_identity *c, const char *path, const char *text, size_t len,
                     const char *key, struct err *err)
{
    if (cert_list_read(&c->pub.chain, text, len, path, err) != 0)
        return -1;
    if (key != NULL)
        return load_key_from(c, key, err);
    return strstr(text, "PRIVATE KEY-----") != NULL ? parse_key(c, path, text, len, err)
                                                    : load_key_beside(c, path, err);
}

static int load_named(struct shared_identity *c, const char *path, const char *key, struct err *err)
{
    size_t len = 0;
    char *text = pem_read(path, &len, err);
    int rc = text == NULL ? -1 : load_text(c, path, text, len, key, err);

    file_wipe(text, len);
    return rc;
}

static int load_identity_file(struct shared_identity *c, const char *key, const char *base_dir,
                              struct err *err)
{
    const char *no_file = file_kind_of_name(c->pub.spec);
    char *spec, *path = NULL, *second = NULL;
    int rc = -1;

    if (no_file != NULL) {
        err_set(err, ERR_CONFIG, "'%.200s' %s", c->pub.spec, no_file);
        return -1;
    }
    spec = strdup(c->pub.spec);
    if (spec == NULL)
        err_set(err, ERR_NOMEM, "%s", c->pub.spec);
    else if (split_pair(base_dir, spec, &second, err) == 0 &&
             (path = pem_path(base_dir, spec)) != NULL)
        rc = load_named(c, path, key != NULL ? key : second, err);
    free(second);
    free(path);
    free(spec);
    return rc;
}

/* --- both --- */

static void make_id(struct identity *c)
{
    uuid_text(c->leaf->sha256, c->id);
}

static int make_crt(struct shared_identity *c, struct err *err)
{
    char reason[192];

    for (size_t i = 0; i < c->pub.chain.n; i++) {
        int rc = parse_for_mbedtls(&c->crt, c->pub.chain.at[i]->der);

        if (rc != 0) {
            err_set(err, ERR_CONFIG, "%s: certificate %zu of %zu %s%s%s", c->pub.spec, i + 1,
                    c->pub.chain.n, pem_reason(rc, reason, sizeof reason),
                    c->pub.chain.at[i]->refusal[0] != '\0' ? "; a JDK says " : "",
                    c->pub.chain.at[i]->refusal);
            return -1;
        }
    }
    tls_private_allow_any_usage(&c->crt);
    return 0;
}

struct identity *identity_load(const char *spec, const char *base_dir, struct cert_lab *lab,
                               struct err *err)
{
    return identity_load_with_key(spec, NULL, base_dir, lab, err);
}

static struct shared_identity *new_shared(const char *spec, struct err *err)
{
    struct shared_identity *c = calloc(1, sizeof *c);

    if (c == NULL || (c->pub.spec = strdup(spec)) == NULL) {
        err_set(err, ERR_NOMEM, "certificate %s", spec);
        free(c);
        return NULL;
    }
    atomic_init(&c->refs, 1);
    mbedtls_x509_crt_init(&c->crt);
    mbedtls_pk_init(&c->key);
    return c;
}

/* With chain and key loaded (`rc` 0), everything else; `files`: do they belong together? */
static struct identity *finish_shared(struct shared_identity *c, int rc, bool files,
                                      struct err *err)
{
    if (rc != 0 || make_crt(c, err) != 0 || (files && check_pair(c, c->pub.spec, err) != 0)) {
        identity_unref(&c->pub);
        return NULL;
    }
    c->pub.leaf = c->pub.chain.at[0];
    c->pub.crt = &c->crt;
    c->pub.key = &c->key;
    make_id(&c->pub);
    return &c->pub;
}

struct identity *identity_load_with_key(const char *spec, const char *key, const char *base_dir,
                                        struct cert_lab *lab, struct err *err)
{
    struct shared_identity *c = new_shared(spec, err);
    bool from_lab = cert_spec_is_lab(spec);

    if (c == NULL)
        return NULL;
    return finish_shared(
        c, from_lab ? load_lab_identity(c, lab, err) : load_identity_file(c, key, base_dir, err),
        !from_lab, err);
}

struct identity *identity_load_text(const char *path, const char *text, size_t len, struct err *err)
{
    struct shared_identity *c = new_shared(path, err);

    return c == NULL ? NULL : finish_shared(c, load_text(c, path, text, len, NULL, err), true, err);
}

struct tls_identity identity_to_present(const struct identity *cert)
{
    return (struct tls_identity){ cert->crt, cert->key, &shared_of(cert)->openssl };
}

void identity_unref(const struct identity *cert)
{
    struct shared_identity *c = shared_of(cert);

    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    openssl_own_slot_clear(&c->openssl);
    mbedtls_pk_free(&c->key); /* wipes */
    mbedtls_x509_crt_free(&c->crt);
    cert_list_clear(&c->pub.chain);
    free(c->pub.key_path);
    free(c->pub.spec);
    free(c);
}
