/* SPDX-License-Identifier: Apache-2.0
 * [integration NAME] as configured: an API Gateway private integration and what is expected of it.
 * Constant after the checks. */
#ifndef VPCLINK_INTEGRATION_CFG_H
#define VPCLINK_INTEGRATION_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cfg_key.h"

enum expect_hop {
    EXPECT_HOP_ANY, /* not given */
    EXPECT_HOP_CALLER,
    EXPECT_HOP_LISTENER,
    EXPECT_HOP_TARGET,
    EXPECT_HOP_NETWORK,
    EXPECT_HOP_NONE
};
/* How a handshake that the peer breaks off is reported: execution failed due to a configuration
 * error (500), or a network error (504). */
enum handshake_break { HANDSHAKE_BREAK_CONFIGURATION, HANDSHAKE_BREAK_NETWORK };
enum wording { WORDING_CURRENT, WORDING_CLASSIC };

struct integration_cfg {
    struct cfg_object obj;
    const char *uri;      /* http:// or https:// with a host */
    const char *listener; /* the name of a listener of the file */
    bool insecure_skip_verification;
    bool skip_allows_plain_self_signed;
    const char *client_certificate; /* spec (certs/store.h); NULL: none */
    const char *trust_store;        /* spec of a store; default "lab:public" */
    enum handshake_break handshake_break;
    enum wording wording;
    const char *at;         /* the moment to judge at (clock_parse_utc); NULL: now */
    uint64_t requests;      /* default 1 */
    const char *expect;     /* "ok" or a part of the error; NULL: nothing expected */
    uint64_t expect_status; /* 0: not given */
    enum expect_hop expect_hop;
};

extern const struct cfg_key integration_keys[];

#endif
