/* SPDX-License-Identifier: Apache-2.0
 * A certificate as a configuration names it. */
#ifndef CERTS_STORE_IDENTITY_CFG_H
#define CERTS_STORE_IDENTITY_CFG_H

struct identity;

struct identity_cfg {
    const char *spec; /* "api.pem" or "lab:PROFILE/HOST", as written; see certs/store/identity.h */
    int line;         /* of the INI file */
    const struct identity
        *identity; /* loaded by the checks; NULL when they were told not to load */
};

#endif
