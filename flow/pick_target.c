/* SPDX-License-Identifier: Apache-2.0
 * The way to the target: choose it, connect, and send what goes first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/descriptors.h"
#include "flow/actions.h"
#include "flow/crowd.h"
#include "observe/ceilings.h"
#include "targets/proxy_v2.h"
#include "tls/hop_tls.h"

static const struct target *pick(struct flow *f, enum flow_end *why)
{
    const struct flow_key key = { &f->record.client, &f->record.local,
                                  (uint32_t)(f->record.id * 2654435761U) };
    uint64_t hash = flowhash(&key);
    const struct target_group *group = forward_pick(f->plan->forward, hash);
    const struct target *target;
    enum group_verdict verdict;

    *why = END_NO_TARGET;
    if (group == NULL)
        return NULL;
    f->group = group->cfg;
    f->members = group;
    if (group->cfg->stickiness)
        hash = flowhash_source(&f->record.client);
    target = group_pick(group, f->plan->zone, hash, &verdict);
    if (verdict == GROUP_ZONE_WITHDRAWN)
        *why = END_ZONE_WITHDRAWN;
    return target;
}

static enum flow_end end_of_errno(int error)
{
    switch (error) {
    case EADDRNOTAVAIL:
    case EADDRINUSE:
    case EAGAIN:
        return END_NO_SOURCE_PORT;
    case ECONNREFUSED:
        return END_TARGET_REFUSED;
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
        return END_NO_RESOURCES;
    default:
        return END_TARGET_UNREACHABLE;
    }
}

/* Behind PrivateLink targets always see the node. Source: NLB guide, "Edit target group
 * attributes", "Client IP preservation". */
static bool preserves_client(const struct flow *f)
{
    return f->group->preserve_client_ip && f->plan->vpc_endpoint == NULL;
}

/* Not counted for TLS listeners. Source: NLB guide, "CloudWatch metrics". */
static void count_fail_open(struct flow *f)
{
    if (f->plan->protocol == PROTOCOL_TCP && f->target->reg != NULL &&
        !health_is_healthy(registration_state(f->target->reg)))
        metric_add(&f->env->metrics, METRIC_UNHEALTHY_ROUTING_FLOWS, 1);
}

/* For the event: how many targets there were to choose from. */
static void note_health(struct flow *f)
{
    struct group_counts n = group_count(f->members, NULL);

    f->record.registered = n.registered;
    f->record.healthy = n.healthy;
    f->record.fails_open = n.registered > 0 && group_fails_open(f->group, n);
    f->record.proxy_header = f->group->proxy_protocol_v2;
}

enum flow_event flow_pick_and_connect(struct flow *f)
{
    const struct tls_facts *front = hop_tls_facts(f->front.hop);
    struct back_route route = { .alpn = front == NULL ? NULL : front->alpn };
    enum flow_end why;
    int error = 0;

    f->record.connect_us = clock_mono_us();
    f->target = pick(f, &why);
    if (f->group != NULL)
        f->record.target_group = f->group->obj.name;
    if (f->target == NULL)
        return flow_fail(f, why);
    count_fail_open(f);
    note_health(f);
    f->record.target = f->target->cfg->addr;
    f->record.back_protocol = f->group->protocol;
    route.to = &f->record.target;
    if (preserves_client(f)) {
        route.from = &f->record.client;
        if (addr_same_host(route.from, route.to))
            return flow_fail(f, END_HAIRPIN);
    }
    if (f->group->protocol == PROTOCOL_TLS) {
        route.tls = f->plan->back_tls;
        f->record.backend_policy = back_tls_policy(route.tls);
        f->record.back_offer = back_tls_offer(route.tls);
    }
    f->back.hop = back_connect(&route, &error);
    if (f->back.hop == NULL && error == EMFILE && flow_env_give_up(f->env))
        f->back.hop = back_connect(&route, &error);
    if (f->back.hop == NULL) {
        if (error == EMFILE)
            ceiling_reached(crowd_ceilings(f->env->crowd), CEILING_DESCRIPTORS, descriptors_limit(),
                            "");
        f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_ERRNO, .sys_errno = error };
        return flow_fail(f, end_of_errno(error));
    }
    flow_timer(f, f->plan->connect_us);
    return ON_NOTHING;
}

/* On TCP listeners the header waits for the client's first payload (a user report:
 * github.com/pires/go-proxyproto, pull 25); a TLS listener has had payload by now. */
static int hold_header(struct flow *f, const uint8_t *header, size_t n)
{
    f->up.hold = malloc(n);
    if (f->up.hold == NULL)
        return -1;
    memcpy(f->up.hold, header, n);
    f->up.hold_at = 0;
    f->up.hold_len = n;
    f->up.hold_waits = true;
    return 0;
}

int flow_send_header(struct flow *f)
{
    uint8_t header[PROXY_V2_MAX];
    size_t n;

    if (!f->group->proxy_protocol_v2)
        return 0;
    n = proxy_v2_write(header, &f->record.client, &f->record.local, f->plan->vpc_endpoint);
    if (f->plan->protocol == PROTOCOL_TCP &&
        f->group->header_placement == HEADER_ON_FIRST_ACK_WITH_PAYLOAD)
        return hold_header(f, header, n);
    /* Below any TLS. The send buffer of a fresh connection is empty and larger than the header. */
    return send(f->back.hop->fd, header, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}
