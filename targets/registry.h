/* SPDX-License-Identifier: Apache-2.0
 * Registered targets beyond configuration generations: one object per target group (by name) and
 * address, which every generation that registers the target shares. It holds what the checks found
 * and every worker reads. */
#ifndef TARGETS_REGISTRY_H
#define TARGETS_REGISTRY_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "core/addr.h"
#include "targets/health.h"

/* What shall become of the flows of a target. */
enum target_flows {
    TARGET_FLOWS_LIVE,
    TARGET_FLOWS_LOST, /* their next packet is answered with RST */
    TARGET_FLOWS_END,  /* they end now */
};

struct registration {
    LIST_ENTRY(registration) all; /* the registry's */
    struct registry *registry;
    atomic_uint refs;
    /* What the data plane has heard of it, which may lag; written by the checker; new ones are
     * initial. */
    _Atomic(enum health_state) state;
    _Atomic(enum target_flows) flows; /* written by the checker */
    char group[64];
    char zone[64];  /* empty: none given */
    char seen[160]; /* by the last check, for people; under the registry's lock */
    struct addr addr;
};

struct registry;
struct registry *registry_new(void); /* NULL: no memory */
/* Every registration must be gone. NULL is fine. */
void registry_free(struct registry *r);
/* The registration of that name and address, made when there is none; one reference, NULL when
 * memory is out. From any thread. */
struct registration *registry_get(struct registry *r, const char *group, const struct addr *addr);
/* All registrations of a group, each with a reference, in an array to free(); NULL and `*n` 0 when
 * there is none or memory is out. */
struct registration **registry_list(struct registry *r, const char *group, size_t *n);
struct registration *registration_ref(struct registration *reg);
void registration_unref(struct registration *reg); /* NULL is fine */

/* What the last check saw; empty: it passed. From any thread. */
void registration_note_seen(struct registration *reg, const char *seen);
void registration_seen(const struct registration *reg, char out[160]);

static inline enum health_state registration_state(const struct registration *reg)
{
    return atomic_load_explicit(&reg->state, memory_order_relaxed);
}
static inline enum target_flows registration_flows(const struct registration *reg)
{
    return atomic_load_explicit(&reg->flows, memory_order_acquire);
}

#endif
