/* SPDX-License-Identifier: Apache-2.0
 * Target groups at run time: registered targets, and the choice of one for a new flow. */
#ifndef TARGETS_TARGET_GROUP_H
#define TARGETS_TARGET_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "targets/flowhash.h"
#include "targets/registry.h"
#include "targets/target_group_cfg.h"

struct target {
    const struct target_cfg *cfg; /* borrowed from the configuration generation */
    struct registration *reg;     /* one reference; its health, shared over generations */
};

struct target_group {
    const struct target_group_cfg *cfg; /* borrowed from the configuration generation */
    struct target *targets;             /* owned */
    size_t n_targets;
    /* No longer registered, but the data plane has not heard of it: they get new flows as long as
     * their registrations have not changed. Owned, and so are their `cfg`. */
    struct target *leaving;
    struct target_cfg *leaving_cfg;
    size_t n_leaving;
};

/* NULL with the reason in `err`. `cfg` and `registry` must outlive the group. */
struct target_group *group_new(const struct target_group_cfg *cfg, struct registry *registry,
                               struct err *err);
void group_free(struct target_group *g);
/* Keep what the registry has of this group, and the group no longer, among the leaving ones. */
int group_keep_leaving(struct target_group *g, struct registry *registry, struct err *err);

struct group_counts {
    size_t registered, healthy;
};
/* Targets of one zone; `zone` NULL: of all. */
struct group_counts group_count(const struct target_group *g, const char *zone);
/* Too few are healthy, so that every registered target gets traffic? Source: NLB guide, "Target
 * groups", "Target group health", and "Health checks" (fail-open). */
bool group_fails_open(const struct target_group_cfg *cfg, struct group_counts n);
/* The zone in which a node at `zone` looks for targets: NULL when it looks in all of them, because
 * it has none or because of cross-zone load balancing. */
const char *group_zone(const struct target_group *g, const char *zone);

enum group_verdict {
    GROUP_PICKED,
    GROUP_EMPTY,          /* nothing is registered (NLB fails open, but to nobody) */
    GROUP_ZONE_WITHDRAWN, /* too few targets of this zone are healthy and other zones have enough:
                             the zone's address is no longer in DNS, and requests to it fail */
};
/*
 * Choose the target of a new flow: among the healthy ones, or among all when the group fails open.
 *   zone      of the listener; NULL: none
 *   returns   borrowed; NULL with the reason in `*verdict`
 *   source    NLB guide, "Target groups", "Routing" and "Target group health"; "Edit target group
 *             attributes", "Cross-zone load balancing"; "What is a Network Load Balancer?" (a zone
 *             that was withdrawn)
 */
const struct target *group_pick(const struct target_group *g, const char *zone, uint64_t hash,
                                enum group_verdict *verdict);

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
