/* SPDX-License-Identifier: Apache-2.0
 * The back hop: a connection to a target, with TLS for TLS groups. Nothing about the target is
 * verified: not its chain, its name or its dates (NLB guide, "Target groups for your Network Load
 * Balancers"); no SNI is sent (user reports: github.com/istio/istio, issues 22795
 * and 35420; github.com/cilium/cilium, issue 40966). What the target presents is
 * recorded all the same. */
#ifndef TARGETS_BACK_H
#define TARGETS_BACK_H

#include <stddef.h>

#include "core/err.h"
#include "observe/record.h"
#include "targets/target_group.h"
#include "tls/hop.h"
#include "tls/tls_can.h"
#include "tls/tls_conf.h"
#include "tls/tls_params.h"

#define BACK_ALPN_MAX 3

/* TLS toward targets, as one listener's policy implies it; plain data from listeners/. */
struct back_params {
    const char *policy; /* name of the backend policy, for events */
    struct tls_list versions, suites, hybrids, groups, sigs; /* versions: the newest first */
    const char *const *alpn; /* NULL-terminated list of the listener's ALPN policy; NULL: none */
    enum tls_use tls_use;
    bool offer_chosen_only; /* offer only the protocol that was chosen with the client */
};

struct back_tls;
struct tls_full_offer;
/* Prepared configurations; NULL with the reason in `err`. */
struct back_tls *back_tls_new(const struct back_params *params, struct err *err);
void back_tls_free(struct back_tls *b);
const char *back_tls_policy(const struct back_tls *b);
/* All that AWS offers with it, whether this build can or not. */
const struct tls_full_offer *back_tls_offer(const struct back_tls *b);

struct back_route {
    const struct addr *to;
    const struct addr *from;    /* the address to come from (back_may_be_transparent); NULL: ours */
    const struct back_tls *tls; /* NULL for a TCP group */
    const char *alpn;           /* what was chosen with the client; NULL or empty: nothing */
};
/*
 * Begin to connect.
 *   returns   a hop whose socket is connecting (watch it for writability, then back_connected()),
 *             or NULL: then `*sys_errno` says why (EADDRNOTAVAIL: no source port is free)
 */
struct hop *back_connect(const struct back_route *route, int *sys_errno);
/* May this process use addresses that are not its own? 0, or errno. */
int back_may_be_transparent(void);
/* After the socket became writable: 0 when connected, else the errno of the failure. */
int back_connected(const struct hop *h);
/* Read what was presented, by the target or by the listener, into plain facts. */
void back_describe_chain(const struct tls_chain *chain, struct record_chain *out);
void back_describe_list(const struct cert_list *chain, struct record_chain *out);

#endif
