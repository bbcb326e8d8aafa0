/* SPDX-License-Identifier: Apache-2.0
 * The keys of [nlb]. */
#include <string.h>

#include "nlb/admin_host.h"
#include "nlb/config_impl.h"
#include "tls/tls_wire.h"

#define OURS     "a setting of nlbsim"
#define UNKNOWN  "unknown at AWS, hence a setting of nlbsim"
#define GUIDE    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"
#define LOGS     GUIDE "load-balancer-access-logs.html"
#define METRICS  GUIDE "load-balancer-cloudwatch-metrics.html"
#define QUOTAS   GUIDE "load-balancer-limits.html"
#define HEALTH   GUIDE "target-group-health-checks.html"
#define PRIVLINK GUIDE "edit-target-group-attributes.html"
#define POLICIES GUIDE "describe-ssl-policies.html"

static const struct cfg_choice relays[] = {
    { "auto", RELAY_AUTO, NULL },
    { "copy", RELAY_COPY, NULL },
    { "splice", RELAY_SPLICE, NULL },
    { NULL, 0, NULL },
};
static const struct cfg_choice tls_uses[] = {
    { "auto", TLS_USE_AUTO, NULL },
    { "mbedtls", TLS_USE_MBEDTLS, NULL },
    { "openssl", TLS_USE_OPENSSL, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice connects[] = {
    { "after_handshake", TARGET_CONNECT_AFTER_HANDSHAKE, NULL },
    { "after_hello", TARGET_CONNECT_AFTER_HELLO, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice scopes[] = {
    { "listener", BACKEND_SCOPE_LISTENER, NULL },
    { "load_balancer", BACKEND_SCOPE_LOAD_BALANCER, NULL },
    { NULL, 0, NULL },
};

static const struct cfg_choice confines[] = {
    { "on", CONFINE_ON, NULL },
    { "require", CONFINE_REQUIRE, NULL },
    { "files_only", CONFINE_FILES_ONLY, NULL },
    { "off", CONFINE_OFF, NULL },
    { NULL, 0, NULL },
};

static int refuse_value(const struct cfg_value *value, const char *why)
{
    problems_add(value->problems, value->line, "bad value '%s' for %s (%s)", value->text,
                 value->key, why);
    return -1;
}

static int check_name(void *object, const struct cfg_value *value)
{
    (void)object;
    if (!config_aws_name(value->text) || strncmp(value->text, "internal-", 9) == 0)
        return refuse_value(value, "1-32 letters, digits and hyphens; no hyphen at either end; not "
                                   "beginning with 'internal-', as AWS has it");
    return 0;
}

static int check_region(void *object, const struct cfg_value *value)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    (void)object;
    if (strspn(value->text, allowed) != strlen(value->text) || strlen(value->text) > 32)
        return refuse_value(value, "a region such as us-east-1");
    return 0;
}

static int check_account(void *object, const struct cfg_value *value)
{
    (void)object;
    if (strlen(value->text) != 12 || strspn(value->text, "0123456789") != 12)
        return refuse_value(value, "12 digits");
    return 0;
}

static int check_lb_id(void *object, const struct cfg_value *value)
{
    (void)object;
    if (strlen(value->text) != 16 || strspn(value->text, "0123456789abcdef") != 16)
        return refuse_value(value, "16 hexadecimal digits in lower case");
    return 0;
}

static int check_endpoint(void *object, const struct cfg_value *value)
{
    (void)object;
    if (strncmp(value->text, "vpce-", 5) != 0 || strlen(value->text) < 6 ||
        strlen(value->text) > 64 ||
        strspn(value->text + 5, "0123456789abcdef") != strlen(value->text + 5))
        return refuse_value(value, "vpce- and hexadecimal digits, at most 64 characters");
    return 0;
}

static int parse_time_scale(void *object, const struct cfg_value *value)
{
    struct nlb_cfg *n = object;
    uint64_t scale;

    if (cfg_parse_uint(value->text, 1, 1000, &scale) != 0)
        return refuse_value(value, "1-1000");
    n->process.time_scale = (double)scale;
    return 0;
}

static int parse_metrics_host(void *object, const struct cfg_value *value)
{
    struct nlb_cfg *n = object;
    const char *name = arena_strdup(value->arena, value->text);
    const char **place;

    if (!admin_host_name(value->text))
        return refuse_value(value, "a host name without a port, such as nlb.test.svc");
    place = arena_append(value->arena, &n->metrics_hosts, &n->n_metrics_hosts, sizeof *place);
    if (name == NULL || place == NULL) {
        value->problems->environment = true;
        return -1;
    }
    *place = name;
    return 0;
}

#define LIMIT_MAX 10000000

#define AT(field) offsetof(struct nlb_cfg, field)

/* clang-format off */
static const struct cfg_key nlb_keys[] = {
    { .name = "name", .kind = CFG_TEXT, .offset = AT(process.name), .restart = true, .parse_cb = check_name, .def = "nlbsim",
      .values = "1-32 letters, digits, hyphens", .help = "the load balancer's name, as in ARNs and logs",
      .source = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html" },
    { .name = "workers", .kind = CFG_UINT, .offset = AT(process.workers), .restart = true, .min = 1, .max = 256,
      .values = "1-256; without the key the number of cores", .help = "threads that carry flows", .source = OURS },
    { .name = "events", .kind = CFG_TEXT, .file = CFG_FILE_WRITE, .offset = AT(process.events), .restart = true, .values = "a file, -",
      .help = "one JSON object per flow is appended to this file; `-` is standard output", .source = OURS },
    { .name = "access_log", .kind = CFG_TEXT, .file = CFG_FILE_WRITE, .offset = AT(process.access_log), .restart = true, .values = "a file, a directory/, -",
      .help = "AWS's access log of TLS listeners; a directory gets gzip files named as AWS names them; `-` is standard output", .source = LOGS },
    { .name = "output_queue_bytes", .kind = CFG_UINT, .offset = AT(process.output_queue_bytes), .restart = true, .min = 65536, .max = 1u << 30, .def = "4194304",
      .help = "how much of `events`, and of `access_log`, may wait for a slow disk or reader; what does not fit is dropped, counted and told", .source = OURS },
    { .name = "metrics", .kind = CFG_ADDR, .offset = AT(process.metrics), .restart = true,
      .help = "where /metrics, /healthz, /targets, /flows and /events are served; port 0 picks a free one and reports it", .source = METRICS },
    { .name = "metrics_public", .kind = CFG_BOOL, .offset = AT(process.metrics_public), .restart = true, .def = "false",
      .help = "`metrics` may be an address that others than this machine can reach; there is no password", .source = OURS },
    { .name = "metrics_host", .kind = CFG_CUSTOM, .repeated = true, .parse_cb = parse_metrics_host, .values = "a host name",
      .help = "a name under which the pages of `metrics` may be asked, beside addresses and localhost; repeated for more", .source = OURS },
    { .name = "stall_exit_seconds", .kind = CFG_SECONDS, .offset = AT(process.stall_exit_ms), .restart = true, .min = 0, .max = 86400, .def = "30",
      .help = "the process ends itself, with status 4, when a worker has not come round for so long (a debugger holds it, for instance); 0: never", .source = OURS },
    { .name = "confine", .kind = CFG_ENUM, .offset = AT(process.confine), .restart = true, .choices = confines, .def = "on",
      .help = "what the process gives up once it has started: files elsewhere, system calls, capabilities, core dumps (docs/confinement.md)", .source = OURS },
    { .name = "user", .kind = CFG_TEXT, .offset = AT(process.user), .restart = true, .values = "a name, a number",
      .help = "whom a process that root started becomes before it opens a listener", .source = OURS },
    { .name = "group", .kind = CFG_TEXT, .offset = AT(process.group), .restart = true, .values = "a name, a number; without the key the user's",
      .help = "the group that it gets with that", .source = OURS },
    { .name = "relay", .kind = CFG_ENUM, .offset = AT(relay), .choices = relays, .def = "auto",
      .help = "how plain bytes are moved: auto is splice(2) where both hops are plain sockets", .source = OURS },
    { .name = "tls_library", .kind = CFG_ENUM, .offset = AT(process.tls_use), .restart = true, .choices = tls_uses, .def = "auto",
      .help = "which TLS library has a hop; auto: mbedTLS where it does exactly what AWS does, OpenSSL where only it can", .source = OURS },
    { .name = "lab_seed", .kind = CFG_TEXT, .offset = AT(lab_seed), .values = "any text; without the key every start is fresh",
      .help = "makes the keys and serial numbers of lab: certificates repeatable", .source = OURS },
    { .name = "target_connect", .kind = CFG_ENUM, .offset = AT(target_connect), .choices = connects, .def = "after_handshake",
      .help = "when a TLS listener connects to the target", .source = UNKNOWN },
    { .name = "backend_policy_scope", .kind = CFG_ENUM, .offset = AT(backend_policy_scope), .choices = scopes, .def = "listener",
      .help = "whose security policies decide the parameters toward TLS targets: the flow's listener, or all listeners", .source = UNKNOWN " (" POLICIES ")" },
    { .name = "connect_timeout_seconds", .kind = CFG_SECONDS, .offset = AT(connect_timeout_ms), .min = 1, .max = 600, .def = "10",
      .help = "how long a target may take to accept a connection", .source = UNKNOWN },
    { .name = "handshake_timeout_seconds", .kind = CFG_SECONDS, .offset = AT(handshake_timeout_ms), .min = 1, .max = 600, .def = "60",
      .help = "how long a client or a target may take for its TLS handshake", .source = UNKNOWN },
    { .name = "deregistration_propagation_seconds", .kind = CFG_SECONDS, .offset = AT(deregistration_propagation_ms), .min = 0, .max = 3600, .def = "0",
      .help = "new flows still reach a deregistered target for so long; some 120 are reported",
      .source = UNKNOWN " (https://github.com/aws/containers-roadmap/issues/470)" },
    { .name = "health_propagation_seconds", .kind = CFG_SECONDS, .offset = AT(health_propagation_ms), .min = 0, .max = 3600, .def = "0",
      .help = "flows still reach a target that turned unhealthy for so long; 30 to 40 are reported",
      .source = UNKNOWN " (https://github.com/aws/containers-roadmap/issues/470)" },
    { .name = "connectivity_tests", .kind = CFG_BOOL, .offset = AT(connectivity_tests), .def = "false",
      .help = "targets of TLS listeners get a connection without data before each health check", .source = UNKNOWN " (" HEALTH ")" },
    { .name = "region", .kind = CFG_TEXT, .offset = AT(process.region), .restart = true, .parse_cb = check_region, .def = "us-east-1",
      .values = "a region", .help = "for ARNs", .source = OURS },
    { .name = "account_id", .kind = CFG_TEXT, .offset = AT(process.account_id), .restart = true, .parse_cb = check_account, .def = "123456789012",
      .values = "12 digits", .help = "for ARNs", .source = OURS },
    { .name = "load_balancer_id", .kind = CFG_TEXT, .offset = AT(process.load_balancer_id), .restart = true, .parse_cb = check_lb_id, .def = "0123456789abcdef",
      .values = "16 hexadecimal digits", .help = "for ARNs", .source = OURS },
    { .name = "vpc_endpoint_id", .kind = CFG_TEXT, .offset = AT(vpc_endpoint_id), .parse_cb = check_endpoint,
      .values = "vpce-...", .help = "the PrivateLink endpoint that PROXY headers name", .source = PRIVLINK },
    { .name = "events_detail", .kind = CFG_ENUM, .offset = AT(process.events_detail), .restart = true, .choices = (const struct cfg_choice[]){ { "full", 0, NULL }, { NULL, 0, NULL } },
      .def = "full", .help = "how much an event says", .source = OURS },
    { .name = "time_scale", .kind = CFG_CUSTOM, .restart = true, .parse_cb = parse_time_scale, .values = "1-1000", .def = "1",
      .help = "how much faster than real time idle timeouts, health check intervals and draining run", .source = OURS },
    { .name = "load_balancing.cross_zone.enabled", .kind = CFG_BOOL, .offset = AT(cross_zone), .def = "false",
      .help = "may a node use targets of other zones, where the target group does not say", .source = PRIVLINK },
    { .name = "max_connections", .kind = CFG_UINT, .offset = AT(limits.connections), .min = 1, .max = LIMIT_MAX, .def = "100000",
      .help = "flows at once, over all listeners; further connections are reset", .source = OURS },
    { .name = "max_connections_per_source", .kind = CFG_UINT, .offset = AT(limits.per_source), .min = 1, .max = LIMIT_MAX, .def = "50000",
      .help = "of them, from one client address", .source = OURS },
    { .name = "max_handshakes", .kind = CFG_UINT, .offset = AT(limits.handshakes), .min = 1, .max = LIMIT_MAX, .def = "10000",
      .help = "of them, with a TLS handshake that the client has not finished", .source = OURS },
    { .name = "max_hello_bytes", .kind = CFG_UINT, .offset = AT(limits.hello_bytes), .min = 512, .max = TLS_HELLO_MAX, .def = "65536",
      .help = "of a ClientHello; a longer one is refused as soon as its length is read", .source = OURS },
    { .name = "max_event_bytes", .kind = CFG_UINT, .offset = AT(max_event_bytes), .min = 8192, .max = 1u << 20, .def = "65536",
      .help = "of one event; a longer one leaves out lists of the offer or certificates, and says which", .source = OURS },
    { .name = "max_recent_bytes", .kind = CFG_UINT, .offset = AT(process.max_recent_bytes), .restart = true, .min = 65536, .max = 1u << 30, .def = "4194304",
      .help = "of the last events, which /events shows", .source = OURS },
    { .name = "max_metrics_connections", .kind = CFG_UINT, .offset = AT(process.max_metrics_connections), .restart = true, .min = 1, .max = LIMIT_MAX, .def = "64",
      .help = "to `metrics` at once; one more takes the place of whoever was not answered for longest", .source = OURS },
    { .name = "max_metrics_bytes", .kind = CFG_UINT, .offset = AT(process.max_metrics_bytes), .restart = true, .min = 65536, .max = 1u << 30, .def = "33554432",
      .help = "of answers of `metrics` that wait to be read, in all", .source = OURS },
    { .name = "enforce_quotas", .kind = CFG_BOOL, .offset = AT(enforce_quotas), .def = "false",
      .help = "more listeners, certificates or targets than AWS's default quotas are errors, not warnings", .source = QUOTAS },
    { .name = NULL },
};
/* clang-format on */

const struct section_kind config_kind_nlb = {
    .name = "nlb",
    .size = sizeof(struct nlb_cfg),
    .keys = nlb_keys,
};
