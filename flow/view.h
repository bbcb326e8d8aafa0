/* SPDX-License-Identifier: Apache-2.0
 * A live flow as plain data, for people who look from outside. */
#ifndef FLOW_VIEW_H
#define FLOW_VIEW_H

#include "flow/flow.h"

/* A copy: nothing in it points into the flow or its configuration. */
struct flow_view {
    uint64_t id, age_ms, idle_ms, received_bytes, sent_bytes;
    enum protocol protocol;
    enum flow_state state;
    struct addr client, local, target;
    char listener[40], target_group[40];
    char server_name[256]; /* what the client sent; empty: none, or not known */
    bool spliced;
};

/* Copy up to `max` flows of the worker, newest first; returns how many. Own thread only. */
size_t flow_views(const struct flow_env *env, struct flow_view *out, size_t max);

#endif
