/* SPDX-License-Identifier: Apache-2.0
 * Load revocation lists: from a file, or as an authority of the lab would publish it now. */
#include "certs/store/revocation_list.h"

#include <mbedtls/x509_crl.h>
#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab.h"
#include "certs/lab/profiles.h"
#include "certs/x509/pem_file.h"

struct revocation_list {
    mbedtls_x509_crl list;
};

/* The list of the authority behind "lab:PROFILE/HOST"; the certificate is issued first, so that it
 * is on the list if it is to be. */
static int load_lab_crl(struct revocation_list *crl, const char *spec, struct cert_lab *lab,
                        struct err *err)
{
    const char *name = strchr(spec, ':') + 1, *slash = strchr(name, '/');
    const struct lab_profile *row;
    struct cert_lab_item item;
    char profile[64];
    uint8_t *der;
    size_t len;
    int rc;

    if (cert_spec_check(spec, err) != 0) /* the profile is one of the table's names then */
        return -1;
    memcpy(profile, name, (size_t)(slash - name));
    profile[slash - name] = '\0';
    row = lab_profile_find(profile, err);
    if (lab == NULL || strcmp(lab_profile_issuer(row), "leaf") == 0) {
        err_set(err, ERR_CONFIG,
                lab == NULL ? "'%.200s': there is no certificate lab here; give a PEM file"
                            : "'%.200s' is self-signed: no authority publishes a list for it",
                spec);
        return -1;
    }
    if (cert_lab_issue(lab, profile, slash + 1, &item, err) != 0 ||
        cert_lab_crl(lab, lab_profile_issuer(row), &der, &len, err) != 0)
        return -1;
    rc = mbedtls_x509_crl_parse_der(&crl->list, der, len);
    free(der);
    if (rc != 0)
        err_set(err, ERR_CRYPTO, "%s: revocation list: mbedTLS -0x%04x", spec, (unsigned)-rc);
    return rc;
}

static int load_crl_file(struct revocation_list *crl, const char *spec, const char *base_dir,
                         struct err *err)
{
    char *path = pem_path(base_dir, spec), *text = NULL, reason[192];
    size_t len = 0;
    int rc = -1;

    if (path == NULL) {
        err_set(err, ERR_NOMEM, "%s", spec);
        return -1;
    }
    text = pem_read(path, &len, err);
    if (text != NULL) {
        rc = mbedtls_x509_crl_parse(&crl->list, (const unsigned char *)text, len + 1);
        if (rc != 0)
            err_set(err, ERR_CONFIG, "%s: the revocation list %s", path,
                    pem_reason(rc, reason, sizeof reason));
    }
    file_wipe(text, len);
    free(path);
    return rc;
}

struct revocation_list *revocation_list_load(const char *spec, const char *base_dir,
                                             struct cert_lab *lab, struct err *err)
{
    struct revocation_list *crl = calloc(1, sizeof *crl);

    if (crl == NULL) {
        err_set(err, ERR_NOMEM, "%s", spec);
        return NULL;
    }
    mbedtls_x509_crl_init(&crl->list);
    if ((cert_spec_is_lab(spec) ? load_lab_crl(crl, spec, lab, err)
                                : load_crl_file(crl, spec, base_dir, err)) == 0)
        return crl;
    revocation_list_free(crl);
    return NULL;
}

void revocation_list_free(struct revocation_list *crl)
{
    if (crl == NULL)
        return;
    mbedtls_x509_crl_free(&crl->list);
    free(crl);
}

struct mbedtls_x509_crl *revocation_list_mbedtls(const struct revocation_list *crl)
{
    /* mbedTLS only reads it, but takes it without const. */
    return crl == NULL ? NULL : (struct mbedtls_x509_crl *)(uintptr_t)&crl->list;
}
