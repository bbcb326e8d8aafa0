/* SPDX-License-Identifier: Apache-2.0
 * The embedded targets: every [lab_target] of a configuration as a real HTTP or HTTPS server on one
 * thread of its own, which answers any request with a JSON description of what it saw
 * (docs/lab-target.md). */
#ifndef LABTARGET_LAB_TARGET_H
#define LABTARGET_LAB_TARGET_H

#include <stddef.h>

#include "core/addr.h"
#include "core/err.h"
#include "labtarget/target_cfg.h"

struct lab_targets;
struct lab_targets_change;

/* The lab targets of one configuration. */
struct lab_target_source {
    const struct lab_target_cfg *cfgs; /* checked, with their certificates */
    size_t n;
    void *owner; /* what `cfgs` and certificates live in: each target keeps a reference */
    void (*ref_cb)(void *owner);
    void (*unref_cb)(void *owner);
    /* Where others find the target, with the port that was chosen. Before anything is committed. */
    void (*bound_cb)(void *owner, const char *name, const struct addr *at);
};

/*
 * Listen for every target of `source` and serve from a thread of its own.
 *   source    read during the call; what it points to lives as long as there are references
 *   returns   the running set (an empty one without a thread when there is no target), or NULL with
 *             the reason in `err`. tls_init() must have been called.
 */
struct lab_targets *lab_targets_start(const struct lab_target_source *source, struct err *err);
/* Close everything, join the thread, free. NULL is fine. */
void lab_targets_stop(struct lab_targets *targets);

/*
 * Another generation of the file (reload): new targets, other settings, other addresses. Nothing
 * changes before the commit, but new addresses listen already.
 *   source    as above
 *   returns   to be committed or dropped; NULL with the reason in `err`
 * A target whose `listen` stays keeps its socket (with port 0: its port). Connections that run keep
 * the settings they began with.
 */
struct lab_targets_change *lab_targets_prepare(struct lab_targets *targets,
                                               const struct lab_target_source *source,
                                               struct err *err);
void lab_targets_commit(struct lab_targets_change *change); /* in effect on return; freed */
void lab_targets_drop(struct lab_targets_change *change);   /* nothing has changed; NULL is fine */

size_t lab_targets_count(const struct lab_targets *targets); /* 0 for NULL */
/* Borrowed, in file order; `i` below the count. */
const struct lab_target_info *lab_targets_at(const struct lab_targets *targets, size_t i);

#endif
