/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab: revocation lists of its authorities. */
#include <stdlib.h>

#include "certs/lab/crl_write.h"
#include "certs/lab/lab_node.h"

#define CRL_DAYS 7 /* from this update to the next */

int cert_lab_crl(struct cert_lab *lab, const char *name, uint8_t **der, size_t *len,
                 struct err *err)
{
    struct crl_spec spec = {
        .md = MBEDTLS_MD_SHA256,
        .this_update_utc = lab->now_s,
        .next_update_utc = lab->now_s + CRL_DAYS * LAB_DAY_S,
        .number = 1,
    };
    struct cert_lab_item item; /* makes the authority, and says so when there is none */
    struct crl_entry *entries = NULL;
    const struct lab_node *ca;
    size_t room = 0;
    int rc = -1;

    if (cert_lab_authority(lab, name, NULL, &item, err) != 0)
        return -1;
    pthread_mutex_lock(&lab->lock);
    ca = lab_authority_node(lab, lab_authority_find(name), "", err);
    for (const struct lab_node *n = lab->first; n != NULL; n = n->next)
        room += n->revoked && n->issuer == ca;
    entries = calloc(room + 1, sizeof *entries);
    if (entries == NULL || ca == NULL) {
        err_set(err, ERR_NOMEM, "revocation list of %s", name);
        goto out;
    }
    for (const struct lab_node *n = lab->first; n != NULL; n = n->next) {
        if (n->revoked && n->issuer == ca)
            entries[spec.n_entries++] =
                (struct crl_entry){ .serial = der_span_of(n->serial, n->serial_len),
                                    .revoked_utc = lab->now_s - LAB_DAY_S,
                                    .reason = CRL_REASON_KEY_COMPROMISE };
    }
    spec.issuer = der_span_of(ca->der, ca->len);
    spec.key = ca->key;
    spec.entries = entries;
    rc = crl_write(&spec, mbedtls_hmac_drbg_random, &lab->blind, der, len, err);
out:
    pthread_mutex_unlock(&lab->lock);
    free(entries);
    return rc;
}
