/* SPDX-License-Identifier: Apache-2.0
 * Facts of certificates and revocation lists as JSON, for `nlbsim cert show` and the like. */
#ifndef CERTS_AUDIT_DESCRIBE_H
#define CERTS_AUDIT_DESCRIBE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/parse.h"

/* One certificate; a new reference, NULL without memory. Field names: docs/lab.md. */
json_t *cert_describe(const struct cert_facts *facts, int64_t now_s);
/* Whole days from `now_s` until a certificate ends; negative when it has. */
int64_t cert_days_left(const struct cert_facts *facts, int64_t now_s);
/* "api.example.com" for people: the last CN of the subject, or the whole subject, or "(empty)". */
const char *cert_short_name(const struct cert_facts *facts, char *out, size_t size);

/* A revocation list in PEM or DER (`len` without the terminating NUL that must follow); NULL with
 * the reason in `err`. */
json_t *crl_describe(const char *text, size_t len, const char *what, struct err *err);

/* The chain that a client would build from `presented` and `anchors` (may be NULL), by names and
 * key identifiers alone; whether the signatures are right is for certs/judge/trust.c to say. path
 * from the leaf upwards; room for CERT_PATH_MAX from  0 for a presented certificate, 1 for an
 * anchor */
#define CERT_PATH_MAX 16
struct cert_path {
    const struct cert_facts *at[CERT_PATH_MAX];
    int from_anchors[CERT_PATH_MAX];
    size_t n;
    bool complete; /* ends in an anchor, or without anchors in a self-issued certificate */
};
void cert_path_build(const struct cert_list *presented, const struct cert_list *anchors,
                     struct cert_path *path);
/* Did `issuer` issue `subject`, by name and key identifier? */
bool cert_names_issuer(const struct cert_facts *subject, const struct cert_facts *issuer);

#endif
