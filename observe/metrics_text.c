/* SPDX-License-Identifier: Apache-2.0
 * Metrics for machines: Prometheus' text, and CloudWatch's names and dimensions as JSON. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/foreign.h"
#include "observe/metrics.h"

enum kind { KIND_COUNTER, KIND_GAUGE };
enum unit { UNIT_COUNT, UNIT_BYTES };
enum dimensions { DIMENSIONS_LB, DIMENSIONS_AZ, DIMENSIONS_TG };
enum reported { REPORTED_ALWAYS, REPORTED_NONZERO };

static const struct row {
    const char *name, *prometheus, *help;
    enum kind kind;
    enum unit unit;
    enum dimensions dimensions;
    enum reported reported;
} metric_rows[METRIC_N] = {
#define METRIC(id, name, prometheus, kind, unit, dimensions, reported, help)                       \
    [METRIC_##id] = { name,                                                                        \
                      prometheus,                                                                  \
                      help,                                                                        \
                      KIND_##kind,                                                                 \
                      UNIT_##unit,                                                                 \
                      DIMENSIONS_##dimensions,                                                     \
                      REPORTED_##reported },
#include "observe/metrics.def"
#undef METRIC
};

static uint64_t hosts_of(const struct metrics_hosts *h, enum metric id)
{
    return id == METRIC_HEALTHY_HOSTS ? h->healthy : h->unhealthy;
}

/* --- Prometheus. Source: "Exposition formats", text-based format --- */
static void put_label(FILE *out, const char *separator, const char *name, const char *value)
{
    fprintf(out, "%s%s=\"", separator, name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '"' || *value == '\\')
            fprintf(out, "\\%c", *value);
        else
            fputc(*value, out);
    }
    fputc('"', out);
}

/* The labels are the dimensions in snake case, as promtool wants them. */
static void put_sample(FILE *out, const struct row *row, const struct metrics_view *v,
                       const char *zone, const char *group, uint64_t value)
{
    fputs(row->prometheus, out);
    put_label(out, "{", "load_balancer", v->load_balancer);
    if (row->dimensions != DIMENSIONS_LB && zone != NULL)
        put_label(out, ",", "availability_zone", zone);
    if (group != NULL)
        put_label(out, ",", "target_group", group);
    fprintf(out, "} %llu\n", (unsigned long long)value);
}

/* Ours, by the key that is the bound; CloudWatch has nothing like it. */
static void put_ceilings(FILE *out, const struct metrics_view *v)
{
    static const char name[] = "nlbsim_limit_reached_total";

    fprintf(out,
            "# HELP %s how often a limit of the configuration, or of descriptors, was reached.\n"
            "# TYPE %s counter\n",
            name, name);
    for (int i = 0; i < CEILING_N; i++) {
        fputs(name, out);
        put_label(out, "{", "load_balancer", v->load_balancer);
        put_label(out, ",", "limit", ceiling_key((enum ceiling)i));
        fprintf(out, "} %llu\n", (unsigned long long)ceiling_count(v->ceilings, (enum ceiling)i));
    }
}

char *metrics_prometheus(const struct metrics_view *v)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool failed;

    if (out == NULL)
        return NULL;
    for (int i = 0; i < METRIC_N; i++) {
        const struct row *row = &metric_rows[i];

        if (row->dimensions == DIMENSIONS_TG && v->n_hosts == 0)
            continue;
        fprintf(out, "# HELP %s CloudWatch %s: %s.\n# TYPE %s %s\n", row->prometheus, row->name,
                row->help, row->prometheus, row->kind == KIND_COUNTER ? "counter" : "gauge");
        for (size_t j = 0; row->dimensions == DIMENSIONS_TG && j < v->n_hosts; j++)
            put_sample(out, row, v, v->hosts[j].zone, v->hosts[j].target_group,
                       hosts_of(&v->hosts[j], (enum metric)i));
        if (row->dimensions != DIMENSIONS_TG)
            put_sample(out, row, v, v->zone, NULL, v->count[i]);
    }
    if (v->ceilings != NULL)
        put_ceilings(out, v);
    fprintf(out,
            "# HELP nlbsim_stalls_total how often a thread did not come round for two seconds.\n"
            "# TYPE nlbsim_stalls_total counter\nnlbsim_stalls_total %llu\n",
            (unsigned long long)v->stalls);
    failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* --- CloudWatch --- */
static void add_dimension(json_t *dimensions, const char *name, const char *value)
{
    if (value != NULL)
        json_array_append_new(dimensions, json_pack("{s:s, s:s}", "Name", name, "Value", value));
}

static void add_datum(json_t *data, const struct row *row, const struct metrics_view *v,
                      const char *zone, const char *group, uint64_t value)
{
    json_t *dimensions = json_array();

    if (row->reported == REPORTED_NONZERO && value == 0) {
        json_decref(dimensions);
        return;
    }
    add_dimension(dimensions, "AvailabilityZone", zone);
    add_dimension(dimensions, "LoadBalancer", v->load_balancer);
    add_dimension(dimensions, "TargetGroup", group);
    json_array_append_new(data, json_pack("{s:s, s:o, s:I, s:s}", "MetricName", row->name,
                                          "Dimensions", dimensions, "Value", (json_int_t)value,
                                          "Unit", row->unit == UNIT_COUNT ? "Count" : "Bytes"));
}

/* Per group over all zones, then per zone: the rows of one group stand together. */
static void add_hosts(json_t *data, enum metric id, const struct metrics_view *v)
{
    for (size_t i = 0; i < v->n_hosts; i++) {
        const struct metrics_hosts *h = &v->hosts[i];
        uint64_t sum = 0;

        if (i == 0 || h[-1].target_group != h->target_group) {
            for (size_t j = i; j < v->n_hosts && v->hosts[j].target_group == h->target_group; j++)
                sum += hosts_of(&v->hosts[j], id);
            add_datum(data, &metric_rows[id], v, NULL, h->target_group, sum);
        }
        add_datum(data, &metric_rows[id], v, h->zone, h->target_group, hosts_of(h, id));
    }
}

char *metrics_cloudwatch(const struct metrics_view *v)
{
    json_t *data = json_array();
    json_t *doc;
    char now[20], *text;

    for (int i = 0; i < METRIC_N; i++) {
        const struct row *row = &metric_rows[i];

        if (row->dimensions == DIMENSIONS_TG) {
            add_hosts(data, (enum metric)i, v);
            continue;
        }
        add_datum(data, row, v, NULL, NULL, v->count[i]);
        if (row->dimensions == DIMENSIONS_AZ && v->zone != NULL)
            add_datum(data, row, v, v->zone, NULL, v->count[i]);
    }
    clock_format_utc(clock_wall_s(), now, sizeof now);
    doc = json_pack("{s:s, s:s, s:s, s:o}", "Namespace", "AWS/NetworkELB", "Timestamp", now,
                    "Statistic", "sum since start, gauges as they are now", "MetricData", data);
    text = foreign_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(doc);
    return text;
}
