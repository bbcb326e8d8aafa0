/* SPDX-License-Identifier: Apache-2.0
 * Counters of one worker, their sum, and the sum as text. Only its own thread adds to a worker's
 * counters; any thread may read. */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/ceilings.h"

enum metric {
#define METRIC(id, name, prometheus, kind, unit, dimensions, reported, help) METRIC_##id,
#include "observe/metrics.def"
#undef METRIC
    METRIC_N,
    METRIC_NONE = METRIC_N,
};

struct metrics {
    _Atomic uint64_t count[METRIC_N];
};

/* METRIC_NONE counts nothing. */
void metric_add(struct metrics *m, enum metric id, uint64_t n);
void metric_sub(struct metrics *m, enum metric id, uint64_t n); /* gauges */
uint64_t metric_read(const struct metrics *m, enum metric id);
/* CloudWatch's name; NULL for METRIC_NONE. */
const char *metric_name(enum metric id);

/* --- all of them, at one moment --- */
/* Targets of one group in one zone. */
struct metrics_hosts {
    const char *target_group; /* "targetgroup/NAME/ID" */
    const char *zone;
    uint64_t healthy, unhealthy;
};
struct metrics_view {
    uint64_t count[METRIC_N];
    const char *load_balancer; /* "net/NAME/ID" */
    const char *zone;          /* of the load balancer's one node; NULL: there are several */
    const struct metrics_hosts *hosts;
    size_t n_hosts;
    const struct ceilings *ceilings; /* NULL: not told; Prometheus alone has them */
    uint64_t stalls; /* of threads of this process; Prometheus only: AWS has no such thing */
};
/* Add one worker's counters; after the last one, metrics_total() makes the rows that are sums. */
void metrics_gather(struct metrics_view *view, const struct metrics *m);
void metrics_total(struct metrics_view *view);

/* Prometheus' text format, version 0.0.4. Allocated; NULL without memory. */
char *metrics_prometheus(const struct metrics_view *view);
/* JSON in the shape of CloudWatch's PutMetricData: Namespace, MetricData of MetricName, Dimensions,
 * Value, Unit. Allocated; NULL without memory. */
char *metrics_cloudwatch(const struct metrics_view *view);

#endif
