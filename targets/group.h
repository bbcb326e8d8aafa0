/* SPDX-License-Identifier: Apache-2.0
 * Target groups at run time: registered targets, and the choice of one for a new flow. */
#ifndef TARGETS_GROUP_H
#define TARGETS_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "targets/flowhash.h"
#include "targets/group_cfg.h"

struct target {
    const struct target_cfg *cfg; /* borrowed from the configuration generation */
};

struct target_group {
    const struct target_group_cfg *cfg; /* borrowed from the configuration generation */
    struct target *targets;             /* owned */
    size_t n_targets;
};

/* NULL with the reason in `err`. `cfg` must outlive the group. */
struct target_group *group_new(const struct target_group_cfg *cfg, struct err *err);
void group_free(struct target_group *g);

/*
 * Choose the target of a new flow.
 *   returns  borrowed; NULL when nothing is registered (NLB fails open for an empty group, but
 * there is nobody to send to; the flow is rejected). source   NLB guide, "Target groups", "Routing"
 */
const struct target *group_pick(const struct target_group *g, uint64_t hash);

/* The forward action of a listener: weighted target groups. */
struct forward_member {
    const struct target_group *group; /* borrowed */
    unsigned weight;                  /* 0-999; 0 gets nothing */
};
struct forward {
    struct forward_member *members; /* owned */
    size_t n;
    unsigned total_weight;
};

/* Source: NLB guide, "Listeners", weighted target groups. NULL when every weight is 0. */
const struct target_group *forward_pick(const struct forward *f, uint64_t hash);

#endif
