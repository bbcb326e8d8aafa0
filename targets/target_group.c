/* SPDX-License-Identifier: Apache-2.0
 * Target groups at run time: registered targets, and the choice of one for a new flow. */
#include "targets/target_group.h"

#include <stdio.h>
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
        if (t->cfg->zone != NULL)
            snprintf(t->reg->zone, sizeof t->reg->zone, "%s", t->cfg->zone);
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
    for (size_t i = 0; i < g->n_leaving; i++)
        registration_unref(g->leaving[i].reg);
    free(g->leaving);
    free(g->leaving_cfg);
    free(g->targets);
    free(g);
}

static bool has(const struct target_group *g, const struct registration *reg)
{
    for (size_t i = 0; i < g->n_targets; i++) {
        if (g->targets[i].reg == reg)
            return true;
    }
    return false;
}

int group_keep_leaving(struct target_group *g, struct registry *registry, struct err *err)
{
    size_t n;
    struct registration **all = registry_list(registry, g->cfg->obj.name, &n);

    g->leaving = calloc(n + 1, sizeof *g->leaving);
    g->leaving_cfg = calloc(n + 1, sizeof *g->leaving_cfg);
    for (size_t i = 0; i < n; i++) {
        struct registration *reg = all[i];
        struct target_cfg *cfg = g->leaving_cfg + g->n_leaving;

        if (g->leaving == NULL || g->leaving_cfg == NULL || has(g, reg) ||
            !health_is_healthy(registration_state(reg))) {
            registration_unref(reg);
            continue;
        }
        *cfg = (struct target_cfg){ .text = reg->group,
                                    .addr = reg->addr,
                                    .zone = reg->zone[0] == '\0' ? NULL : reg->zone };
        g->leaving[g->n_leaving++] = (struct target){ cfg, reg };
    }
    free(all);
    if (all != NULL && g->leaving != NULL && g->leaving_cfg != NULL)
        return 0;
    err_set(err, ERR_NOMEM, "target group %s", g->cfg->obj.name);
    return -1;
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

static const struct target *target_at(const struct target_group *g, size_t i)
{
    return i < g->n_targets ? &g->targets[i] : &g->leaving[i - g->n_targets];
}

/* A leaving one counts while it is healthy to the data plane, and then no more. */
static enum eligible target_rule(const struct target_group *g, size_t i, enum eligible rule)
{
    return i < g->n_targets ? rule : ELIGIBLE_HEALTHY;
}

static const struct target *pick_among(const struct target_group *g, const char *zone,
                                       enum eligible rule, uint64_t hash)
{
    const struct target *last = NULL;
    uint32_t n = 0, at;

    for (size_t i = 0; i < g->n_targets + g->n_leaving; i++)
        n += is_eligible(target_at(g, i), zone, target_rule(g, i, rule));
    if (n == 0)
        return NULL;
    at = flowhash_index(hash, n);
    for (size_t i = 0; i < g->n_targets + g->n_leaving; i++) {
        if (!is_eligible(target_at(g, i), zone, target_rule(g, i, rule)))
            continue;
        last = target_at(g, i);
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
