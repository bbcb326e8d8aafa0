/* SPDX-License-Identifier: Apache-2.0
 * Counters of one worker. Only its own thread adds; any thread may read. */
#ifndef OBSERVE_METRICS_H
#define OBSERVE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

enum metric {
#define METRIC(id, name, help) METRIC_##id,
#include "observe/metrics.def"
#undef METRIC
    METRIC_N,
    METRIC_NONE = METRIC_N,
};

struct metrics {
    _Atomic uint64_t count[METRIC_N];
    _Atomic uint64_t active_flows;
};

/* METRIC_NONE counts nothing. */
void metric_add(struct metrics *m, enum metric id, uint64_t n);
uint64_t metric_read(const struct metrics *m, enum metric id);
/* CloudWatch's name; NULL for METRIC_NONE. */
const char *metric_name(enum metric id);

#endif
