/* SPDX-License-Identifier: Apache-2.0
 * One configuration generation at run time: target groups and prepared listeners. */
#include "nlb/generation.h"

#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "core/clock.h"
#include "targets/validating_client.h"

static const struct target_group *group_of(void *arg, const struct target_group_cfg *cfg)
{
    const struct generation *g = arg;

    return g->groups[cfg - g->config->groups];
}

#define JUDGE_STORE_DEFAULT "lab:public"

struct generation_judge {
    const char *spec;
    struct validating_client *judge;
};

static const char *store_of(const struct listener_cfg *cfg)
{
    return cfg->judge_store != NULL ? cfg->judge_store : JUDGE_STORE_DEFAULT;
}

static struct validating_client *judge_of(void *arg, const struct listener_cfg *cfg)
{
    const struct generation *g = arg;

    for (size_t i = 0; i < g->n_judges; i++) {
        if (strcmp(g->judges[i].spec, store_of(cfg)) == 0)
            return g->judges[i].judge;
    }
    return NULL;
}

/* Can the target's certificates be seen? Those that pass through a TCP listener (TLS 1.2) are
 * judged when there is something to judge them by: an integration's trust store, or a lab. */
static bool has_chains(const struct listener_cfg *cfg, bool lab)
{
    if (cfg->protocol == PROTOCOL_TCP)
        return cfg->observe_tls && (cfg->judge_store != NULL || lab);
    return cfg->forwards[0].group->protocol == PROTOCOL_TLS;
}

/* Only events speak of what a validating client would have said. */
static int make_judges(struct generation *g, struct err *err)
{
    const struct nlb_config *c = g->config;
    struct cert_lab *lab = c->lab;

    g->judges = calloc(c->n_listeners + 1, sizeof *g->judges);
    if (g->judges == NULL) {
        err_set(err, ERR_NOMEM, "configuration");
        return -1;
    }
    for (size_t i = 0;
         (g->process->events != NULL || g->process->metrics.len != 0) && i < c->n_listeners; i++) {
        const struct listener_cfg *cfg = &c->listeners[i];
        struct trust_store *store;

        if (!has_chains(cfg, lab != NULL) || judge_of(g, cfg) != NULL)
            continue;
        /* A file without lab certificates still has the lab's public root to be judged by: no
         * certificate of the file can chain to it. */
        if (lab == NULL && cert_spec_is_lab(store_of(cfg)) &&
            (lab = g->lab = cert_lab_new(NULL, clock_wall_s(), err)) == NULL)
            return -1;
        store = trust_store_load(store_of(cfg), c->dir, lab, err);
        if (store == NULL)
            return -1;
        g->judges[g->n_judges].spec = store_of(cfg);
        g->judges[g->n_judges].judge = validating_client_new(store, err);
        if (g->judges[g->n_judges++].judge == NULL) {
            trust_store_unref(store);
            return -1;
        }
    }
    return 0;
}

/* With backend_policy_scope = load_balancer, any listener's policy decides for all ("if any of your
 * listeners uses ...", NLB guide, "Security policies"; the scope of "any" is unknown). */
static const struct policy *common_backend_policy(const struct nlb_config *config)
{
    const struct policy **all;
    const struct policy *result = NULL;
    size_t n = 0;

    if (config->nlb.backend_policy_scope != BACKEND_SCOPE_LOAD_BALANCER)
        return NULL;
    all = calloc(config->n_listeners + 1, sizeof *all);
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < config->n_listeners; i++) {
        if (config->listeners[i].protocol == PROTOCOL_TLS)
            all[n++] = policy_find(config->listeners[i].ssl_policy);
    }
    if (n > 0)
        result = policy_backend_of(all, n);
    free(all);
    return result;
}

/* PrivateLink and its like hide the client's address; without them it needs a privilege. */
static int check_preserve(const struct nlb_config *c, const struct process_cfg *process,
                          struct err *err)
{
    int error = -1;

    for (size_t i = 0; i < c->n_groups; i++) {
        if (!c->groups[i].preserve_client_ip)
            continue;
        if (error < 0)
            error = back_may_be_transparent();
        if (error != 0) {
            err_set(
                err, ERR_ENVIRONMENT,
                "%s:%d: preserve_client_ip.enabled = true: connecting from the client's "
                "address needs IP_TRANSPARENT (%s): run as root or with CAP_NET_RAW or "
                "CAP_NET_ADMIN (setcap cap_net_raw+ep)%s, or leave it off and read the client's "
                "address from a PROXY header (proxy_protocol_v2.enabled = true)",
                c->path, cfg_line(&c->groups[i].obj, "preserve_client_ip.enabled"), strerror(error),
                process->confine == CONFINE_OFF
                    ? ""
                    : "; a reload cannot turn it on, since `confine` is on: restart");
            return -1;
        }
    }
    return 0;
}

static int build(struct generation *g, struct registry *registry, struct err *err)
{
    static const enum flow_relay relays[] = {
        [RELAY_AUTO] = FLOW_RELAY_AUTO,
        [RELAY_COPY] = FLOW_RELAY_COPY,
        [RELAY_SPLICE] = FLOW_RELAY_SPLICE,
    };
    const struct nlb_config *c = g->config;
    const struct front_options options = {
        .relay = relays[c->nlb.relay],
        .tls_use = g->process->tls_use,
        .target_after_hello = c->nlb.target_connect == TARGET_CONNECT_AFTER_HELLO,
        .backend_policy = common_backend_policy(c),
        .connect_us = c->nlb.connect_timeout_ms * 1000,
        .handshake_us = c->nlb.handshake_timeout_ms * 1000,
        .limits = c->nlb.limits,
        .time_scale = g->process->time_scale,
        .elb = g->elb,
        .elb_id = g->process->load_balancer_id,
        .cert_arn = g->cert_arn,
        .vpc_endpoint = c->nlb.vpc_endpoint_id,
        .group_of = group_of,
        .judge_of = judge_of,
        .arg = g,
    };

    if (check_preserve(c, g->process, err) != 0)
        return -1;
    g->groups = calloc(c->n_groups + 1, sizeof(struct target_group *));
    g->fronts = calloc(c->n_listeners + 1, sizeof(struct front *));
    if (g->groups == NULL || g->fronts == NULL) {
        err_set(err, ERR_NOMEM, "configuration");
        return -1;
    }
    for (size_t i = 0; i < c->n_groups; i++) {
        if ((g->groups[i] = group_new(&c->groups[i], registry, err)) == NULL ||
            (c->nlb.deregistration_propagation_ms > 0 &&
             group_keep_leaving(g->groups[i], registry, err) != 0))
            return -1;
    }
    if (make_judges(g, err) != 0)
        return -1;
    for (size_t i = 0; i < c->n_listeners; i++) {
        if ((g->fronts[i] = front_new(&c->listeners[i], &options, err)) == NULL)
            return -1;
    }
    return 0;
}

static void name(struct generation *g)
{
    const struct aws_identity who = nlb_identity(g->process);

    aws_elb(g->elb, &who);
    aws_arn(g->cert_arn, &who, "acm", "certificate/");
}

static bool uses(const struct listener_cfg *l, const struct target_group_cfg *g)
{
    for (size_t i = 0; i < l->n_forwards; i++) {
        if (l->forwards[i].group == g)
            return true;
    }
    return false;
}

/* Every zone that a listener names; a listener without one serves all. */
static void plan_zones(struct checker_plan *p, const char **zones, const struct nlb_config *c)
{
    p->zones = zones;
    for (size_t i = 0; i < c->n_listeners; i++) {
        if (c->listeners[i].zone == NULL) {
            p->n_zones = 0;
            return;
        }
        zones[p->n_zones++] = c->listeners[i].zone;
    }
}

int generation_plan_checks(struct generation *g, struct addr (*bound)(const void *arg, size_t i),
                           const void *arg, struct err *err)
{
    const struct nlb_config *c = g->config;
    struct checker_group *groups = calloc(c->n_groups + 1, sizeof *groups);
    const char **zones = calloc(c->n_listeners + 1, sizeof *zones);

    g->checks =
        (struct checker_plan){ .groups = groups,
                               .n_groups = c->n_groups,
                               .zones = zones,
                               .time_scale = g->process->time_scale,
                               .deregistration_lag_ms = c->nlb.deregistration_propagation_ms,
                               .health_lag_ms = c->nlb.health_propagation_ms };
    if (groups == NULL || zones == NULL) {
        err_set(err, ERR_NOMEM, "health checks");
        return -1;
    }
    plan_zones(&g->checks, zones, c);
    for (size_t i = 0; i < c->n_groups; i++) {
        groups[i].group = g->groups[i];
        for (size_t l = 0; l < c->n_listeners && !groups[i].in_use; l++) {
            groups[i].in_use = uses(&c->listeners[l], &c->groups[i]);
            groups[i].node = bound(arg, l);
            groups[i].tests = c->nlb.connectivity_tests && groups[i].in_use &&
                              c->listeners[l].protocol == PROTOCOL_TLS;
        }
    }
    return 0;
}

struct generation *generation_new(const struct nlb_config *config,
                                  const struct process_cfg *process, struct registry *registry,
                                  struct err *err)
{
    struct generation *g = calloc(1, sizeof *g);

    if (g == NULL) {
        err_set(err, ERR_NOMEM, "configuration");
        return NULL;
    }
    atomic_init(&g->refs, 1);
    g->config = nlb_config_ref(config);
    g->process = process;
    name(g);
    if (build(g, registry, err) != 0) {
        generation_unref(g);
        return NULL;
    }
    return g;
}

void generation_ref(void *generation)
{
    struct generation *g = generation;

    atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
}

void generation_unref(void *generation)
{
    struct generation *g = generation;

    if (g == NULL || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; g->fronts != NULL && i < g->config->n_listeners; i++)
        front_free(g->fronts[i]);
    for (size_t i = 0; g->groups != NULL && i < g->config->n_groups; i++)
        group_free(g->groups[i]);
    for (size_t i = 0; i < g->n_judges; i++)
        validating_client_free(g->judges[i].judge);
    cert_lab_free(g->lab);
    free((void *)(uintptr_t)g->checks.groups);
    free((void *)(uintptr_t)g->checks.zones);
    free(g->judges);
    free(g->fronts);
    free(g->groups);
    nlb_config_unref(g->config);
    free(g);
}
