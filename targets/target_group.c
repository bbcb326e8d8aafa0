/* SPDX-License-Identifier: Apache-2.0
 * Target groups at run time: registered targets, and the choice of one for a new flow. */
#include "targets/target_group.h"

#include <stdlib.h>
#include <string.h>

struct target_group *group_new(const struct target_group_cfg *cfg, struct registry *registry,
                               struct err *err)
{
    struct target_group *g = calloc(1, sizeof *g);

    if (g == NULL)
        goto nomem;
    g->cfg = cfg;
    g->targets = calloc(cfg->n_targets + 1, sizeof *g->targets);
    if (g->targets == NULL)
        goto nomem;
    for (; g->n_targets < cfg->n_targets; g->n_targets++) {
        struct target *t = &g->targets[g->n_targets];

        t->cfg = &cfg->targets[g->n_targets];
        t->reg = registry_get(registry, cfg->obj.name, &t->cfg->addr);
        if (t->reg == NULL)
            goto nomem;
    }
    return g;
nomem:
    group_free(g);
    err_set(err, ERR_NOMEM, "target group %s", cfg->obj.name);
    return NULL;
}

void group_free(struct target_group *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->n_targets; i++)
        registration_unref(g->targets[i].reg);
    free(g->targets);
    free(g);
}

static bool in_zone(const struct target *t, const char *zone)
{
    return zone == NULL || (t->cfg->zone != NULL && strcmp(t->cfg->zone, zone) == 0);
}

struct group_counts group_count(const struct target_group *g, const char *zone)
{
    struct group_counts n = { 0, 0 };

    for (size_t i = 0; i < g->n_targets; i++) {
        enum health_state state = registration_state(g->targets[i].reg);

        if (!in_zone(&g->targets[i], zone))
            continue;
        n.registered += health_is_registered(state);
        n.healthy += health_is_healthy(state);
    }
    return n;
}

static bool too_few(struct group_counts n, uint64_t count, uint64_t percentage)
{
    return n.healthy < count || n.healthy * 100 < percentage * n.registered;
}

bool group_fails_open(const struct target_group_cfg *cfg, struct group_counts n)
{
    return n.healthy == 0 || too_few(n, cfg->routing_count, cfg->routing_percentage);
}

const char *group_zone(const struct target_group *g, const char *zone)
{
    return g->cfg->crosses_zones ? NULL : zone;
}

static bool zone_fails(const struct target_group_cfg *cfg, struct group_counts n)
{
    return n.registered == 0 || too_few(n, cfg->dns_failover_count, cfg->dns_failover_percentage);
}

/* With every zone failing none is withdrawn: NLB fails open. */
static bool other_zone_serves(const struct target_group *g, const char *zone)
{
    for (size_t i = 0; i < g->n_targets; i++) {
        const char *other = g->targets[i].cfg->zone;

        if (other == NULL || strcmp(other, zone) == 0 ||
            !health_is_healthy(registration_state(g->targets[i].reg)))
            continue;
        if (!zone_fails(g->cfg, group_count(g, other)))
            return true;
    }
    return false;
}

/* Who may get the flow: the strictest rule that leaves somebody. */
enum eligible { ELIGIBLE_HEALTHY, ELIGIBLE_REGISTERED, ELIGIBLE_DRAINING };

static bool is_eligible(const struct target *t, const char *zone, enum eligible rule)
{
    enum health_state state = registration_state(t->reg);

    if (!in_zone(t, zone))
        return false;
    return rule == ELIGIBLE_HEALTHY      ? health_is_healthy(state)
           : rule == ELIGIBLE_REGISTERED ? health_is_registered(state)
                                         : state == HEALTH_DRAINING;
}

static const struct target *pick_among(const struct target_group *g, const char *zone,
                                       enum eligible rule, uint64_t hash)
{
    const struct target *last = NULL;
    uint32_t n = 0, at;

    for (size_t i = 0; i < g->n_targets; i++)
        n += is_eligible(&g->targets[i], zone, rule);
    if (n == 0)
        return NULL;
    at = flowhash_index(hash, n);
    for (size_t i = 0; i < g->n_targets; i++) {
        if (!is_eligible(&g->targets[i], zone, rule))
            continue;
        last = &g->targets[i];
        if (at-- == 0)
            break;
    }
    /* Health may change between the two rounds: then `last` is the last one, or nobody. */
    return last;
}

const struct target *group_pick(const struct target_group *g, const char *zone, uint64_t hash,
                                enum group_verdict *verdict)
{
    const struct target *t = NULL;
    struct group_counts n;

    zone = group_zone(g, zone);
    n = group_count(g, zone);
    *verdict = GROUP_ZONE_WITHDRAWN;
    if (zone != NULL && zone_fails(g->cfg, n) && other_zone_serves(g, zone))
        return NULL;
    if (!group_fails_open(g->cfg, n))
        t = pick_among(g, zone, ELIGIBLE_HEALTHY, hash);
    if (t == NULL)
        t = pick_among(g, zone, ELIGIBLE_REGISTERED, hash);
    /* A flow that began before the targets were replaced: some may still arrive while they drain
     * (NLB guide, "Edit target group attributes", "Deregistration delay"). */
    if (t == NULL)
        t = pick_among(g, zone, ELIGIBLE_DRAINING, hash);
    *verdict = t == NULL ? GROUP_EMPTY : GROUP_PICKED;
    return t;
}

const struct target_group *forward_pick(const struct forward *f, uint64_t hash)
{
    uint32_t at;

    if (f->total_weight == 0)
        return NULL;
    /* The lower half decides the group, the upper half the target: the two choices are free of
     * each other. */
    at = flowhash_index(hash << 32, f->total_weight);
    for (size_t i = 0; i < f->n; i++) {
        if (at < f->members[i].weight)
            return f->members[i].group;
        at -= f->members[i].weight;
    }
    return NULL;
}
