/* SPDX-License-Identifier: Apache-2.0
 * Names of a configuration: which ones there may be, and what bears one. */
#include <string.h>

#include "nlb/config_impl.h"

static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static bool made_of(const char *name, const char *extra)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++) {
        if (strchr(alnum, name[i]) == NULL && strchr(extra, name[i]) == NULL)
            return false;
    }
    return n >= 1 && n <= 32;
}

bool config_aws_name(const char *name)
{
    return made_of(name, "-") && name[0] != '-' && name[strlen(name) - 1] != '-';
}

bool config_plain_name(const char *name)
{
    return made_of(name, "-_.");
}

struct cfg_object *config_item(const struct config_list *list, size_t i)
{
    return (struct cfg_object *)((unsigned char *)list->items + i * list->kind->size);
}

size_t nlb_config_bind_lab(struct nlb_config *config, const char *name, const struct addr *addr)
{
    size_t bound = 0;

    for (size_t i = 0; i < config->n_groups; i++) {
        for (size_t j = 0; j < config->groups[i].n_targets; j++) {
            struct target_cfg *t = &config->groups[i].targets[j];

            if (t->lab != NULL && strcmp(t->lab, name) == 0) {
                t->addr = *addr;
                bound++;
            }
        }
    }
    return bound;
}

struct aws_identity nlb_identity(const struct process_cfg *p)
{
    return (struct aws_identity){ p->name, p->load_balancer_id, p->region, p->account_id };
}

const struct listener_cfg *nlb_config_listener(const struct nlb_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        if (strcmp(config->listeners[i].obj.name, name) == 0)
            return &config->listeners[i];
    }
    return NULL;
}

const struct target_group_cfg *nlb_config_group(const struct nlb_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_groups; i++) {
        if (strcmp(config->groups[i].obj.name, name) == 0)
            return &config->groups[i];
    }
    return NULL;
}

const struct config_list *nlb_config_list(const struct nlb_config *config, const char *kind)
{
    for (size_t i = 0; i < config->n_lists; i++) {
        if (strcmp(config->lists[i].kind->name, kind) == 0)
            return &config->lists[i];
    }
    return NULL;
}
