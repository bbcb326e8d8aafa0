/* SPDX-License-Identifier: Apache-2.0
 * What may be asked of a running load balancer: listeners, targets, counters, flows, zones. */
#ifndef NLB_NLB_VIEW_H
#define NLB_NLB_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/protocol.h"
#include "flow/view.h"
#include "nlb/config.h"
#include "observe/metrics.h"
#include "observe/recent.h"
#include "targets/checker.h"

struct nlb;
struct generation;

/* Listeners in the order of the configuration in effect. */
struct nlb_listener_info {
    const char *name;
    enum protocol protocol;
    struct addr address; /* with the real port */
};
size_t nlb_listener_count(const struct nlb *nlb);
struct nlb_listener_info nlb_listener_at(const struct nlb *nlb, size_t i);

/* Every target with its health, also those that drain; see checker_snapshot(). From any thread. */
size_t nlb_targets(const struct nlb *nlb, struct health_row **rows);

/* Where /metrics is served, with the real port; NULL: nowhere. */
const struct addr *nlb_metrics_address(const struct nlb *nlb);

/* Sum over all workers. */
uint64_t nlb_metric(const struct nlb *nlb, enum metric id);
uint64_t nlb_active_flows(const struct nlb *nlb);

/* --- for the read-only pages: any thread, between nlb_start() and nlb_stop() --- */
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
