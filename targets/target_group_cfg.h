/* SPDX-License-Identifier: Apache-2.0
 * [target_group NAME] as configured. Constant after the checks; owned by its struct nlb_config.
 *   source  NLB guide, "Target groups for your Network Load Balancers" and "Edit target group
 *           attributes"; health checks: "Health checks for Network Load Balancer target groups" */
#ifndef TARGETS_TARGET_GROUP_CFG_H
#define TARGETS_TARGET_GROUP_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/cfg_key.h"
#include "core/protocol.h"

/* One `target = …` line. */
struct target_cfg {
    const char *text; /* as written, without options: "127.0.0.1:7443" or "lab:app" */
    const char *lab;  /* the NAME of "lab:NAME"; NULL for an address */
    const char *zone; /* NULL: none given */
    struct addr addr; /* of a lab target: `len` 0 until nlb_config_bind_lab() */
    int line;
};

enum health_protocol { HEALTH_PROTOCOL_TCP, HEALTH_PROTOCOL_HTTP, HEALTH_PROTOCOL_HTTPS };
enum cross_zone { CROSS_ZONE_LOAD_BALANCER, CROSS_ZONE_ON, CROSS_ZONE_OFF };
enum header_placement { HEADER_ON_FIRST_ACK_WITH_PAYLOAD, HEADER_ON_FIRST_ACK };

/* Health check settings; AWS's defaults when not given. */
struct health_cfg {
    int enabled; /* true is all there is */
    enum health_protocol protocol;
    uint64_t port;       /* 0: traffic-port */
    const char *path;    /* HTTP and HTTPS */
    uint64_t timeout_ms; /* 10 s for TCP and HTTPS, 6 s for HTTP */
    uint64_t interval_ms;
    uint64_t healthy_threshold;
    uint64_t unhealthy_threshold;
    const char *matcher; /* "200-399", "200,202" */
};

struct target_group_cfg {
    struct cfg_object obj; /* name and lines; first, as in every section's struct */
    enum protocol protocol;
    struct target_cfg *targets;
    size_t n_targets;
    struct health_cfg health;

    uint64_t deregistration_delay_ms;
    bool deregistration_terminates;
    enum cross_zone cross_zone;
    bool crosses_zones; /* the attribute with the load balancer's applied; set by the checks */
    bool preserve_client_ip;
    bool proxy_protocol_v2;
    enum header_placement header_placement;
    bool stickiness;
    int stickiness_type; /* source_ip is all there is */
    int target_type;     /* ip is all there is here */
    /* Minimum healthy targets; 0: off. */
    uint64_t dns_failover_count, dns_failover_percentage;
    uint64_t routing_count, routing_percentage;
    bool unhealthy_terminates;
    uint64_t unhealthy_draining_ms;
};

extern const struct cfg_key group_keys[];

#endif
