/* SPDX-License-Identifier: Apache-2.0
 * The keys of [target_group NAME]. */
#include "targets/target_group_cfg.h"

#include <string.h>

#define GUIDE      "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"
#define GROUPS     GUIDE "load-balancer-target-groups.html"
#define ATTRIBUTES GUIDE "edit-target-group-attributes.html"
#define HEALTH     GUIDE "target-group-health-checks.html"
#define CFN                                                                                        \
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"                      \
    "aws-resource-elasticloadbalancingv2-targetgroup.html"

/* The API's own words. */
#define API_SAYS "https://github.com/hashicorp/terraform-provider-aws/pull/2170"

#define NOT_SIMULATED "not simulated: this is a TCP and TLS load balancer (allowed: TCP, TLS)"

static const struct cfg_choice protocols[] = {
    { "TCP", PROTOCOL_TCP, NULL },   { "TLS", PROTOCOL_TLS, NULL },
    { "UDP", -1, NOT_SIMULATED },    { "TCP_UDP", -1, NOT_SIMULATED },
    { "QUIC", -1, NOT_SIMULATED },   { "TCP_QUIC", -1, NOT_SIMULATED },
    { "HTTP", -1, NOT_SIMULATED },   { "HTTPS", -1, NOT_SIMULATED },
    { "GENEVE", -1, NOT_SIMULATED }, { NULL, 0, NULL },
};

static const struct cfg_choice health_protocols[] = {
    { "TCP", HEALTH_PROTOCOL_TCP, NULL },
    { "HTTP", HEALTH_PROTOCOL_HTTP, NULL },
    { "HTTPS", HEALTH_PROTOCOL_HTTPS, NULL },
    { "TLS", -1, "a health check speaks TCP, HTTP or HTTPS; NLB does not accept TLS" },
    { "UDP", -1, "a health check speaks TCP, HTTP or HTTPS; NLB does not accept UDP" },
    { NULL, 0, NULL },
};

static const struct cfg_choice cross_zones[] = {
    { "true", CROSS_ZONE_ON, NULL },
    { "false", CROSS_ZONE_OFF, NULL },
    { "use_load_balancer_configuration", CROSS_ZONE_LOAD_BALANCER, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice stickiness_types[] = { { "source_ip", 0, NULL }, { NULL, 0, NULL } };

static const struct cfg_choice target_types[] = {
    { "ip", 0, NULL },
    { "instance", -1, "there are no EC2 instances here: register address and port, type ip" },
    { "alb", -1, "there is no Application Load Balancer here: register address and port, type ip" },
    { NULL, 0, NULL },
};

static const struct cfg_choice placements[] = {
    { "on_first_ack_with_payload", HEADER_ON_FIRST_ACK_WITH_PAYLOAD, NULL },
    { "on_first_ack", HEADER_ON_FIRST_ACK, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice enabled[] = {
    { "true", 1, NULL },
    { "false", -1, "the checks of instance, ip and alb groups cannot be switched off (" CFN ")" },
    { NULL, 0, NULL },
};

static const struct cfg_choice off[] = { { "off", 0, NULL }, { NULL, 0, NULL } };
static const struct cfg_choice traffic_port[] = { { "traffic-port", 0, NULL }, { NULL, 0, NULL } };

/* " zone=b" behind the address: split off and noted. */
static int parse_target_options(struct target_cfg *t, const char *options,
                                const struct cfg_value *value)
{
    options += strspn(options, " \t");
    if (*options == '\0')
        return 0;
    if (strncmp(options, "zone=", 5) != 0 || strpbrk(options, " \t") != NULL) {
        problems_add(value->problems, value->line,
                     "target '%s': cannot read '%s' (write ADDRESS:PORT or lab:NAME)", t->text,
                     options);
        return -1;
    }
    t->zone = arena_strdup(value->arena, options + 5);
    if (options[5] != '\0')
        return 0;
    problems_add(value->problems, value->line, "target '%s': 'zone=' names no zone", t->text);
    return -1;
}

static int parse_target_place(struct target_cfg *t, const struct cfg_value *value)
{
    struct err err;

    if (strncmp(t->text, "lab:", 4) == 0) {
        t->lab = t->text + 4;
        if (t->lab[0] != '\0' && strchr(t->lab, '/') == NULL)
            return 0;
        t->lab = NULL;
        problems_add(value->problems, value->line,
                     "target '%s': write lab:NAME with the NAME of a [lab_target NAME] section "
                     "(lab:PROFILE/HOST is a certificate)",
                     t->text);
        return -1;
    }
    if (addr_parse(&t->addr, t->text, &err) != 0) {
        problems_add(value->problems, value->line, "target %s", err.text);
        return -1;
    }
    if (addr_port(&t->addr) == 0) {
        problems_add(value->problems, value->line, "target '%s': a target's port is 1-65535",
                     t->text);
        return -1;
    }
    return 0;
}

static int parse_target(void *object, const struct cfg_value *value)
{
    struct target_group_cfg *g = object;
    size_t word = strcspn(value->text, " \t");
    const char *text = arena_strndup(value->arena, value->text, word);
    struct target_cfg *t;
    int rc;

    t = text == NULL ? NULL : arena_append(value->arena, &g->targets, &g->n_targets, sizeof *t);
    if (t == NULL) {
        value->problems->environment = true;
        return -1;
    }
    t->text = text;
    t->line = value->line;
    rc = parse_target_place(t, value);
    if (parse_target_options(t, value->text + word, value) != 0)
        rc = -1;
    for (size_t i = 0; i + 1 < g->n_targets; i++) {
        if (strcmp(g->targets[i].text, t->text) == 0) {
            problems_add(value->problems, value->line,
                         "target '%s' is registered twice (first on line %d)", t->text,
                         g->targets[i].line);
            rc = -1;
        }
    }
    return rc;
}

static int check_path(void *object, const struct cfg_value *value)
{
    (void)object;
    if (value->text[0] == '/' && strlen(value->text) <= 1024)
        return 0;
    problems_add(value->problems, value->line,
                 "bad value '%s' for %s (a path that begins with '/', 1-1024 characters)",
                 value->text, value->key);
    return -1;
}

/* "200", "200,202" or "200-399" or several of both; all within 200-599. */
static int check_matcher(void *object, const struct cfg_value *value)
{
    const char *at = value->text;
    uint64_t low = 0, code;
    char digits[4] = "";

    (void)object;
    for (;;) {
        size_t n = strspn(at, "0123456789");

        if (n != 3)
            break;
        memcpy(digits, at, 3);
        at += 3;
        if (cfg_parse_uint(digits, low > 200 ? low : 200, 599, &code) != 0)
            break;
        if (*at == '\0')
            return 0;
        if (*at != ',' && (*at != '-' || low != 0))
            break;
        low = *at == '-' ? code : 0;
        at++;
    }
    problems_add(value->problems, value->line,
                 "bad value '%s' for %s (HTTP codes within 200-599: '200', '200,202', '200-399')",
                 value->text, value->key);
    return -1;
}

#define AT(field) offsetof(struct target_group_cfg, field)

/* clang-format off */
const struct cfg_key group_keys[] = {
    { .name = "protocol", .kind = CFG_ENUM, .offset = AT(protocol), .required = true, .choices = protocols,
      .help = "what is spoken to the targets; TLS: encrypted again, the target's certificate is not validated",
      .source = GROUPS },
    { .name = "target", .kind = CFG_CUSTOM, .repeated = true, .parse_cb = parse_target,
      .values = "ADDRESS:PORT, lab:NAME; then zone=NAME",
      .help = "a registered target; repeated for more; `lab:NAME` is a [lab_target NAME] of the file; zone: its Availability Zone",
      .source = GROUPS },
    { .name = "target_type", .kind = CFG_ENUM, .offset = AT(target_type), .choices = target_types, .def = "ip",
      .help = "how targets are registered", .source = GROUPS },
    { .name = "deregistration_delay.timeout_seconds", .kind = CFG_SECONDS, .offset = AT(deregistration_delay_ms),
      .min = 0, .max = 3600, .def = "300",
      .help = "how long a deregistered target stays in state draining", .source = ATTRIBUTES },
    { .name = "deregistration_delay.connection_termination.enabled", .kind = CFG_BOOL,
      .offset = AT(deregistration_terminates), .def = "false",
      .help = "end the connections that are left when the delay is over", .source = ATTRIBUTES },
    { .name = "load_balancing.cross_zone.enabled", .kind = CFG_ENUM, .offset = AT(cross_zone), .choices = cross_zones,
      .def = "use_load_balancer_configuration",
      .help = "may a node use targets of other zones", .source = ATTRIBUTES },
    { .name = "preserve_client_ip.enabled", .kind = CFG_BOOL, .offset = AT(preserve_client_ip), .def = "false",
      .help = "do targets see the client's address (AWS's default for type ip: no)", .source = ATTRIBUTES },
    { .name = "proxy_protocol_v2.enabled", .kind = CFG_BOOL, .offset = AT(proxy_protocol_v2), .def = "false",
      .help = "send a PROXY protocol header to the target first", .source = ATTRIBUTES },
    { .name = "proxy_protocol_v2.client_to_server.header_placement", .kind = CFG_ENUM, .offset = AT(header_placement),
      .choices = placements, .def = "on_first_ack_with_payload",
      .help = "when that header is sent", .source = "https://github.com/pires/go-proxyproto/pull/25 (user report)" },
    { .name = "stickiness.enabled", .kind = CFG_BOOL, .offset = AT(stickiness), .def = "false",
      .help = "the same source address reaches the same target; not for TLS listeners", .source = ATTRIBUTES },
    { .name = "stickiness.type", .kind = CFG_ENUM, .offset = AT(stickiness_type), .choices = stickiness_types,
      .def = "source_ip", .help = "the only type NLB has", .source = ATTRIBUTES },
    { .name = "target_group_health.dns_failover.minimum_healthy_targets.count", .kind = CFG_UINT,
      .offset = AT(dns_failover_count), .min = 1, .max = 1000, .choices = off, .def = "1",
      .help = "fewer healthy targets than this mark the zone unhealthy in DNS", .source = GROUPS },
    { .name = "target_group_health.dns_failover.minimum_healthy_targets.percentage", .kind = CFG_UINT,
      .offset = AT(dns_failover_percentage), .min = 1, .max = 100, .choices = off, .def = "off",
      .help = "the same as a share of the registered targets", .source = GROUPS },
    { .name = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", .kind = CFG_UINT,
      .offset = AT(routing_count), .min = 1, .max = 1000, .def = "1",
      .help = "with fewer healthy targets than this every target gets traffic", .source = GROUPS },
    { .name = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", .kind = CFG_UINT,
      .offset = AT(routing_percentage), .min = 1, .max = 100, .choices = off, .def = "off",
      .help = "the same as a share of the registered targets", .source = GROUPS },
    { .name = "target_health_state.unhealthy.connection_termination.enabled", .kind = CFG_BOOL,
      .offset = AT(unhealthy_terminates), .def = "true",
      .help = "end the connections of a target that turns unhealthy", .source = ATTRIBUTES },
    { .name = "target_health_state.unhealthy.draining_interval_seconds", .kind = CFG_SECONDS,
      .offset = AT(unhealthy_draining_ms), .min = 0, .max = 360000, .def = "0",
      .help = "how long such a target stays unhealthy.draining when they are not ended", .source = ATTRIBUTES },
    { .name = "health_check_enabled", .kind = CFG_ENUM, .offset = AT(health.enabled), .choices = enabled, .def = "true",
      .help = "are targets checked", .source = CFN },
    { .name = "health_check_protocol", .kind = CFG_ENUM, .offset = AT(health.protocol), .choices = health_protocols,
      .def = "TCP", .help = "what a health check speaks", .source = HEALTH },
    { .name = "health_check_port", .kind = CFG_UINT, .offset = AT(health.port), .min = 1, .max = 65535,
      .choices = traffic_port, .def = "traffic-port", .help = "where it connects to", .source = HEALTH },
    { .name = "health_check_path", .kind = CFG_TEXT, .offset = AT(health.path), .parse_cb = check_path, .def = "/",
      .values = "a path, 1-1024 characters", .with = "HTTP, HTTPS", .with_key = "health_check_protocol",
      .why = "Health check paths are not supported for TCP health checks (" API_SAYS ")",
      .help = "what HTTP and HTTPS checks ask for", .source = CFN },
    { .name = "health_check_timeout_seconds", .kind = CFG_SECONDS, .offset = AT(health.timeout_ms), .min = 2, .max = 120,
      .def = "10", .other = { "health_check_protocol", "HTTP", "6" }, .help = "no answer for this long fails the check", .source = HEALTH },
    { .name = "health_check_interval_seconds", .kind = CFG_SECONDS, .offset = AT(health.interval_ms), .min = 5, .max = 300,
      .def = "30", .help = "time between checks; not below the timeout, its default included", .source = HEALTH },
    { .name = "healthy_threshold_count", .kind = CFG_UINT, .offset = AT(health.healthy_threshold), .min = 2, .max = 10,
      .def = "5", .help = "passed checks in a row that make a target healthy", .source = HEALTH },
    { .name = "unhealthy_threshold_count", .kind = CFG_UINT, .offset = AT(health.unhealthy_threshold), .min = 2, .max = 10,
      .def = "2", .help = "failed checks in a row that make it unhealthy", .source = HEALTH },
    { .name = "matcher", .kind = CFG_TEXT, .offset = AT(health.matcher), .parse_cb = check_matcher,
      .def = "200-399", .values = "HTTP codes within 200-599", .with = "HTTP, HTTPS", .with_key = "health_check_protocol",
      .why = "Health check matchers are not supported for TCP health checks (" API_SAYS ")",
      .help = "answers of HTTP and HTTPS checks that count as passed", .source = HEALTH },
    { .name = NULL },
};
/* clang-format on */
