/* SPDX-License-Identifier: Apache-2.0
 * What may be asked of a running load balancer: listeners, targets, counters, flows, zones. */
#include "nlb/nlb_view.h"

#include <stdlib.h>
#include <string.h>

#include "nlb/admin.h"
#include "nlb/nlb_impl.h"

size_t nlb_listener_count(const struct nlb *nlb)
{
    return nlb->generation->config->n_listeners;
}

struct nlb_listener_info nlb_listener_at(const struct nlb *nlb, size_t i)
{
    const struct listener_cfg *cfg = &nlb->generation->config->listeners[i];

    return (struct nlb_listener_info){ cfg->obj.name, cfg->protocol,
                                       nlb->slots[nlb->slot_of[i]].bound };
}

size_t nlb_targets(const struct nlb *nlb, struct health_row **rows)
{
    return checker_snapshot(nlb->checker, rows);
}

uint64_t nlb_metric(const struct nlb *nlb, enum metric id)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < nlb->n_workers; i++)
        sum += metric_read(worker_metrics(nlb->workers[i]), id);
    return sum;
}

uint64_t nlb_active_flows(const struct nlb *nlb)
{
    return nlb_metric(nlb, METRIC_ACTIVE_FLOWS_TCP) + nlb_metric(nlb, METRIC_ACTIVE_FLOWS_TLS);
}

const struct addr *nlb_metrics_address(const struct nlb *nlb)
{
    return nlb->admin == NULL ? NULL : admin_address(nlb->admin);
}

/* --- for the read-only pages --- */
struct generation *nlb_generation_ref(struct nlb *nlb)
{
    struct generation *g;

    pthread_mutex_lock(&nlb->lock);
    g = nlb->generation;
    generation_ref(g);
    pthread_mutex_unlock(&nlb->lock);
    return g;
}

void nlb_gather(const struct nlb *nlb, struct metrics_view *view)
{
    for (size_t i = 0; i < nlb->n_workers; i++)
        metrics_gather(view, worker_metrics(nlb->workers[i]));
    metrics_total(view);
    view->ceilings = crowd_ceilings(nlb->crowd);
}

int nlb_flows(struct nlb *nlb, struct flow_view *out, size_t max, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < nlb->n_workers; i++) {
        size_t got = 0;

        if (worker_flows(nlb->workers[i], out + *n, max - *n, &got) != 0)
            return -1;
        *n += got;
    }
    return 0;
}

struct recent_events *nlb_recent(const struct nlb *nlb)
{
    return nlb->outputs.recent;
}

bool nlb_draining(const struct nlb *nlb)
{
    return atomic_load(&nlb->draining);
}

void nlb_zone(const struct generation *g, char out[NLB_ZONE_TEXT])
{
    const struct nlb_config *config = g->config;
    const char *zone = NULL;

    for (size_t i = 0; i < config->n_listeners && zone == NULL; i++)
        zone = config->listeners[i].zone;
    if (zone != NULL)
        snprintf(out, NLB_ZONE_TEXT, "%s", zone);
    else
        snprintf(out, NLB_ZONE_TEXT, "%.32sa", g->process->region);
}

bool nlb_has_zones(const struct nlb_config *config)
{
    for (size_t i = 1; i < config->n_listeners; i++) {
        const char *a = config->listeners[i - 1].zone, *b = config->listeners[i].zone;

        if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
            return true;
    }
    return false;
}
