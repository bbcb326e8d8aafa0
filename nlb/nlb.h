/* SPDX-License-Identifier: Apache-2.0
 * The load balancer: workers, listening sockets, configuration generations. */
#ifndef NLB_NLB_H
#define NLB_NLB_H

#include "core/addr.h"
#include "core/err.h"
#include "nlb/config.h"
#include "observe/metrics.h"
#include "targets/checker.h"

struct nlb;

/*
 * Open every listener of the configuration and start the workers. When this returns, connections
 * are accepted. config   a reference is taken; lab targets must be bound (nlb_config_bind_lab)
 *   returns  NULL with the reason in `err` (nothing is left open then)
 */
struct nlb *nlb_start(const struct nlb_config *config, struct err *err);

/*
 * Take over a new configuration: everything is prepared first, then all of it takes effect, or
 * nothing. Listeners that stay keep their sockets; flows that run keep the configuration they began
 * with. The keys of struct process_cfg stay as they were (a warning names each that differs; `err`
 * is not set for that). returns  0, or -1 with the reason in `err`: the old configuration is still
 * in effect
 */
int nlb_reload(struct nlb *nlb, const struct nlb_config *config, struct err *err);

/* What is in effect from the start to the end, whatever a reload says; valid until nlb_stop(). */
const struct process_cfg *nlb_process(const struct nlb *nlb);

/* Accept nothing new; nlb_drained_fd() becomes readable once the last flow of the last worker has
 * ended. */
void nlb_drain(struct nlb *nlb);
int nlb_drained_fd(const struct nlb *nlb);
/* End what is left and free everything. NULL is fine. */
void nlb_stop(struct nlb *nlb);
/* Open the event file and the access log again after rotation. */
int nlb_reopen_logs(struct nlb *nlb, struct err *err);

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

#endif
