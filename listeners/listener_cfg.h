/* SPDX-License-Identifier: Apache-2.0
 * [listener NAME] as configured. Constant after the checks; owned by its struct nlb_config.
 *   source  NLB guide, "Listeners for your Network Load Balancers" */
#ifndef LISTENERS_LISTENER_CFG_H
#define LISTENERS_LISTENER_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/store/identity_cfg.h"
#include "core/addr.h"
#include "core/cfg_key.h"
#include "core/protocol.h"
#include "targets/target_group_cfg.h"

#define LISTENER_TLS_IDLE_MS 350000U /* fixed. Source: NLB guide, "Update the TCP idle timeout" */

struct policy;
struct alpn_policy;

/* One target group of the forward action. */
struct forward_cfg {
    const char *name;                     /* as written */
    const struct target_group_cfg *group; /* never NULL after the checks */
    unsigned weight;                      /* 0-999; 0 gets nothing; 1 when none is written */
    bool weighted;                        /* a weight is written */
    int line;
};

/* What a TLS listener does when a handshake fails: close_notify only, as s2n does, or the alert
 * that RFC 8446 names. What NLB does is unknown (docs/differences.md). */
enum tls_error { TLS_ERROR_CLOSE_NOTIFY, TLS_ERROR_ALERT };
/* The ALPN list offered to a TLS target: only the protocol chosen with the client, or the
 * listener's whole policy. Which one NLB uses is unknown; a report that HTTP/1.1 clients are served
 * beside HTTP/2 ones fits the former (https://github.com/nginx/nginx-gateway-fabric/issues/5224).
 */
enum alpn_target_offer { ALPN_OFFER_CHOSEN, ALPN_OFFER_POLICY };

/* The end of one direction of a TLS listener's flow: passed on while the other goes on, or the end
 * of both, as old s2n-tls took it (https://github.com/aws/s2n-tls/issues/598). NLB's is unknown. */
enum tls_half_close { TLS_HALF_CLOSE_RELAY, TLS_HALF_CLOSE_CLOSE };
/* AWS's last criterion among several certificates is "validity"; its direction is unknown. */
enum cert_validity { VALIDITY_LATEST_END, VALIDITY_LONGEST_PERIOD };

struct listener_cfg {
    struct cfg_object obj;
    enum protocol protocol;
    struct addr listen;           /* port 0: pick a free one */
    struct forward_cfg *forwards; /* at least one; the groups of a TLS listener share a protocol */
    size_t n_forwards;
    uint64_t idle_ms; /* TCP: the attribute, default 350 s; TLS: 350 s, fixed */

    /* TLS only; a TCP listener has none of these */
    struct identity_cfg *certificates; /* [0] is the default certificate, the rest the SNI list */
    size_t n_certificates;
    const char *ssl_policy;         /* as written; default ELBSecurityPolicy-2016-08 */
    const struct policy *policy;    /* the row of that name; listeners/policies.h */
    const char *alpn_policy;        /* as written; default "None" */
    const struct alpn_policy *alpn; /* the row of that name; listeners/alpn.h */
    enum alpn_target_offer alpn_target_offer;
    enum tls_error tls_error;
    enum tls_half_close tls_half_close;
    enum cert_validity certificate_validity;
    bool allow_unsupported_keys; /* serve RSA 4096 and other keys that NLB refuses */

    /* Spec of the trust store of the [integration] on this listener, whose client would validate
     * what the target presents; NULL: none names it, and lab:public is taken. */
    const char *judge_store;

    bool observe_tls;
    const char *zone; /* NULL: none given */
};

extern const struct cfg_key listener_keys[];

#endif
