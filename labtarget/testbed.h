/* SPDX-License-Identifier: Apache-2.0
 * One configuration running: its lab targets, then its load balancer. */
#ifndef LABTARGET_TESTBED_H
#define LABTARGET_TESTBED_H

#include "core/err.h"
#include "labtarget/lab_target.h"
#include "nlb/nlb.h"

struct testbed {
    struct nlb_config *config; /* one reference */
    struct lab_targets *targets;
    struct nlb *nlb;
};

/* Start both; `config` is taken on success. When this returns 0, connections are accepted. */
int testbed_start(struct testbed *t, struct nlb_config *config, struct err *err);
/* Take over another configuration (taken on success); on failure nothing has changed. */
int testbed_reload(struct testbed *t, struct nlb_config *config, struct err *err);
void testbed_stop(struct testbed *t);

#endif
