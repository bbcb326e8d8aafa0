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
    EXPECT_HOP_GATEWAY, /* its own configuration: the uri, the link */
    EXPECT_HOP_NONE
};
/* How a handshake that the peer breaks off is reported: execution failed due to a configuration
 * error (500), or a network error (504). */
enum handshake_break { HANDSHAKE_BREAK_CONFIGURATION, HANDSHAKE_BREAK_NETWORK };
enum wording { WORDING_CURRENT, WORDING_CLASSIC };

/* The kind of API: an HTTP API verifies server_name_to_verify, knows no skip flag and no stage
 * certificate. */
enum api_type { API_REST, API_HTTP };
/* VPC_LINK goes to the listener; INTERNET resolves the host of the URI. */
enum connection_type { CONNECTION_VPC_LINK, CONNECTION_INTERNET };
/* What stands between the link and the listener. Sources with the rows of vpclink/blocked.def. */
enum blocked_by {
#define BLOCKED(id, name, what, remedy, source) BLOCKED_##id,
#include "vpclink/blocked.def"
#undef BLOCKED
};
enum evidence { EVIDENCE_NONE, EVIDENCE_DOCUMENTED, EVIDENCE_REPORTED, EVIDENCE_INFERRED };

struct integration_cfg {
    struct cfg_object obj;
    const char *uri;      /* http:// or https:// with a host */
    const char *listener; /* the name of a listener of the file */
    bool insecure_skip_verification;
    bool skip_allows_plain_self_signed;
    const char *client_certificate; /* spec (certs/store/identity.h); NULL: none */
    const char *trust_store;        /* spec of a store; default "lab:public" */
    enum handshake_break handshake_break;
    enum wording wording;
    const char *at;            /* the moment to judge at (clock_parse_utc); NULL: now */
    uint64_t requests;         /* default 1 */
    bool reuse_connections;    /* default true: further requests use the kept connection */
    uint64_t keep_idle_ms;     /* a kept connection is closed after so long; 0: never */
    uint64_t pause_ms;         /* between requests */
    uint64_t timeout_ms;       /* timeoutInMillis; default 29000, of an HTTP API 30000 */
    uint64_t timeout_quota_ms; /* REST: the highest that the account may ask for */
    enum api_type api_type;
    enum connection_type connection_type;
    const char *server_name_to_verify; /* HTTP APIs; NULL: no tlsConfig */
    enum blocked_by blocked_by;

    const char *title;       /* what the scenario is about; NULL: none */
    const char *source;      /* what the expectation rests on */
    enum evidence evidence;  /* how well it is known */
    const char *not_acted;   /* why it is only listed; NULL: it is acted out */
    const char *expect;      /* "ok" or a part of the error; NULL: nothing expected */
    const char *also_expect; /* the other outcome that some of the requests must have; NULL: none */
    uint64_t expect_status;  /* 0: not given */
    enum expect_hop expect_hop;
};

#define HTTP_API_TIMEOUT_MAX_MS 30000U /* http-api-quotas.html of the guide; cannot be raised */

extern const struct cfg_key integration_keys[];

#endif
