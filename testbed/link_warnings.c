/* SPDX-License-Identifier: Apache-2.0
 * What a file may say and AWS accepts, although no VPC link can work with it. */
#include "testbed/link_warnings.h"

#include <stdio.h>
#include <string.h>

#include "listeners/policies.h"
#include "testbed/sections.h"
#include "tls/tls_params.h"

/* "API Gateway only supports TLS 1.2 on egress". */
#define EGRESS                                                                                     \
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/"                                \
    "apigateway-security-policies-list.html"

static const struct lab_target_cfg *find_lab(const struct nlb_config *c, const char *name)
{
    size_t n;
    const struct lab_target_cfg *all = lab_config_targets(c, &n);

    for (size_t i = 0; name != NULL && i < n; i++) {
        if (strcmp(all[i].obj.name, name) == 0)
            return &all[i];
    }
    return NULL;
}

static void warn_listener(const struct integration_cfg *g, const struct listener_cfg *l,
                          link_warning_cb *say, void *user)
{
    char text[640];

    if (tls_list_has(l->policy->versions, TLS_1_2))
        return;
    snprintf(
        text, sizeof text,
        "listener '%s' has TLS 1.3 only (%s), and API Gateway speaks TLS 1.2 only toward "
        "backends: no VPC link can reach it, so integration '%s' will fail; take a policy with "
        "TLS 1.2, such as ELBSecurityPolicy-TLS13-1-2-Res-2021-06 (" EGRESS ")",
        l->obj.name, l->policy->name, g->obj.name);
    say(user, cfg_line(&l->obj, "ssl_policy"), text);
}

/* Behind a TCP listener the gateway makes TLS with the target itself. */
static void warn_targets(const struct nlb_config *c, const struct integration_cfg *g,
                         const struct listener_cfg *l, link_warning_cb *say, void *user)
{
    char text[640];

    for (size_t i = 0; i < l->n_forwards; i++) {
        const struct target_group_cfg *group = l->forwards[i].group;

        for (size_t j = 0; j < group->n_targets; j++) {
            const struct lab_target_cfg *t = find_lab(c, group->targets[j].lab);

            if (t == NULL || t->protocol != LAB_HTTPS || t->tls_min != LAB_TLS_1_3)
                continue;
            snprintf(
                text, sizeof text,
                "lab target '%s' has TLS 1.3 only and stands behind the TCP listener '%s', and "
                "API Gateway speaks TLS 1.2 only toward backends: integration '%s' will fail; "
                "let it take TLS 1.2, too (" EGRESS ")",
                t->obj.name, l->obj.name, g->obj.name);
            say(user, cfg_line(&t->obj, "tls_min"), text);
        }
    }
}

void lab_config_link_warnings(const struct nlb_config *c, link_warning_cb *say, void *user)
{
    size_t n;
    const struct integration_cfg *all = lab_config_integrations(c, &n);

    for (size_t i = 0; i < n; i++) {
        const struct integration_cfg *g = &all[i];
        const struct listener_cfg *l =
            g->listener == NULL ? NULL : nlb_config_listener(c, g->listener);

        if (l == NULL || strncmp(g->uri, "https:", 6) != 0)
            continue;
        if (l->protocol == PROTOCOL_TLS)
            warn_listener(g, l, say, user);
        else
            warn_targets(c, g, l, say, user);
    }
}
