/* SPDX-License-Identifier: Apache-2.0
 * The rules that need more than one key: names that must exist, combinations that AWS refuses. */
#include <string.h>

#include "core/suggest.h"
#include "nlb/config_impl.h"
#include "nlb/quotas.h"

#define GUIDE        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"
#define LISTENERS    GUIDE "load-balancer-listeners.html"
#define GROUPS       GUIDE "load-balancer-target-groups.html"
#define ATTRIBUTES   GUIDE "edit-target-group-attributes.html"
#define HEALTH       GUIDE "target-group-health-checks.html"
#define CERTIFICATES GUIDE "tls-listener-certificates.html"

static void resolve_forwards(struct nlb_config *c, struct listener_cfg *l,
                             struct problems *problems)
{
    for (size_t i = 0; i < l->n_forwards; i++) {
        struct forward_cfg *f = &l->forwards[i];
        struct suggest s = suggest_for(f->name);
        char hint[96];

        f->group = nlb_config_group(c, f->name);
        if (f->group != NULL)
            continue;
        for (size_t j = 0; j < c->n_groups; j++)
            suggest_try(&s, c->groups[j].obj.name);
        problems_add(problems, f->line, "there is no [target_group %s]%s", f->name,
                     suggest_text(&s, hint, sizeof hint));
    }
}

static void check_weights(const struct listener_cfg *l, struct problems *problems)
{
    unsigned sum = 0;

    for (size_t i = 0; i < l->n_forwards; i++) {
        sum += l->forwards[i].weight;
        if (l->n_forwards > 1 && !l->forwards[i].weighted)
            problems_add(problems, l->forwards[i].line,
                         "target_group '%s' has no weight; with several groups each has one: "
                         "%s:WEIGHT, 0-999 (" LISTENERS ")",
                         l->forwards[i].name, l->forwards[i].name);
    }
    if (l->n_forwards > 0 && sum == 0)
        problems_add(problems, l->forwards[0].line,
                     "every target group of listener '%s' has weight 0, so that no flow could go "
                     "anywhere; give one of them 1-999 (" LISTENERS ")",
                     l->obj.name);
}

/* Which group may stand behind which listener. Source: NLB guide, "Target groups", the table of
 * listener and target group protocols; weighted groups: "Listeners", "Target group weights". */
static void check_group_protocols(const struct listener_cfg *l, struct problems *problems)
{
    const struct forward_cfg *first = NULL;

    for (size_t i = 0; i < l->n_forwards; i++) {
        const struct forward_cfg *f = &l->forwards[i];

        if (f->group == NULL || f->group->protocol == 0)
            continue;
        if (l->protocol == PROTOCOL_TCP && f->group->protocol == PROTOCOL_TLS)
            problems_add(problems, f->line,
                         "TCP listener '%s' cannot forward to target group '%s', which is TLS: use "
                         "a TCP group (the client then makes TLS with the target itself) or a TLS "
                         "listener (" GROUPS ")",
                         l->obj.name, f->name);
        if (first == NULL)
            first = f;
        if (l->protocol == PROTOCOL_TLS && f->group->protocol != first->group->protocol)
            problems_add(problems, f->line,
                         "target group '%s' is %s and '%s' is %s; all groups of a TLS listener "
                         "share one protocol (" LISTENERS ")",
                         f->name, protocol_name(f->group->protocol), first->name,
                         protocol_name(first->group->protocol));
        if (l->protocol == PROTOCOL_TLS && f->group->stickiness)
            problems_add(problems, f->line,
                         "target group '%s' has stickiness.enabled (line %d), which is not "
                         "supported for TLS listeners (" ATTRIBUTES ")",
                         f->name, cfg_line(&f->group->obj, "stickiness.enabled"));
    }
}

/* Without cross-zone load balancing a node in a zone finds its targets by their zone. */
static void check_zones(const struct listener_cfg *l, struct problems *problems)
{
    for (size_t i = 0; l->zone != NULL && i < l->n_forwards; i++) {
        const struct target_group_cfg *g = l->forwards[i].group;

        if (g == NULL || g->crosses_zones)
            continue;
        for (size_t j = 0; j < g->n_targets; j++) {
            if (g->targets[j].zone == NULL)
                problems_add(problems, g->targets[j].line,
                             "target '%s' has no zone, so that listener '%s' (zone = %s) could "
                             "never reach it: write '%s zone=NAME', or set "
                             "load_balancing.cross_zone.enabled = true (" ATTRIBUTES ")",
                             g->targets[j].text, l->obj.name, l->zone, g->targets[j].text);
        }
    }
}

static void check_listener(struct nlb_config *c, struct listener_cfg *l, struct problems *problems)
{
    resolve_forwards(c, l, problems);
    check_weights(l, problems);
    if (l->protocol == 0)
        return; /* missing or refused, and said so */
    check_group_protocols(l, problems);
    check_zones(l, problems);
    if (l->protocol == PROTOCOL_TLS && l->n_certificates == 0)
        problems_add(problems, l->obj.line,
                     "TLS listener '%s' has no certificate; it needs at least one: certificate = "
                     "FILE.pem or certificate = lab:valid/HOST (" CERTIFICATES ")",
                     l->obj.name);
    if (l->protocol == PROTOCOL_TLS) {
        l->idle_ms = LISTENER_TLS_IDLE_MS;
    } else {
        l->ssl_policy = NULL;
        l->alpn_policy = NULL;
    }
}

static void check_addresses(const struct nlb_config *c, struct problems *problems)
{
    for (size_t i = 0; i < c->n_listeners; i++) {
        const struct listener_cfg *l = &c->listeners[i];
        char text[ADDR_TEXT_MAX];

        for (size_t j = 0; j < i && addr_port(&l->listen) != 0; j++) {
            if (addr_equal(&l->listen, &c->listeners[j].listen))
                problems_add(problems, cfg_line(&l->obj, "listen"),
                             "listen = %s is taken by listener '%s' (line %d); use another port",
                             addr_format(&l->listen, text), c->listeners[j].obj.name,
                             cfg_line(&c->listeners[j].obj, "listen"));
        }
    }
}

/* "lab:NAME" must be a [lab_target NAME]; that kind of section comes from a layer above. */
static void resolve_lab(const struct nlb_config *c, const struct target_cfg *t,
                        struct problems *problems)
{
    const struct config_list *list = nlb_config_list(c, "lab_target");
    struct suggest s = suggest_for(t->lab);
    char hint[96];

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        const struct cfg_object *o = config_item(list, i);

        if (strcmp(o->name, t->lab) == 0)
            return;
        suggest_try(&s, o->name);
    }
    problems_add(problems, t->line, "target 'lab:%s': there is no [lab_target %s]%s", t->lab,
                 t->lab, suggest_text(&s, hint, sizeof hint));
}

static void check_thresholds(const struct target_group_cfg *g, struct problems *problems)
{
    static const char rule[] = "the DNS failover threshold must be at least the routing threshold";

    if (g->dns_failover_count != 0 && g->dns_failover_count < g->routing_count)
        problems_add(problems, g->obj.line,
                     "target group '%s': dns_failover count %u is below unhealthy_state_routing "
                     "count %u; %s (" GROUPS ")",
                     g->obj.name, (unsigned)g->dns_failover_count, (unsigned)g->routing_count,
                     rule);
    if (g->dns_failover_percentage != 0 && g->dns_failover_percentage < g->routing_percentage)
        problems_add(problems, g->obj.line,
                     "target group '%s': dns_failover percentage %u is below "
                     "unhealthy_state_routing percentage %u; %s (" GROUPS ")",
                     g->obj.name, (unsigned)g->dns_failover_percentage,
                     (unsigned)g->routing_percentage, rule);
    if (g->unhealthy_draining_ms != 0 && g->unhealthy_terminates)
        problems_add(problems,
                     cfg_line(&g->obj, "target_health_state.unhealthy.draining_interval_seconds"),
                     "draining_interval_seconds needs "
                     "target_health_state.unhealthy.connection_termination.enabled = false "
                     "(" ATTRIBUTES ")");
}

/* Sources: the first two are the API's own words, reported at
 * https://github.com/hashicorp/terraform-provider-aws/pull/2170; timeout and interval:
 * https://github.com/aws/aws-cdk/issues/26031, equal ones:
 * https://github.com/aws/aws-cdk/issues/16446 */
static void check_health(const struct target_group_cfg *g, struct problems *problems)
{
    const struct health_cfg *h = &g->health;
    int interval = cfg_line(&g->obj, "health_check_interval_seconds");
    int timeout = cfg_line(&g->obj, "health_check_timeout_seconds");

    if (h->timeout_ms > h->interval_ms)
        problems_add(problems, interval != 0 ? interval : timeout,
                     "target group '%s': Health check timeout '%u'%s must be smaller than or equal "
                     "to the interval '%u'%s; change health_check_timeout_seconds or "
                     "health_check_interval_seconds (" HEALTH ")",
                     g->obj.name, (unsigned)(h->timeout_ms / 1000),
                     timeout == 0 ? " (the default)" : "", (unsigned)(h->interval_ms / 1000),
                     interval == 0 ? " (the default)" : "");
}

/* A target group has one IP address type; those of lab targets are not known yet. */
static void check_families(const struct target_group_cfg *g, struct problems *problems)
{
    const struct target_cfg *first = NULL;

    for (size_t i = 0; i < g->n_targets; i++) {
        const struct target_cfg *t = &g->targets[i];

        if (t->addr.len == 0)
            continue;
        if (first == NULL)
            first = t;
        if (t->addr.u.sa.sa_family != first->addr.u.sa.sa_family)
            problems_add(problems, t->line,
                         "target '%s' of group '%s' is not of the same IP version as '%s' (line "
                         "%d); all targets of a group share one: make two groups (" GROUPS ")",
                         t->text, g->obj.name, first->text, first->line);
    }
}

static void check_group(const struct nlb_config *c, struct target_group_cfg *g,
                        struct problems *problems)
{
    if (config_plain_name(g->obj.name) && !config_aws_name(g->obj.name))
        problems_add(problems, g->obj.line,
                     "bad target group name '%s' (as with AWS: 1-32 letters, digits and hyphens, "
                     "no hyphen at either end)",
                     g->obj.name);
    for (size_t i = 0; i < g->n_targets; i++) {
        if (g->targets[i].lab != NULL && g->targets[i].lab[0] != '\0')
            resolve_lab(c, &g->targets[i], problems);
    }
    g->crosses_zones = g->cross_zone == CROSS_ZONE_ON ||
                       (g->cross_zone == CROSS_ZONE_LOAD_BALANCER && c->nlb.cross_zone);
    check_thresholds(g, problems);
    check_health(g, problems);
    check_families(g, problems);
}

static void check_outputs(const struct nlb_config *c, struct problems *problems)
{
    const struct nlb_cfg *n = &c->nlb;

    if (n->process.events == NULL || n->process.access_log == NULL)
        return;
    if (strcmp(n->process.events, n->process.access_log) == 0)
        problems_add(problems, cfg_line(&n->obj, "events"),
                     "events and access_log both write to '%s'; give one of them a file of its own",
                     n->process.events);
}

static void check_metrics(const struct nlb_config *c, struct problems *problems)
{
    const struct process_cfg *p = &c->nlb.process;
    char text[ADDR_TEXT_MAX];

    if (p->metrics.len == 0 || p->metrics_public || addr_is_loopback(&p->metrics))
        return;
    problems_add(problems, cfg_line(&c->nlb.obj, "metrics"),
                 "metrics = %s shows flows, targets and events, without a password, to whoever can "
                 "reach that address: write %s:%u, or, where that is meant, add metrics_public = "
                 "true",
                 addr_format(&p->metrics, text),
                 p->metrics.u.sa.sa_family == AF_INET6 ? "[::1]" : "127.0.0.1",
                 (unsigned)addr_port(&p->metrics));
}

static void exceeds_quota(void *user, int line, const char *text)
{
    struct problems *problems = user;

    problems_add(problems, line, "%s; with enforce_quotas = true this is an error", text);
}

void config_check(struct nlb_config *c, struct problems *problems)
{
    bool anything = c->n_listeners > 0;

    for (size_t i = 0; i < c->n_groups; i++)
        check_group(c, &c->groups[i], problems);
    for (size_t i = 0; i < c->n_listeners; i++)
        check_listener(c, &c->listeners[i], problems);
    check_addresses(c, problems);
    check_outputs(c, problems);
    check_metrics(c, problems);
    if (c->nlb.enforce_quotas)
        nlb_config_quotas(c, exceeds_quota, problems);
    for (size_t i = 0; i < c->n_lists && !anything; i++)
        anything = c->lists[i].n > 0 && c->lists[i].kind->stands_alone;
    if (!anything && problems->n == 0)
        problems_add(problems, 0, "no [listener NAME]: there is nothing to run");
}
