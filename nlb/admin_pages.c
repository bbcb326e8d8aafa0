/* SPDX-License-Identifier: Apache-2.0
 * The read-only pages: metrics, health, targets, live flows, recent trouble. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cfg_key.h"
#include "core/foreign.h"
#include "core/http.h"
#include "core/watch.h"
#include "nlb/admin_host.h"
#include "nlb/admin_pages.h"
#include "nlb/generation.h"
#include "nlb/nlb_view.h"

#define FLOWS_DEFAULT 100
#define FLOWS_MAX     10000 /* copied by a worker in one turn */

#define TEXT_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define TEXT_PLAIN   "text/plain; charset=utf-8"
#define TEXT_JSON    "application/json"

static struct admin_page json_page(unsigned status, json_t *doc)
{
    struct admin_page page = { .status = status, .content_type = TEXT_JSON };
    char *text = doc == NULL ? NULL : foreign_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    size_t n = text == NULL ? 0 : strlen(text);

    json_decref(doc);
    page.body = text == NULL ? NULL : realloc(text, n + 2);
    if (page.body != NULL)
        memcpy(page.body + n, "\n", 2);
    else
        free(text);
    return page;
}

static struct admin_page problem(unsigned status, const char *text)
{
    return json_page(status, json_pack("{s:s}", "error", text));
}

static json_t *text_json(const char *text)
{
    return text[0] == '\0' ? json_null() : foreign_json(text);
}

/* --- the query --- */
/* The value of `name` in "a=1&b=2", into `out`. False when it is not there. */
static bool query_value(const char *query, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);

    for (const char *at = query; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, "&");

        if (length > n && strncmp(at, name, n) == 0 && at[n] == '=') {
            snprintf(out, size, "%.*s", (int)(length - n - 1), at + n + 1);
            return true;
        }
        at += length + (at[length] == '&');
    }
    return false;
}

static int query_number(const char *query, const char *name, uint64_t max, uint64_t *out)
{
    char text[24];

    return query_value(query, name, text, sizeof text) ? cfg_parse_uint(text, 0, max, out) : 0;
}

/* --- targets --- */
/* One entry of TargetHealthDescriptions, and what else is known here. */
static json_t *target_json(const struct health_row *row, const struct target_group_cfg *group,
                           const char *zone)
{
    char host[ADDR_TEXT_MAX], port[8];
    json_t *health = json_pack("{s:s}", "State", health_state_name(row->state));

    snprintf(port, sizeof port, "%u",
             group->health.port != 0 ? (unsigned)group->health.port : addr_port(&row->addr));
    if (row->reason != HEALTH_REASON_NONE) {
        json_object_set_new(health, "Reason", json_string(health_reason_code(row->reason)));
        json_object_set_new(health, "Description", json_string(health_reason_text(row->reason)));
    }
    return json_pack("{s:{s:s, s:i, s:s}, s:s, s:o, s:I, s:o}", "Target", "Id",
                     addr_format_host(&row->addr, host), "Port", (int)addr_port(&row->addr),
                     "AvailabilityZone", row->zone[0] != '\0' ? row->zone : zone, "HealthCheckPort",
                     port, "TargetHealth", health, "Checks", (json_int_t)row->checks, "LastCheck",
                     text_json(row->detail));
}

static json_t *group_json(const struct process_cfg *process, const struct target_group_cfg *group,
                          const struct health_row *rows, size_t n, const char *zone)
{
    const struct aws_identity who = nlb_identity(process);
    char resource[AWS_ELB_TEXT], arn[AWS_ARN_TEXT];
    json_t *targets = json_array();

    aws_target_group(resource, &who, group->obj.name);
    aws_arn(arn, &who, "elasticloadbalancing", resource);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].group, group->obj.name) == 0)
            json_array_append_new(targets, target_json(&rows[i], group, zone));
    }
    return json_pack("{s:s, s:s, s:s, s:o}", "TargetGroupName", group->obj.name, "TargetGroupArn",
                     arn, "Protocol", protocol_name(group->protocol), "TargetHealthDescriptions",
                     targets);
}

static struct admin_page targets_page(struct nlb *nlb, const char *query)
{
    struct generation *g = nlb_generation_ref(nlb);
    json_t *groups = json_array();
    char zone[NLB_ZONE_TEXT];
    struct health_row *rows;
    size_t n = nlb_targets(nlb, &rows);

    (void)query;
    nlb_zone(g, zone);
    for (size_t i = 0; i < g->config->n_groups; i++)
        json_array_append_new(groups, group_json(g->process, &g->config->groups[i], rows, n, zone));
    generation_unref(g);
    free(rows);
    return json_page(200, json_pack("{s:o}", "TargetGroups", groups));
}

/* --- metrics --- */
/* Hosts per group and zone, rows of one group together. Targets that are neither healthy nor
 * unhealthy (initial, draining, unused) count nowhere: inferred. */
struct hosts {
    struct health_row *rows; /* owned; the zones' names */
    char (*names)[AWS_ELB_TEXT];
    struct metrics_hosts *at;
    size_t n;
};

static struct metrics_hosts *hosts_row(struct hosts *h, size_t first, const char *group,
                                       const char *zone)
{
    for (size_t i = first; i < h->n; i++) {
        if (strcmp(h->at[i].zone, zone) == 0)
            return &h->at[i];
    }
    h->at[h->n] = (struct metrics_hosts){ .target_group = group, .zone = zone };
    return &h->at[h->n++];
}

static int hosts_count(struct hosts *h, struct nlb *nlb, const struct generation *g,
                       const char *zone)
{
    const struct nlb_config *config = g->config;
    const struct aws_identity who = nlb_identity(g->process);
    size_t n = nlb_targets(nlb, &h->rows);

    h->at = calloc(n + 1, sizeof *h->at);
    h->names = calloc(config->n_groups + 1, sizeof *h->names);
    if (h->at == NULL || h->names == NULL)
        return -1;
    for (size_t i = 0; i < config->n_groups; i++) {
        const char *group = config->groups[i].obj.name;
        size_t first = h->n;

        aws_target_group(h->names[i], &who, group);
        for (size_t t = 0; t < n; t++) {
            const struct health_row *row = &h->rows[t];
            struct metrics_hosts *hosts;

            if (strcmp(row->group, group) != 0 || row->state == HEALTH_UNUSED)
                continue;
            hosts = hosts_row(h, first, h->names[i], row->zone[0] != '\0' ? row->zone : zone);
            hosts->healthy += health_is_healthy(row->state);
            hosts->unhealthy += health_is_unhealthy(row->state);
        }
    }
    return 0;
}

static void hosts_clear(struct hosts *h)
{
    free(h->rows);
    free(h->names);
    free(h->at);
}

static struct admin_page metrics_page(struct nlb *nlb, const char *query)
{
    struct admin_page page = { .status = 200, .content_type = TEXT_METRICS };
    char format[16] = "prometheus", zone[NLB_ZONE_TEXT];
    struct metrics_view view = { .zone = zone };
    struct hosts hosts = { 0 };
    struct generation *g;
    bool cloudwatch;

    (void)query_value(query, "format", format, sizeof format);
    cloudwatch = strcmp(format, "cloudwatch") == 0;
    if (!cloudwatch && strcmp(format, "prometheus") != 0)
        return problem(400, "format is prometheus or cloudwatch");
    g = nlb_generation_ref(nlb);
    nlb_zone(g, zone);
    if (nlb_has_zones(g->config))
        view.zone = NULL;
    view.load_balancer = g->elb;
    view.stalls = watch_stalls();
    nlb_gather(nlb, &view);
    if (hosts_count(&hosts, nlb, g, zone) == 0) {
        view.hosts = hosts.at;
        view.n_hosts = hosts.n;
        page.body = cloudwatch ? metrics_cloudwatch(&view) : metrics_prometheus(&view);
    }
    if (cloudwatch)
        page.content_type = TEXT_JSON;
    hosts_clear(&hosts);
    generation_unref(g);
    return page;
}

/* --- flows --- */
static json_t *address_json(const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    return a->len == 0 ? json_null() : json_string(addr_format(a, text));
}

static json_t *flow_json(const struct flow_view *v)
{
    json_t *name = text_json(v->server_name);

    return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:b}",
                     "flow", (json_int_t)v->id, "listener", v->listener, "protocol",
                     protocol_name(v->protocol), "state", flow_state_name(v->state), "client",
                     address_json(&v->client), "address", address_json(&v->local), "target_group",
                     text_json(v->target_group), "target", address_json(&v->target), "server_name",
                     name != NULL ? name : json_null(), "age_ms", (json_int_t)v->age_ms, "idle_ms",
                     (json_int_t)v->idle_ms, "received_bytes", (json_int_t)v->received_bytes,
                     "sent_bytes", (json_int_t)v->sent_bytes, "spliced", (int)v->spliced);
}

static struct admin_page flows_page(struct nlb *nlb, const char *query)
{
    uint64_t limit = FLOWS_DEFAULT;
    struct flow_view *views;
    json_t *flows;
    size_t n = 0;

    if (query_number(query, "limit", FLOWS_MAX, &limit) != 0)
        return problem(400, "limit is a number up to 10000");
    views = malloc((limit + 1) * sizeof *views);
    if (views == NULL)
        return (struct admin_page){ .status = 500 };
    if (nlb_flows(nlb, views, limit, &n) != 0) {
        free(views);
        return problem(503, "a worker is too busy to answer; ask again");
    }
    flows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(flows, flow_json(&views[i]));
    free(views);
    return json_page(200, json_pack("{s:I, s:I, s:o}", "active", (json_int_t)nlb_active_flows(nlb),
                                    "shown", (json_int_t)n, "flows", flows));
}

static struct admin_page events_page(struct nlb *nlb, const char *query)
{
    struct admin_page page = { .status = 200, .content_type = "application/x-ndjson" };
    uint64_t after = 0, last = 0;

    if (query_number(query, "after", UINT64_MAX, &after) != 0)
        return problem(400, "after is a number");
    page.body = recent_events_text(nlb_recent(nlb), after, &last);
    snprintf(page.extra, sizeof page.extra, "Nlbsim-Last: %llu\r\n", (unsigned long long)last);
    return page;
}

static struct admin_page health_page(struct nlb *nlb, const char *query)
{
    bool draining = nlb_draining(nlb);
    char reason[WATCH_TEXT];
    bool stalled = watch_stalled(reason);

    (void)query;
    return json_page(stalled || draining ? 503 : 200,
                     json_pack("{s:s, s:o*, s:I}", "status",
                               stalled    ? "stalled"
                               : draining ? "draining"
                                          : "ok",
                               "reason", stalled ? json_string(reason) : NULL, "active_flows",
                               (json_int_t)nlb_active_flows(nlb)));
}

static struct admin_page index_page(struct nlb *nlb, const char *query)
{
    (void)nlb, (void)query;
    return (struct admin_page){
        .status = 200,
        .content_type = TEXT_PLAIN,
        .body = strdup("nlbsim\n\n/metrics                    Prometheus\n"
                       "/metrics?format=cloudwatch  CloudWatch's names and dimensions, JSON\n"
                       "/healthz                    200 while new flows are accepted and every "
                       "worker comes round\n"
                       "/targets                    target groups and their targets' health\n"
                       "/flows?limit=100            live flows, the newest first\n"
                       "/events?after=0             flows that failed or look odd, JSON lines\n"),
    };
}

/* A name that nobody listed may be an attacker's that resolves to this machine. */
static bool served_here(struct nlb *nlb, const struct http_message *request)
{
    struct generation *g = nlb_generation_ref(nlb);
    bool served =
        admin_host_served(request, g->config->nlb.metrics_hosts, g->config->nlb.n_metrics_hosts);

    generation_unref(g);
    return served;
}

struct admin_page admin_page_cb(void *arg, const struct http_message *request)
{
    static const struct {
        const char *path;
        struct admin_page (*make)(struct nlb *nlb, const char *query);
    } pages[] = {
        { "/", index_page },          { "/metrics", metrics_page }, { "/healthz", health_page },
        { "/targets", targets_page }, { "/flows", flows_page },     { "/events", events_page },
    };
    struct nlb *nlb = arg;
    const char *target = request->target;
    size_t n = strcspn(target, "?");

    if (!served_here(nlb, request))
        return problem(421, "the Host of this request is neither an address nor localhost; to be "
                            "asked under another name, list it: [nlb] metrics_host = NAME");
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strlen(pages[i].path) == n && strncmp(pages[i].path, target, n) == 0)
            return pages[i].make(nlb, target[n] == '?' ? target + n + 1 : "");
    }
    return problem(404, "there is /metrics, /healthz, /targets, /flows and /events");
}
