/* SPDX-License-Identifier: Apache-2.0
 * One call of API Gateway as facts for diagnose/: what the gateway saw, what the load balancer's
 * event says of the flow, and the chain that was judged. */
#ifndef VPCLINK_CALL_FACTS_H
#define VPCLINK_CALL_FACTS_H

#include "diagnose/event_facts.h"
#include "vpclink/far_side.h"
#include "vpclink/texts.h"

/* Bring our own view and the load balancer's event together, before the result is worded: a
 * connection that the simulated listener had to accept and then drop for want of a target was, at
 * AWS, no connection (docs/probe.md). */
void gateway_join(struct gateway_result *r, const struct far_side *far);

/* What the caller knows besides. All may be NULL. */
struct call_context {
    diagnose_policy_cb *policy;
    const struct cert_list *anchors; /* that were asked */
    const char *store;               /* their name */
    const char *integration;         /* its name in the file */
    const char *target_name;         /* "lab_target app" */
};

/* New facts, with facts_free(); NULL without memory. */
struct facts *call_facts(const struct gateway_task *task, const struct gateway_result *r,
                         const struct gateway_wording *w, const struct far_side *far,
                         const struct call_context *context);
/* The chain that was judged, for drawing; NULL when none was presented. */
struct chain *call_chain(const struct gateway_task *task, const struct gateway_result *r,
                         const struct call_context *context);

#endif
