/* SPDX-License-Identifier: Apache-2.0
 * One configuration running: its lab targets, then its load balancer. */
#include "testbed/testbed.h"

#include <string.h>

#include "testbed/sections.h"

static void hold(void *config)
{
    (void)nlb_config_ref(config);
}

static void let_go(void *config)
{
    nlb_config_unref(config);
}

static void bound(void *config, const char *name, const struct addr *at)
{
    (void)nlb_config_bind_lab(config, name, at);
}

static struct lab_target_source source_of(struct nlb_config *config)
{
    struct lab_target_source s = {
        .owner = config, .ref_cb = hold, .unref_cb = let_go, .bound_cb = bound
    };

    s.cfgs = lab_config_targets(config, &s.n);
    return s;
}

struct lab_targets *testbed_lab_targets(struct nlb_config *config, struct err *err)
{
    struct lab_target_source source = source_of(config);

    return lab_targets_start(&source, err);
}

struct lab_targets_change *testbed_lab_targets_prepare(struct lab_targets *targets,
                                                       struct nlb_config *config, struct err *err)
{
    struct lab_target_source source = source_of(config);

    return lab_targets_prepare(targets, &source, err);
}

int testbed_start(struct testbed *t, struct nlb_config *config, struct err *err)
{
    memset(t, 0, sizeof *t);
    t->targets = testbed_lab_targets(config, err);
    if (t->targets == NULL)
        return -1;
    t->nlb = nlb_start(config, err);
    if (t->nlb == NULL) {
        lab_targets_stop(t->targets);
        t->targets = NULL;
        return -1;
    }
    t->config = config;
    return 0;
}

int testbed_reload(struct testbed *t, struct nlb_config *config, struct err *err)
{
    struct lab_targets_change *change = testbed_lab_targets_prepare(t->targets, config, err);

    if (change == NULL)
        return -1;
    if (nlb_reload(t->nlb, config, err) != 0) {
        lab_targets_drop(change);
        return -1;
    }
    lab_targets_commit(change);
    nlb_config_unref(t->config);
    t->config = config;
    return 0;
}

void testbed_stop(struct testbed *t)
{
    nlb_stop(t->nlb);
    lab_targets_stop(t->targets);
    nlb_config_unref(t->config);
    memset(t, 0, sizeof *t);
}
