/* SPDX-License-Identifier: Apache-2.0
 * Registered targets beyond configuration generations. */
#include "targets/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct registry {
    pthread_mutex_t lock;
    LIST_HEAD(, registration) all;
};

struct registry *registry_new(void)
{
    struct registry *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    pthread_mutex_init(&r->lock, NULL);
    LIST_INIT(&r->all);
    return r;
}

void registry_free(struct registry *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static struct registration *find_registration(const struct registry *r, const char *group,
                                              const struct addr *addr)
{
    struct registration *reg;

    LIST_FOREACH(reg, &r->all, all)
    {
        if (addr_equal(&reg->addr, addr) && strcmp(reg->group, group) == 0)
            return reg;
    }
    return NULL;
}

struct registration *registry_get(struct registry *r, const char *group, const struct addr *addr)
{
    struct registration *reg;

    pthread_mutex_lock(&r->lock);
    reg = find_registration(r, group, addr);
    if (reg != NULL) {
        (void)registration_ref(reg);
    } else if ((reg = calloc(1, sizeof *reg)) != NULL) {
        reg->registry = r;
        atomic_init(&reg->refs, 1);
        atomic_init(&reg->state, HEALTH_INITIAL);
        atomic_init(&reg->flows, TARGET_FLOWS_LIVE);
        snprintf(reg->group, sizeof reg->group, "%s", group);
        reg->addr = *addr;
        LIST_INSERT_HEAD(&r->all, reg, all);
    }
    pthread_mutex_unlock(&r->lock);
    return reg;
}

struct registration **registry_list(struct registry *r, const char *group, size_t *n)
{
    struct registration *reg, **list = NULL;
    size_t all = 0;

    *n = 0;
    pthread_mutex_lock(&r->lock);
    LIST_FOREACH(reg, &r->all, all)
    all++;
    list = calloc(all + 1, sizeof(struct registration *));
    LIST_FOREACH(reg, &r->all, all)
    {
        if (list != NULL && strcmp(reg->group, group) == 0)
            list[(*n)++] = registration_ref(reg);
    }
    pthread_mutex_unlock(&r->lock);
    return list;
}

void registration_note_seen(struct registration *reg, const char *seen)
{
    pthread_mutex_lock(&reg->registry->lock);
    snprintf(reg->seen, sizeof reg->seen, "%s", seen);
    pthread_mutex_unlock(&reg->registry->lock);
}

void registration_seen(const struct registration *reg, char out[160])
{
    pthread_mutex_lock(&reg->registry->lock);
    memcpy(out, reg->seen, sizeof reg->seen);
    pthread_mutex_unlock(&reg->registry->lock);
}

struct registration *registration_ref(struct registration *reg)
{
    atomic_fetch_add_explicit(&reg->refs, 1, memory_order_relaxed);
    return reg;
}

void registration_unref(struct registration *reg)
{
    struct registry *r;
    bool last;

    if (reg == NULL)
        return;
    r = reg->registry;
    /* Under the lock, so that nobody finds it between the last reference and its removal. */
    pthread_mutex_lock(&r->lock);
    last = atomic_fetch_sub_explicit(&reg->refs, 1, memory_order_acq_rel) == 1;
    if (last)
        LIST_REMOVE(reg, all);
    pthread_mutex_unlock(&r->lock);
    if (last)
        free(reg);
}
