/* SPDX-License-Identifier: Apache-2.0
 * Counters of one worker. */
#include "observe/metrics.h"

#include <stddef.h>

static const char *const names[METRIC_N] = {
#define METRIC(id, name, help) [METRIC_##id] = name,
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

uint64_t metric_read(const struct metrics *m, enum metric id)
{
    return atomic_load_explicit(&m->count[id], memory_order_relaxed);
}

const char *metric_name(enum metric id)
{
    return id == METRIC_NONE ? NULL : names[id];
}
