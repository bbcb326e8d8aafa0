/* SPDX-License-Identifier: Apache-2.0
 * Lists of revoked certificates: a file, or what an authority of the lab would publish now. */
#ifndef CERTS_STORE_REVOCATION_LIST_H
#define CERTS_STORE_REVOCATION_LIST_H

#include "certs/store/cert_spec.h"
#include "core/err.h"

struct cert_lab; /* certs/lab/lab.h */

/* For mbedtls_ssl_conf_ca_chain(). */
struct revocation_list;
struct mbedtls_x509_crl; /* mbedtls/x509_crl.h */

/*
 * Load revocation lists.
 *   spec      a PEM (or DER) file, or "lab:PROFILE/HOST": the list of the authority that issued
 *             that certificate; a profile whose flaw is to be revoked is on it
 *   returns   NULL with the reason in `err`
 */
struct revocation_list *revocation_list_load(const char *spec, const char *base_dir,
                                             struct cert_lab *lab, struct err *err);
void revocation_list_free(struct revocation_list *crl);
struct mbedtls_x509_crl *
revocation_list_mbedtls(const struct revocation_list *crl); /* NULL of NULL */

#endif
