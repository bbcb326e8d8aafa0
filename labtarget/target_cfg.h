/* SPDX-License-Identifier: Apache-2.0
 * [lab_target NAME] as configured: an embedded HTTP server. Constant after the checks. */
#ifndef LABTARGET_TARGET_CFG_H
#define LABTARGET_TARGET_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/store/identity_cfg.h"
#include "core/addr.h"
#include "core/cfg_key.h"

struct trust_store;
struct revocation_list;

enum lab_protocol { LAB_HTTP, LAB_HTTPS };
enum lab_client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_REQUEST, CLIENT_AUTH_REQUIRE };
enum lab_tls { LAB_TLS_1_2, LAB_TLS_1_3 };

struct lab_target_cfg {
    struct cfg_object obj;
    enum lab_protocol protocol; /* default LAB_HTTPS */
    struct addr listen;         /* default 127.0.0.1:0; port 0: pick a free one */
    /* HTTPS only */
    struct identity_cfg certificate;
    enum lab_client_auth client_auth;
    const char *client_ca; /* spec of a trust store; NULL: none (request: nothing checked) */
    struct trust_store *client_ca_store; /* loaded by the checks */
    const char *client_crl; /* spec of a revocation list; NULL: revocation is not looked at */
    struct revocation_list *client_revocation_list; /* loaded by the checks */
    enum lab_tls tls_min, tls_max;
    const char **ciphers; /* as written, in order; none: the library's default */
    uint16_t *suites;     /* their numbers; tls/tls_params.h */
    size_t n_ciphers;     /* of both */
    const char **alpn;    /* protocols in order of preference; none: ALPN off */
    size_t n_alpn;
    const char *fault; /* NULL: none */
};

extern const struct cfg_key lab_target_keys[];

/* A lab target as others see it. */
struct lab_target_info {
    const char *name;     /* of "[lab_target NAME]" */
    const char *protocol; /* "HTTP" or "HTTPS" */
    struct addr addr;     /* where it listens, with the port that was chosen */
};

#endif
