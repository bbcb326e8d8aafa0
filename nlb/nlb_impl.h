/* SPDX-License-Identifier: Apache-2.0
 * What the read-only pages may ask of the load balancer. Any thread, between nlb_start() and
 * nlb_stop(). */
#ifndef NLB_NLB_IMPL_H
#define NLB_NLB_IMPL_H

#include "flow/view.h"
#include "nlb/generation.h"
#include "nlb/nlb.h"
#include "observe/recent.h"

/* The configuration in effect; one reference for the caller. */
struct generation *nlb_generation_ref(struct nlb *nlb);
/* Counters of all workers, with the rows that are sums. */
void nlb_gather(const struct nlb *nlb, struct metrics_view *view);
/* Copy up to `max` live flows of all workers; asked by message. 0, or -1 when a worker does not
 * answer in time. */
int nlb_flows(struct nlb *nlb, struct flow_view *out, size_t max, size_t *n);
struct recent_events *nlb_recent(const struct nlb *nlb);
bool nlb_draining(const struct nlb *nlb);

/* Are there listeners of several zones? Counters are not kept per zone. */
bool nlb_has_zones(const struct nlb_config *config);
/* The Availability Zone of the (first) node: its listeners', or, where they name none, the region
 * and "a". */
#define NLB_ZONE_TEXT 72
void nlb_zone(const struct generation *g, char out[NLB_ZONE_TEXT]);

#endif
