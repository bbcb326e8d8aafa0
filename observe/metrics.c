/* SPDX-License-Identifier: Apache-2.0
 * Counters of one worker, and their sum. */
#include "observe/metrics.h"

#include <stddef.h>

static const char *const metric_names[METRIC_N] = {
#define METRIC(id, name, prometheus, kind, unit, dimensions, reported, help) [METRIC_##id] = name,
#include "observe/metrics.def"
#undef METRIC
};

void metric_add(struct metrics *m, enum metric id, uint64_t n)
{
    if (id == METRIC_NONE)
        return;
    /* One writer: a plain load and store cost less than a locked addition. */
    atomic_store_explicit(&m->count[id],
                          atomic_load_explicit(&m->count[id], memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void metric_sub(struct metrics *m, enum metric id, uint64_t n)
{
    metric_add(m, id, UINT64_C(0) - n);
}

uint64_t metric_read(const struct metrics *m, enum metric id)
{
    return atomic_load_explicit(&m->count[id], memory_order_relaxed);
}

const char *metric_name(enum metric id)
{
    return id == METRIC_NONE ? NULL : metric_names[id];
}

void metrics_gather(struct metrics_view *view, const struct metrics *m)
{
    for (int i = 0; i < METRIC_N; i++)
        view->count[i] += metric_read(m, (enum metric)i);
}

void metrics_total(struct metrics_view *view)
{
    uint64_t *n = view->count;

    n[METRIC_ACTIVE_FLOWS] = n[METRIC_ACTIVE_FLOWS_TCP] + n[METRIC_ACTIVE_FLOWS_TLS];
    n[METRIC_NEW_FLOWS] = n[METRIC_NEW_FLOWS_TCP] + n[METRIC_NEW_FLOWS_TLS];
    n[METRIC_PROCESSED_BYTES] = n[METRIC_PROCESSED_BYTES_TCP] + n[METRIC_PROCESSED_BYTES_TLS];
}
