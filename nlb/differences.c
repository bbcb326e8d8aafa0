/* SPDX-License-Identifier: Apache-2.0
 * Where this build acts otherwise than AWS, or AWS's behaviour is unknown, for one configuration.
 */
#include "nlb/differences.h"

#include <string.h>

#include "listeners/alpn.h"
#include "listeners/policies.h"
#include "nlb/quotas.h"

static bool any_listener(const struct listener_cfg *l)
{
    (void)l;
    return true;
}

static bool is_tls(const struct listener_cfg *l)
{
    return l->protocol == PROTOCOL_TLS;
}

static bool default_policy(const struct listener_cfg *l)
{
    return is_tls(l) && cfg_line(&l->obj, "ssl_policy") == 0;
}

static bool to_tls_targets(const struct listener_cfg *l)
{
    return is_tls(l) && l->forwards[0].group->protocol == PROTOCOL_TLS;
}

static bool alpn_to_tls_targets(const struct listener_cfg *l)
{
    return to_tls_targets(l) && l->alpn->protocols[0] != NULL;
}

static bool odd_keys(const struct listener_cfg *l)
{
    return is_tls(l) && l->allow_unsupported_keys;
}

/* Sources are those of facts that docs/differences.md lists. */
static const struct {
    bool (*applies)(const struct listener_cfg *l);
    const char *text;
} listener_remarks[] = {
    { any_listener,
      "a client is accepted before the target is tried: a closed target port shows as "
      "a reset after the connect, where NLB's client of a TCP listener would see the "
      "target's own refusal" },
    { default_policy, "no ssl_policy is given: this is the API's default (no TLS 1.3); the console "
                      "proposes ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09" },
    { is_tls, "how NLB ends a failed handshake is unknown; see tls_error" },
    { is_tls, "when NLB connects to the target of a TLS listener is unknown; see target_connect" },
    { to_tls_targets, "whether one listener's policy changes what its siblings offer to targets is "
                      "unknown; see backend_policy_scope" },
    { alpn_to_tls_targets, "which ALPN list NLB offers to TLS targets is unknown; see "
                           "alpn_target_offer" },
    { odd_keys, "allow_unsupported_keys serves certificates that NLB refuses" },
};

/* What the policy names and the TLS library lacks, in one sentence. */
static void say_unsupported(const struct policy *p, const char *what, const char *section,
                            differences_cb *say, void *user)
{
    const char *names[POLICY_UNSUPPORTED_MAX];
    size_t n = policy_unsupported(p, names, POLICY_UNSUPPORTED_MAX);
    char text[2048];
    size_t used;

    if (n == 0)
        return;
    used = (size_t)snprintf(text, sizeof text, "%s %s: not acted out: ", what, p->name);
    for (size_t i = 0; i < n && used < sizeof text; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    say(user, section, text);
}

static void remark_listener(const struct listener_cfg *l, differences_cb *say, void *user)
{
    char section[96];

    snprintf(section, sizeof section, "[listener %s]", l->obj.name);
    for (size_t i = 0; i < sizeof listener_remarks / sizeof listener_remarks[0]; i++) {
        if (listener_remarks[i].applies(l))
            say(user, section, listener_remarks[i].text);
    }
}

static void remark_policies(const struct listener_cfg *l, differences_cb *say, void *user)
{
    char section[96];

    snprintf(section, sizeof section, "[listener %s]", l->obj.name);
    if (is_tls(l))
        say_unsupported(l->policy, "ssl_policy", section, say, user);
    if (to_tls_targets(l))
        say_unsupported(policy_backend(l->policy), "toward targets,", section, say, user);
}

static void remark_group(const struct target_group_cfg *g, differences_cb *say, void *user)
{
    char section[96];

    snprintf(section, sizeof section, "[target_group %s]", g->obj.name);
    say(user, section,
        "one node checks health: NLB's nodes each check every target, so that targets see more "
        "checks than the interval suggests");
    if (g->health.protocol != HEALTH_PROTOCOL_TCP)
        say(user, section,
            "User-Agent and SNI of NLB's health checks are unknown; here the first "
            "is nlbsim's and the second is not sent");
    if (!g->preserve_client_ip)
        say(user, section,
            "targets see the address of this machine as the client's, as with NLB's "
            "nodes when client IP preservation is off");
    else
        say(user, section,
            "a client on this machine keeps its address, but its port is another one toward the "
            "target; elsewhere the target's answers must be routed through this machine");
    if (g->proxy_protocol_v2)
        say(user, section,
            "what NLB's PROXY headers hold without PrivateLink, for IPv6 and on "
            "health checks is unknown; here the layout of a PrivateLink header is kept");
    if (g->n_targets == 0)
        say(user, section,
            "no target is registered: what a client sees with NLB is unknown; here "
            "its connection is reset");
}

struct teller {
    differences_cb *say;
    void *user;
};

static void say_quota(void *arg, int line, const char *text)
{
    const struct teller *t = arg;
    char section[32];

    if (line == 0)
        snprintf(section, sizeof section, "quota");
    else
        snprintf(section, sizeof section, "quota, line %d", line);
    t->say(t->user, section, text);
}

void nlb_config_differences(const struct nlb_config *config, differences_cb *say, void *user)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        remark_listener(&config->listeners[i], say, user);
        remark_policies(&config->listeners[i], say, user);
    }
    for (size_t i = 0; i < config->n_groups; i++)
        remark_group(&config->groups[i], say, user);
    nlb_config_quotas(config, say_quota, &(struct teller){ say, user });
}

void nlb_config_lacking(const struct nlb_config *config, differences_cb *say, void *user)
{
    for (size_t i = 0; i < config->n_listeners; i++)
        remark_policies(&config->listeners[i], say, user);
}
