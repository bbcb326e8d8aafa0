/* SPDX-License-Identifier: Apache-2.0
 * Find the security policies and ALPN policies that TLS listeners name. */
#include "listeners/alpn.h"
#include "listeners/policies.h"
#include "nlb/config_impl.h"

static const char *nearest_text(const char *nearest, char *out, size_t size)
{
    out[0] = '\0';
    if (nearest != NULL)
        snprintf(out, size, "; did you mean '%s'?", nearest);
    return out;
}

static void find_policies(struct listener_cfg *l, struct problems *problems)
{
    char hint[128];

    l->policy = policy_find(l->ssl_policy);
    if (l->policy == NULL)
        problems_add(problems, cfg_line(&l->obj, "ssl_policy"),
                     "unknown ssl_policy '%s'%s (all of them: nlbsim policies)", l->ssl_policy,
                     nearest_text(policy_nearest(l->ssl_policy), hint, sizeof hint));
    l->alpn = alpn_find(l->alpn_policy);
    if (l->alpn == NULL)
        problems_add(problems, cfg_line(&l->obj, "alpn_policy"),
                     "unknown alpn_policy '%s'%s (allowed: None, HTTP1Only, HTTP2Only, "
                     "HTTP2Optional, HTTP2Preferred)",
                     l->alpn_policy, nearest_text(alpn_nearest(l->alpn_policy), hint, sizeof hint));
}

void config_find_policies(struct nlb_config *c, struct problems *problems)
{
    for (size_t i = 0; i < c->n_listeners; i++) {
        if (c->listeners[i].protocol == PROTOCOL_TLS)
            find_policies(&c->listeners[i], problems);
    }
}
