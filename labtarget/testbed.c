/* SPDX-License-Identifier: Apache-2.0
 * One configuration running: its lab targets, then its load balancer. */
#include "labtarget/testbed.h"

#include <string.h>

int testbed_start(struct testbed *t, struct nlb_config *config, struct err *err)
{
    memset(t, 0, sizeof *t);
    t->targets = lab_targets_start(config, err);
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
    struct lab_targets_change *change = lab_targets_prepare(t->targets, config, err);

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
