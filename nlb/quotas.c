/* SPDX-License-Identifier: Apache-2.0
 * AWS's quotas: what of a configuration AWS would refuse without a raised quota. */
#include "nlb/quotas.h"

#include <string.h>

#define GUIDE                                                                                      \
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html"

enum quota {
#define QUOTA(id, limit, what, adjustable) QUOTA_##id,
#include "nlb/quotas.def"
#undef QUOTA
    N_QUOTAS
};
static const struct {
    size_t limit;
    const char *what;
    bool adjustable;
} quotas[N_QUOTAS] = {
#define QUOTA(id, limit, what, adjustable) [QUOTA_##id] = { limit, what, adjustable },
#include "nlb/quotas.def"
#undef QUOTA
};

struct scan {
    const struct nlb_config *config;
    quotas_cb *say;
    void *user;
};

static void judge(const struct scan *s, enum quota q, int line, const char *object, size_t n)
{
    char text[320];

    if (n <= quotas[q].limit)
        return;
    snprintf(text, sizeof text, "%s%zu %s; AWS's quota is %zu%s (" GUIDE ")", object, n,
             quotas[q].what, quotas[q].limit,
             quotas[q].adjustable ? ", which can be raised" : ", and cannot be raised");
    s->say(s->user, line, text);
}

/* A group that no listener uses is no part of the load balancer. */
static bool in_use(const struct nlb_config *c, const struct target_group_cfg *g)
{
    for (size_t i = 0; i < c->n_listeners; i++) {
        for (size_t j = 0; j < c->listeners[i].n_forwards; j++) {
            if (c->listeners[i].forwards[j].group == g)
                return true;
        }
    }
    return false;
}

static void judge_certificates(const struct scan *s)
{
    size_t n = 0;
    int line = 0;

    for (size_t i = 0; i < s->config->n_listeners; i++) {
        const struct listener_cfg *l = &s->config->listeners[i];

        for (size_t j = 0; j < l->n_certificates; j++) {
            if (++n == quotas[QUOTA_CERTIFICATES].limit + 1)
                line = l->certificates[j].line;
        }
    }
    judge(s, QUOTA_CERTIFICATES, line, "", n);
}

/* Targets of one zone, or (zone NULL) of all that name none. */
static size_t count_zone(const struct nlb_config *c, const char *zone)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_groups; i++) {
        const struct target_group_cfg *g = &c->groups[i];

        if (!in_use(c, g))
            continue;
        for (size_t j = 0; j < g->n_targets; j++) {
            const char *other = g->targets[j].zone;

            n += zone == NULL || other == NULL ? zone == other : strcmp(zone, other) == 0;
        }
    }
    return n;
}

/* Each zone once: where its first target stands. */
static bool is_first_of_zone(const struct nlb_config *c, size_t group, size_t target)
{
    const char *zone = c->groups[group].targets[target].zone;

    for (size_t i = 0; i <= group; i++) {
        size_t end = i == group ? target : c->groups[i].n_targets;

        if (!in_use(c, &c->groups[i]))
            continue;
        for (size_t j = 0; j < end; j++) {
            const char *other = c->groups[i].targets[j].zone;

            if (zone == NULL || other == NULL ? zone == other : strcmp(zone, other) == 0)
                return false;
        }
    }
    return true;
}

static void judge_zones(const struct scan *s, const struct target_group_cfg *g, size_t i)
{
    char object[96];

    for (size_t j = 0; j < g->n_targets; j++) {
        const struct target_cfg *t = &g->targets[j];

        if (!is_first_of_zone(s->config, i, j))
            continue;
        snprintf(object, sizeof object,
                 "zone %s: ", t->zone == NULL ? "of targets without" : t->zone);
        judge(s, QUOTA_ZONE_TARGETS, t->line, object, count_zone(s->config, t->zone));
    }
}

static void judge_targets(const struct scan *s)
{
    const struct nlb_config *c = s->config;
    size_t all = 0, crossing = 0;
    char object[96];

    for (size_t i = 0; i < c->n_groups; i++) {
        const struct target_group_cfg *g = &c->groups[i];

        snprintf(object, sizeof object, "target group %s: ", g->obj.name);
        judge(s, QUOTA_GROUP_TARGETS, g->obj.line, object, g->n_targets);
        if (!in_use(c, g))
            continue;
        all += g->n_targets;
        crossing += g->crosses_zones ? g->n_targets : 0;
        judge_zones(s, g, i);
    }
    judge(s, QUOTA_TARGETS, 0, "", all);
    judge(s, QUOTA_CROSS_TARGETS, 0, "", crossing);
}

void nlb_config_quotas(const struct nlb_config *config, quotas_cb *say, void *user)
{
    const struct scan s = { config, say, user };
    const int line = config->n_listeners > quotas[QUOTA_LISTENERS].limit
                         ? config->listeners[quotas[QUOTA_LISTENERS].limit].obj.line
                         : 0;

    judge(&s, QUOTA_LISTENERS, line, "", config->n_listeners);
    judge_certificates(&s);
    judge_targets(&s);
}
