/* SPDX-License-Identifier: Apache-2.0
 * The embedded targets: every [lab_target] of a configuration as a real HTTP or HTTPS server on one
 * thread of its own, which answers any request with a JSON description of what it saw
 * (docs/lab-target.md). */
#ifndef LABTARGET_LAB_TARGET_H
#define LABTARGET_LAB_TARGET_H

#include <stddef.h>

#include "core/addr.h"
#include "core/err.h"
#include "nlb/config.h"

struct lab_targets;
struct lab_targets_change;

struct lab_target_info {
    const char *name;     /* of "[lab_target NAME]" */
    const char *protocol; /* "HTTP" or "HTTPS" */
    struct addr addr;     /* where it listens, with the port that was chosen */
};

/*
 * Listen for every [lab_target] of `config` and serve from a thread of its own.
 *   config    loaded with its certificates; the addresses are bound into it (nlb_config_bind_lab),
 *             so call this before it is shared. Each target keeps a reference.
 *   returns   the running set (an empty one without a thread when the file has no lab target), or
 *             NULL with the reason in `err`. tls_init() must have been called.
 */
struct lab_targets *lab_targets_start(struct nlb_config *config, struct err *err);
/* Close everything, join the thread, free. NULL is fine. */
void lab_targets_stop(struct lab_targets *targets);

/*
 * Another generation of the file (reload): new targets, other settings, other addresses. Nothing
 * changes before the commit, but new addresses listen already.
 *   config    as above
 *   returns   to be committed or dropped; NULL with the reason in `err`
 * A target whose `listen` stays keeps its socket (with port 0: its port). Connections that run keep
 * the settings they began with.
 */
struct lab_targets_change *lab_targets_prepare(struct lab_targets *targets,
                                               struct nlb_config *config, struct err *err);
void lab_targets_commit(struct lab_targets_change *change); /* in effect on return; freed */
void lab_targets_drop(struct lab_targets_change *change);   /* nothing has changed; NULL is fine */

size_t lab_targets_count(const struct lab_targets *targets); /* 0 for NULL */
/* Borrowed, in file order; `i` below the count. */
const struct lab_target_info *lab_targets_at(const struct lab_targets *targets, size_t i);

#endif
