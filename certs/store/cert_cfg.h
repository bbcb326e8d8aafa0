/* SPDX-License-Identifier: Apache-2.0
 * A certificate as a configuration names it. */
#ifndef CERTS_STORE_CERT_CFG_H
#define CERTS_STORE_CERT_CFG_H

struct cert;

struct cert_cfg {
    const char *spec; /* "api.pem" or "lab:PROFILE/HOST", as written; see certs/store/identity.h */
    int line;         /* of the INI file */
    const struct cert *cert; /* loaded by the checks; NULL when they were told not to load */
};

#endif
