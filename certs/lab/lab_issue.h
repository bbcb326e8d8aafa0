/* SPDX-License-Identifier: Apache-2.0
 * The certificate lab, for those who make more than one profile for one host: certificates by
 * flags, and slow keys made in the background. */
#ifndef CERTS_LAB_LAB_ISSUE_H
#define CERTS_LAB_LAB_ISSUE_H

#include "certs/lab/issue_cert.h"
#include "certs/lab/issue_key.h"
#include "certs/lab/lab.h"
#include "certs/lab/profiles.h"

/* Authorities get keys of this kind, unless their row asks for another one (P-256 is what a row
 * says that asks for none). Before the first certificate is issued. */
void cert_lab_set_authority_key(struct cert_lab *lab, enum issue_key_kind kind);

/* One certificate by flags. Of `cert`, everything but key, issuer, issuer_key and serial is the
 * caller's to fill in; serial_len 0 asks for a serial number of 16 octets. */
struct cert_lab_request {
    const char *label;     /* with a seed, decides key and serial number; no two are alike */
    const char *authority; /* signs it; NULL: self-signed */
    enum issue_key_kind key_kind;
    struct issue_cert cert;
};
/* `out->chain` is the leaf and its issuers, without the root. */
int cert_lab_issue_request(struct cert_lab *lab, const struct cert_lab_request *request,
                           struct cert_lab_item *out, struct err *err);

/* Make the slow keys (RSA) that these profiles need for this host on threads in the background, so
 * that later calls of cert_lab_issue() find them ready. Returns at once. */
int cert_lab_prepare(struct cert_lab *lab, const struct lab_profile *const *profiles, size_t n,
                     const char *host, struct err *err);

#endif
