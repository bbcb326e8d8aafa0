/* SPDX-License-Identifier: Apache-2.0
 * The load balancer: workers, listening sockets, configuration generations. */
#ifndef NLB_NLB_H
#define NLB_NLB_H

#include "core/err.h"
#include "nlb/config.h"
#include "nlb/nlb_view.h"

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

#endif
