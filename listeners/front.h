/* SPDX-License-Identifier: Apache-2.0
 * What a listener does with a new connection: its front hop, and the plan of its flows. For TLS the
 * peeked ClientHello picks one of the prepared TLS configurations, because mbedTLS by itself
 * follows the client's suite order in TLS 1.3, refuses a hello without ALPN overlap, and more
 * (docs/libraries.md), and because some hellos are for OpenSSL (docs/tls.md). */
#ifndef LISTENERS_FRONT_H
#define LISTENERS_FRONT_H

#include "core/err.h"
#include "flow/flow.h"
#include "listeners/listener_cfg.h"
#include "listeners/policies.h"
#include "tls/tls_can.h"

/* What the load balancer adds to a listener's own configuration. */
struct front_options {
    enum flow_relay relay;
    enum tls_use tls_use;
    bool target_after_hello;             /* connect to the target as soon as the hello is read */
    const struct policy *backend_policy; /* NULL: implied by the listener's own policy */
    uint64_t connect_us, handshake_us;   /* limits; not scaled: they bound real peers */
    struct flow_limits limits;
    const char *vpc_endpoint;            /* for PROXY headers; NULL: none */
    double time_scale;                   /* simulated time runs this much faster */
    const char *elb, *elb_id, *cert_arn; /* see struct record_origin; live as long as the fronts */
    /* Judge of what targets present, for events; borrowed. NULL: nobody asks. */
    struct validating_client *(*judge_of)(void *arg, const struct listener_cfg *cfg);
    /* Runtime group of a configured one; borrowed. */
    const struct target_group *(*group_of)(void *arg, const struct target_group_cfg *cfg);
    void *arg;
};

/* One listener of one configuration generation, shared by all workers. */
struct front;
struct front *front_new(const struct listener_cfg *cfg, const struct front_options *options,
                        struct err *err);
void front_free(struct front *front);

const struct listener_cfg *front_cfg(const struct front *front);
/* Turn an accepted connection away: RST, and counted. */
void front_reject(const struct front *front, struct flow_env *env, int fd);
/* Begin the flow of an accepted connection (taken in every case), if a ceiling admits it. */
void front_accept(const struct front *front, struct flow_env *env, const struct flow_keeper *keeper,
                  int fd, const struct addr *client, const struct addr *local);

#endif
