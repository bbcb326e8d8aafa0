/* SPDX-License-Identifier: Apache-2.0
 * One configuration running: its lab targets, then its load balancer. */
#ifndef TESTBED_TESTBED_H
#define TESTBED_TESTBED_H

#include "core/err.h"
#include "labtarget/lab_target.h"
#include "nlb/nlb.h"

struct testbed {
    struct nlb_config *config; /* one reference */
    struct lab_targets *targets;
    struct nlb *nlb;
};

/*
 * The lab targets of `config`, running; see lab_targets_start(). Their addresses are bound into it
 * (nlb_config_bind_lab), so call this before it is shared. Each target keeps a reference.
 */
struct lab_targets *testbed_lab_targets(struct nlb_config *config, struct err *err);
/* Those of another configuration, to be committed or dropped; see lab_targets_prepare(). */
struct lab_targets_change *testbed_lab_targets_prepare(struct lab_targets *targets,
                                                       struct nlb_config *config, struct err *err);

/* Start both; `config` is taken on success. When this returns 0, connections are accepted. */
int testbed_start(struct testbed *t, struct nlb_config *config, struct err *err);
/* Take over another configuration (taken on success); on failure nothing has changed. */
int testbed_reload(struct testbed *t, struct nlb_config *config, struct err *err);
void testbed_stop(struct testbed *t);

#endif
