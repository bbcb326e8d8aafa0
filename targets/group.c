/* SPDX-License-Identifier: Apache-2.0
 * Target groups at run time: registered targets, and the choice of one for a new flow. */
#include "targets/group.h"

#include <stdlib.h>

struct target_group *group_new(const struct target_group_cfg *cfg, struct err *err)
{
    struct target_group *g = calloc(1, sizeof *g);

    if (g == NULL)
        goto nomem;
    g->cfg = cfg;
    g->targets = calloc(cfg->n_targets + 1, sizeof *g->targets);
    if (g->targets == NULL)
        goto nomem;
    g->n_targets = cfg->n_targets;
    for (size_t i = 0; i < cfg->n_targets; i++)
        g->targets[i].cfg = &cfg->targets[i];
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
    free(g->targets);
    free(g);
}

const struct target *group_pick(const struct target_group *g, uint64_t hash)
{
    if (g->n_targets == 0)
        return NULL;
    return &g->targets[flowhash_index(hash, (uint32_t)g->n_targets)];
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
