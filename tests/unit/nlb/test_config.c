/* SPDX-License-Identifier: Apache-2.0
 * nlb/config.c and its checks: what a good file gives, generations, and a case per rule of [nlb],
 * [listener] and [target_group]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/store/identity.h"
#include "listeners/alpn.h"
#include "listeners/policies.h"
#include "nlb/config.h"

static struct problems problems;

/* A further kind of section, as lab/ brings one along. */
struct app_cfg {
    struct cfg_object obj;
    uint64_t size;
};
static unsigned checked, cleared;

static void app_check(struct nlb_config *config, void *object, bool load, struct problems *p)
{
    const struct app_cfg *app = object;

    (void)load;
    checked++;
    if (nlb_config_listener(config, app->obj.name) != NULL)
        problems_add(p, app->obj.line, "app and listener share a name");
}

static void app_clear(void *object)
{
    assert_non_null(object);
    cleared++;
}

static const struct cfg_key app_keys[] = {
    { .name = "size",
      .kind = CFG_UINT,
      .offset = offsetof(struct app_cfg, size),
      .min = 1,
      .max = 9,
      .def = "4" },
    { .name = NULL },
};
static const struct section_kind app_kind = {
    .name = "lab_target",
    .named = true,
    .stands_alone = true,
    .size = sizeof(struct app_cfg),
    .keys = app_keys,
    .check_cb = app_check,
    .clear_cb = app_clear,
};
static const struct section_kind *const kinds[] = { &app_kind };

static struct nlb_config *parse(const char *text, bool load)
{
    problems_clear(&problems);
    return nlb_config_parse(text, strlen(text), "t.ini", "/etc/nlb", kinds, 1, load, &problems);
}

static struct nlb_config *good(const char *text, bool load)
{
    struct nlb_config *c = parse(text, load);

    if (c == NULL)
        fail_msg("refused, line %d: %s", problems.n == 0 ? 0 : problems.v[0].line,
                 problems.n == 0 ? "(no reason)" : problems.v[0].text);
    return c;
}

#define GROUP "[target_group g]\nprotocol = TCP\ntarget = 127.0.0.1:7000\n" /* 3 lines */
#define TCP   "[listener t]\nprotocol = TCP\nlisten = 127.0.0.1:0\n"        /* 3 lines */
#define TLS                                                                                        \
    "[listener s]\nprotocol = TLS\nlisten = 127.0.0.1:0\ncertificate = lab:valid/a.example\n"

static void defaults(void **state)
{
    struct nlb_config *c = good(GROUP TCP "target_group = g\n" TLS "target_group = g\n", false);
    const struct listener_cfg *t = nlb_config_listener(c, "t"), *s = nlb_config_listener(c, "s");
    const struct target_group_cfg *g = nlb_config_group(c, "g");

    (void)state;
    assert_string_equal(c->nlb.process.name, "nlbsim");
    assert_int_equal(c->nlb.obj.line, 0);
    assert_true(c->nlb.process.workers >= 1);
    assert_null(c->nlb.process.events);
    assert_int_equal(c->nlb.relay, RELAY_AUTO);
    assert_int_equal(c->nlb.target_connect, TARGET_CONNECT_AFTER_HANDSHAKE);
    assert_int_equal(c->nlb.backend_policy_scope, BACKEND_SCOPE_LISTENER);
    assert_string_equal(c->nlb.process.region, "us-east-1");
    assert_true(c->nlb.process.time_scale == 1.0);

    assert_int_equal(t->protocol, PROTOCOL_TCP);
    assert_int_equal(t->idle_ms, 350000);
    assert_int_equal(t->obj.line, 4);
    assert_null(t->ssl_policy);
    assert_int_equal(t->n_forwards, 1);
    assert_ptr_equal(t->forwards[0].group, g);
    assert_int_equal(t->forwards[0].weight, 1);

    assert_int_equal(s->protocol, PROTOCOL_TLS);
    assert_int_equal(s->idle_ms, LISTENER_TLS_IDLE_MS);
    assert_string_equal(s->policy->name, "ELBSecurityPolicy-2016-08");
    assert_string_equal(s->alpn->name, "None");
    assert_int_equal(s->alpn_target_offer, ALPN_OFFER_CHOSEN);
    assert_int_equal(s->tls_error, TLS_ERROR_CLOSE_NOTIFY);
    assert_null(s->certificates[0].identity);

    assert_int_equal(g->deregistration_delay_ms, 300000);
    assert_int_equal(g->cross_zone, CROSS_ZONE_LOAD_BALANCER);
    assert_true(g->unhealthy_terminates);
    assert_false(g->preserve_client_ip);
    assert_int_equal(g->health.protocol, HEALTH_PROTOCOL_TCP);
    assert_int_equal(g->health.port, 0);
    assert_int_equal(g->health.timeout_ms, 10000);
    assert_int_equal(g->health.interval_ms, 30000);
    assert_string_equal(g->health.matcher, "200-399");
    assert_int_equal(g->dns_failover_count, 1);
    assert_int_equal(g->dns_failover_percentage, 0);
    nlb_config_unref(c);
}

static void every_value_arrives(void **state)
{
    struct nlb_config *c =
        good("[nlb]\nname = private-api\nworkers = 3\nevents = e.jsonl\nrelay = splice\n"
             "target_connect = after_hello\nbackend_policy_scope = load_balancer\n"
             "region = eu-west-1\naccount_id = 000011112222\nload_balancer_id = ffffffffffffffff\n"
             "lab_seed = 42\ntime_scale = 100\nenforce_quotas = false\nevents_detail = full\n"
             "[listener s]\nprotocol = TLS\nlisten = [::1]:8443\ncertificate = a.pem\n"
             "certificate = lab:valid/b.example\nssl_policy = ELBSecurityPolicy-TLS13-1-3-2021-06\n"
             "alpn_policy = HTTP2Preferred\nalpn_target_offer = policy\ntls_error = alert\n"
             "allow_unsupported_keys = true\ntarget_group = blue:90 green:0\n"
             "[listener t]\nprotocol = TCP\nlisten = 0.0.0.0:9\ntcp.idle_timeout.seconds = 60\n"
             "observe_tls = false\ntarget_group = blue:1\ntarget_group = green:999\n"
             "[target_group blue]\nprotocol = TCP\ntarget = lab:app\ntarget = 10.0.0.1:65535\n"
             "target = 10.0.0.2:1\ntarget_type = ip\n"
             "[target_group green]\nprotocol = TCP\n"
             "[lab_target app]\nsize = 9\n",
             false);
    const struct listener_cfg *s = nlb_config_listener(c, "s"), *t = nlb_config_listener(c, "t");
    const struct target_group_cfg *g = nlb_config_group(c, "blue");
    const struct config_list *apps = nlb_config_list(c, "lab_target");
    char text[ADDR_TEXT_MAX];

    (void)state;
    assert_string_equal(c->nlb.process.name, "private-api");
    assert_int_equal(c->nlb.process.workers, 3);
    assert_string_equal(c->nlb.process.events, "e.jsonl");
    assert_int_equal(c->nlb.relay, RELAY_SPLICE);
    assert_int_equal(c->nlb.target_connect, TARGET_CONNECT_AFTER_HELLO);
    assert_int_equal(c->nlb.backend_policy_scope, BACKEND_SCOPE_LOAD_BALANCER);
    assert_string_equal(c->nlb.process.account_id, "000011112222");
    assert_string_equal(c->nlb.lab_seed, "42");
    assert_string_equal(addr_format(&s->listen, text), "[::1]:8443");
    assert_int_equal(s->n_certificates, 2);
    assert_string_equal(s->certificates[0].spec, "a.pem");
    assert_string_equal(s->certificates[1].spec, "lab:valid/b.example");
    assert_int_equal(s->certificates[1].line, 19);
    assert_string_equal(s->policy->name, "ELBSecurityPolicy-TLS13-1-3-2021-06");
    assert_string_equal(s->alpn->name, "HTTP2Preferred");
    assert_int_equal(s->alpn_target_offer, ALPN_OFFER_POLICY);
    assert_int_equal(s->tls_error, TLS_ERROR_ALERT);
    assert_true(s->allow_unsupported_keys);
    assert_int_equal(s->forwards[0].weight, 90);
    assert_int_equal(s->forwards[1].weight, 0);
    assert_int_equal(t->idle_ms, 60000);
    assert_int_equal(t->n_forwards, 2);
    assert_int_equal(t->forwards[1].weight, 999);
    assert_int_equal(g->n_targets, 3);
    assert_string_equal(g->targets[0].lab, "app");
    assert_int_equal(g->targets[0].addr.len, 0);
    assert_string_equal(addr_format(&g->targets[1].addr, text), "10.0.0.1:65535");
    assert_null(g->targets[1].lab);
    assert_int_equal(nlb_config_group(c, "green")->n_targets, 0);
    assert_int_equal(apps->n, 1);
    assert_int_equal(((const struct app_cfg *)apps->items)->size, 9);
    assert_int_equal(cfg_line(&s->obj, "tls_error"), 23);
    assert_int_equal(cfg_line(&s->obj, "zone"), 0);
    nlb_config_unref(c);
}

static void lab_targets_are_bound(void **state)
{
    struct nlb_config *c = good("[target_group g]\nprotocol = TCP\ntarget = lab:app\n"
                                "[target_group h]\nprotocol = TLS\ntarget = lab:app\n"
                                "[lab_target app]\n",
                                false);
    struct addr at;
    struct err err;

    (void)state;
    assert_int_equal(addr_parse(&at, "127.0.0.1:4711", &err), 0);
    assert_int_equal(nlb_config_bind_lab(c, "other", &at), 0);
    assert_int_equal(nlb_config_bind_lab(c, "app", &at), 2);
    assert_true(addr_equal(&nlb_config_group(c, "h")->targets[0].addr, &at));
    nlb_config_unref(c);
}

static void generations_are_counted(void **state)
{
    struct nlb_config *c;

    (void)state;
    checked = cleared = 0;
    c = good("[lab_target a]\n[lab_target b]\n", false);
    assert_int_equal(checked, 2);
    assert_ptr_equal(nlb_config_ref(c), c);
    nlb_config_unref(c);
    assert_int_equal(cleared, 0);
    nlb_config_unref(c);
    assert_int_equal(cleared, 2);
    nlb_config_unref(NULL);
}

static void a_refused_file_is_cleared(void **state)
{
    (void)state;
    cleared = 0;
    assert_null(parse("[lab_target a]\nsize = 10\n", false));
    assert_int_equal(cleared, 1);
    assert_null(parse(GROUP "[lab_target t]\n" TCP "target_group = g\n", false));
    assert_string_equal(problems.v[0].text, "app and listener share a name");
}

static void paths_count_from_the_file(void **state)
{
    struct nlb_config *c = good("[lab_target a]\n", false);
    char path[64], small[8];

    (void)state;
    assert_int_equal(nlb_config_path(c, "e.jsonl", path, sizeof path), 0);
    assert_string_equal(path, "/etc/nlb/e.jsonl");
    assert_int_equal(nlb_config_path(c, "/var/e", path, sizeof path), 0);
    assert_string_equal(path, "/var/e");
    assert_int_equal(nlb_config_path(c, "-", path, sizeof path), 0);
    assert_string_equal(path, "-");
    assert_int_equal(nlb_config_path(c, "e.jsonl", small, sizeof small), -1);
    nlb_config_unref(c);
}

static void certificates_are_loaded(void **state)
{
    struct nlb_config *c = good(GROUP TLS "target_group = g\n", true);
    const struct identity *cert = c->listeners[0].certificates[0].identity;

    (void)state;
    assert_non_null(cert);
    assert_string_equal(cert->spec, "lab:valid/a.example");
    assert_non_null(c->lab);
    nlb_config_unref(c);
}

/* One wrong file and one message it must give. */
static const struct rule {
    const char *text;
    int line;
    const char *part;
} rules[] = {
    /* structure */
    { "", 0, "no [listener NAME]" },
    { "name = x\n", 1, "'name' stands before the first [section]" },
    { "[listner a]\n", 1, "unknown section [listner]; did you mean 'listener'?" },
    { "[listener]\n", 1, "[listener] needs a name" },
    { "[nlb x]\n", 1, "[nlb] takes no name ('x')" },
    { "[nlb]\n[nlb]\n", 2, "[nlb] is there twice (first on line 1)" },
    { GROUP GROUP, 4, "[target_group g] is there twice (first on line 1)" },
    { "[listener a b]\n", 1, "bad name 'a b'" },
    { "[listener 123456789012345678901234567890123]\n", 1, "bad name" },
    { "[nlb]\nwrokers = 2\n", 2, "unknown key 'wrokers'; did you mean 'workers'?" },
    { "[nlb]\ntarget = 127.0.0.1:1\n", 2,
      "'target' is a key of [target_group NAME], not of [nlb]" },
    { "[nlb]\nname = a\nname = b\n", 3, "name is given twice (first on line 2)" },
    { "[nlb]\nname =\n", 2, "name has no value" },
    /* values of [nlb] */
    { "[nlb]\nname = -x\n", 2, "bad value '-x' for name" },
    { "[nlb]\nname = internal-x\n", 2, "internal-" },
    { "[nlb]\nworkers = 0\n", 2, "bad value '0' for workers (allowed: 1-256" },
    { "[nlb]\nworkers = 257\n", 2, "bad value '257'" },
    { "[nlb]\nworkers = two\n", 2, "bad value 'two'" },
    { "[nlb]\nworkers = 99999999999999999999\n", 2, "bad value '99999999999999999999'" },
    { "[nlb]\nrelay = splic\n", 2, "(allowed: auto, copy, splice); did you mean 'splice'?" },
    { "[nlb]\ntarget_connect = never\n", 2, "allowed: after_handshake, after_hello" },
    { "[nlb]\nbackend_policy_scope = all\n", 2, "allowed: listener, load_balancer" },
    { "[nlb]\nregion = EU\n", 2, "bad value 'EU' for region" },
    { "[nlb]\naccount_id = 12345678901\n", 2, "12 digits" },
    { "[nlb]\nload_balancer_id = xyz\n", 2, "16 hexadecimal digits" },
    { "[nlb]\nvpc_endpoint_id = 1\n", 2, "vpce-" },
    { "[nlb]\ntime_scale = 0\n", 2, "1-1000" },
    { "[nlb]\nvpc_endpoint_id = vpce-xyz\n", 2, "hexadecimal digits" },
    { "[nlb]\nvpc_endpoint_id = vpce-\n", 2, "hexadecimal digits" },
    { "[nlb]\nevents = -\naccess_log = -\n", 2, "both write to '-'" },
    /* listeners */
    { "[listener a]\n", 1, "[listener a] has no 'protocol'" },
    { "[listener a]\n", 1, "[listener a] has no 'listen'" },
    { "[listener a]\n", 1, "[listener a] has no 'target_group'" },
    { "[listener a]\nprotocol = UDP\n", 2, "protocol = UDP: not simulated" },
    { "[listener a]\nprotocol = TCP_UDP\n", 2, "protocol = TCP_UDP: not simulated" },
    { "[listener a]\nprotocol = QUIC\n", 2, "protocol = QUIC: not simulated" },
    { "[listener a]\nprotocol = TCP_QUIC\n", 2, "protocol = TCP_QUIC: not simulated" },
    { "[listener a]\nprotocol = HTTPS\n", 2, "Application Load Balancers" },
    { "[listener a]\nprotocol = tls\n", 2, "did you mean 'TLS'?" },
    { "[listener a]\nlisten = 8443\n", 2, "listen = 8443 is a port without an address" },
    { "[listener a]\nlisten = localhost:1\n", 2, "is not an IP address" },
    { GROUP TCP "target_group = gg\n", 7, "there is no [target_group gg]; did you mean 'g'?" },
    { GROUP TCP "target_group = g g\n", 7, "'g' is named twice" },
    { GROUP TCP "target_group = g:1000\n", 7, "bad weight '1000' (allowed: 0-999" },
    { GROUP TCP "target_group = g:-1\n", 7, "bad weight '-1'" },
    { GROUP TCP "target_group = g:\n", 7, "bad weight ''" },
    { GROUP TCP "target_group = g:0\n", 7, "has weight 0" },
    { GROUP TCP "target_group = g:1 h\n", 7, "'h' has no weight" },
    { GROUP TCP "target_group = g\ntcp.idle_timeout.seconds = 59\n", 8, "60-6000 (seconds)" },
    { GROUP TCP "target_group = g\ntcp.idle_timeout.seconds = 6001\n", 8, "60-6000 (seconds)" },
    { GROUP TCP "target_group = g\ncertificate = a.pem\n", 8, "never presents a certificate" },
    { GROUP TCP "target_group = g\nssl_policy = ELBSecurityPolicy-2016-08\n", 8,
      "ssl_policy is only for protocol = TLS" },
    { GROUP TCP "target_group = g\nalpn_policy = None\n", 8, "alpn_policy is only for" },
    { GROUP TCP "target_group = g\nalpn_target_offer = policy\n", 8, "alpn_target_offer is only" },
    { GROUP TCP "target_group = g\ntls_error = alert\n", 8, "tls_error is only for" },
    { GROUP TCP "target_group = g\nallow_unsupported_keys = true\n", 8,
      "allow_unsupported_keys is" },
    { GROUP TCP "target_group = g\nzone = a\n", 3, "has no zone, so that listener 't' (zone = a)" },
    { GROUP "stickiness.enabled = true\n" TLS "target_group = g\n", 9,
      "stickiness.enabled (line 4), which is not supported for TLS listeners" },
    { "[target_group g]\nprotocol = TLS\n" TCP "target_group = g\n", 6,
      "TCP listener 't' cannot forward to target group 'g', which is TLS" },
    { GROUP "[listener s]\nprotocol = TLS\nlisten = 127.0.0.1:0\ntarget_group = g\n", 4,
      "TLS listener 's' has no certificate" },
    { GROUP TLS "target_group = g\ntcp.idle_timeout.seconds = 350\n", 9,
      "350 seconds and cannot be changed (https://docs.aws.amazon.com/" },
    { GROUP TLS "target_group = g\nobserve_tls = false\n", 9, "only for protocol = TCP" },
    { GROUP TLS "target_group = g\nssl_policy = ELBSecurityPolicy-2016-80\n", 9,
      "did you mean 'ELBSecurityPolicy-2016-08'?" },
    { GROUP TLS "target_group = g\nalpn_policy = HTTP3Only\n", 9,
      "unknown alpn_policy 'HTTP3Only'" },
    { GROUP TLS "target_group = g\nalpn_target_offer = both\n", 9, "allowed: chosen, policy" },
    { GROUP TLS "target_group = g\ntls_error = rst\n", 9, "allowed: close_notify, alert" },
    { GROUP TLS "target_group = g\nallow_unsupported_keys = yes\n", 9, "allowed: true, false" },
    { GROUP TLS "target_group = g\ncertificate = lab:valid/a.example\n", 9, "is given twice" },
    { GROUP TLS "target_group = g\ncertificate = lab:vaild/a.example\n", 9, "vaild" },
    { GROUP TLS "target_group = g:1 h:1\n[target_group h]\nprotocol = TLS\n", 8,
      "all groups of a TLS listener share one protocol" },
    { GROUP TLS "target_group = h\n[target_group h]\nprotocol = TCP\nstickiness.enabled = true\n",
      8, "not supported for TLS listeners" },
    { GROUP "[listener a]\nprotocol = TCP\nlisten = 127.0.0.1:8443\ntarget_group = g\n"
            "[listener b]\nprotocol = TCP\nlisten = 127.0.0.1:8443\ntarget_group = g\n",
      10, "listen = 127.0.0.1:8443 is taken by listener 'a' (line 6)" },
    /* target groups */
    { "[target_group g]\n", 1, "[target_group g] has no 'protocol'" },
    { "[target_group g]\nprotocol = UDP\n", 2, "protocol = UDP: not simulated" },
    { "[target_group -g]\nprotocol = TCP\n", 1, "bad target group name '-g'" },
    { "[target_group g-]\nprotocol = TCP\n", 1, "bad target group name 'g-'" },
    { "[target_group a_b]\nprotocol = TCP\n", 1, "bad target group name 'a_b'" },
    { GROUP "target = 127.0.0.1:7000\n", 4, "registered twice (first on line 3)" },
    { GROUP "target = 127.0.0.1:0\n", 4, "port is 1-65535" },
    { GROUP "target = host:80\n", 4, "is not an IP address" },
    { GROUP "target = lab:\n", 4, "write lab:NAME" },
    { GROUP "target = lab:valid/x\n", 4, "write lab:NAME" },
    { GROUP "target = lab:ap\n[lab_target app]\n", 4, "no [lab_target ap]; did you mean 'app'?" },
    { GROUP "target = 127.0.0.1:1 zone=\n", 4, "'zone=' names no zone" },
    { GROUP "target = 127.0.0.1:1 weight=2\n", 4, "cannot read 'weight=2'" },
    { GROUP "target_type = instance\n", 4, "no EC2 instances here" },
    { GROUP "target_type = alb\n", 4, "no Application Load Balancer here" },
    { GROUP "deregistration_delay.timeout_seconds = 3601\n", 4, "allowed: 0-3600 (seconds)" },
    { GROUP "load_balancing.cross_zone.enabled = on\n", 4, "use_load_balancer_configuration" },
    { GROUP "proxy_protocol_v2.enable = true\n", 4, "did you mean 'proxy_protocol_v2.enabled'?" },
    { GROUP "stickiness.type = lb_cookie\n", 4, "allowed: source_ip" },
    { GROUP "target_group_health.dns_failover.minimum_healthy_targets.count = 0\n", 4,
      "allowed: off, 1-1000" },
    { GROUP "target_group_health.dns_failover.minimum_healthy_targets.percentage = 101\n", 4,
      "allowed: off, 1-100" },
    { GROUP "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count = off\n", 4,
      "allowed: 1-1000" },
    { GROUP "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count = 2\n", 1,
      "DNS failover threshold must be at least the routing threshold" },
    { GROUP "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage = 9\n"
            "target_group_health.dns_failover.minimum_healthy_targets.percentage = 8\n",
      1, "DNS failover threshold must be at least the routing threshold" },
    { GROUP "target_health_state.unhealthy.draining_interval_seconds = 360001\n", 4,
      "allowed: 0-360000" },
    { GROUP "target_health_state.unhealthy.draining_interval_seconds = 5\n", 4,
      "connection_termination.enabled = false" },
    { GROUP "health_check_protocol = TLS\n", 4, "NLB does not accept TLS" },
    { GROUP "health_check_protocol = UDP\n", 4, "NLB does not accept UDP" },
    { GROUP "health_check_port = 0\n", 4, "allowed: traffic-port, 1-65535" },
    { GROUP "health_check_path = x\n", 4, "begins with '/'" },
    { GROUP "health_check_timeout_seconds = 1\n", 4, "allowed: 2-120" },
    { GROUP "health_check_interval_seconds = 301\n", 4, "allowed: 5-300" },
    { GROUP "healthy_threshold_count = 1\n", 4, "allowed: 2-10" },
    { GROUP "unhealthy_threshold_count = 11\n", 4, "allowed: 2-10" },
    { GROUP "matcher = 199\n", 4, "bad value '199' for matcher" },
    { GROUP "matcher = 600\n", 4, "bad value '600'" },
    { GROUP "matcher = 300-200\n", 4, "bad value '300-200'" },
    { GROUP "matcher = 200-\n", 4, "bad value '200-'" },
    { GROUP "matcher = 200-299-300\n", 4, "bad value" },
    { GROUP "health_check_enabled = false\n", 4, "cannot be switched off" },
    { GROUP "health_check_path = /up\n", 4, "paths are not supported for TCP health checks" },
    { GROUP "health_check_path = /\n", 4, "paths are not supported for TCP health checks" },
    { GROUP "matcher = 200\n", 4, "matchers are not supported for TCP health checks" },
    { GROUP "health_check_protocol = TCP\nmatcher = 200-399\n", 5, "matchers are not supported" },
    { GROUP "health_check_interval_seconds = 9\n", 4,
      "timeout '10' (the default) must be smaller than or equal to the interval '9';" },
    { GROUP "health_check_protocol = HTTPS\nhealth_check_interval_seconds = 9\n", 5,
      "timeout '10' (the default) must be" },
    { GROUP "health_check_protocol = HTTP\nhealth_check_interval_seconds = 5\n", 5,
      "timeout '6' (the default) must be" },
    { GROUP "health_check_timeout_seconds = 31\n", 4,
      "timeout '31' must be smaller than or equal to the interval '30' (the default)" },
    { GROUP "health_check_timeout_seconds = 30\nhealth_check_interval_seconds = 10\n", 5,
      "timeout '30' must be smaller than or equal to the interval '10'" },
    { GROUP "target = [::1]:1\n", 4, "is not of the same IP version as '127.0.0.1:7000' (line 3)" },
};

/* What AWS accepts, at and inside the edges of its ranges. */
static void what_the_api_accepts(void **state)
{
    static const char *const lines[] = {
        "health_check_enabled = true",
        "health_check_protocol = TCP\nhealth_check_interval_seconds = 10",
        "health_check_protocol = HTTP\nhealth_check_interval_seconds = 6",
        "health_check_protocol = HTTPS\nhealth_check_interval_seconds = 10",
        "health_check_timeout_seconds = 30",
        "health_check_timeout_seconds = 5\nhealth_check_interval_seconds = 5",
        "health_check_timeout_seconds = 2\nhealth_check_interval_seconds = 5",
        "health_check_timeout_seconds = 120\nhealth_check_interval_seconds = 300",
        "health_check_protocol = HTTP\nhealth_check_path = /\nmatcher = 200-599",
        "health_check_protocol = HTTPS\nhealth_check_path = /up?deep=1\nmatcher = 200,301-302",
        "health_check_port = 65535",
        "health_check_port = traffic-port",
        "healthy_threshold_count = 10\nunhealthy_threshold_count = 2",
        "healthy_threshold_count = 2\nunhealthy_threshold_count = 10",
        "deregistration_delay.timeout_seconds = 0",
        "deregistration_delay.timeout_seconds = 3600",
        "deregistration_delay.connection_termination.enabled = true",
        "load_balancing.cross_zone.enabled = use_load_balancer_configuration",
        "preserve_client_ip.enabled = true",
        "proxy_protocol_v2.enabled = true",
        "stickiness.enabled = true\nstickiness.type = source_ip",
        "stickiness.type = source_ip",
        "target_group_health.dns_failover.minimum_healthy_targets.count = off",
        "target_group_health.dns_failover.minimum_healthy_targets.percentage = 100",
        "target_group_health.dns_failover.minimum_healthy_targets.count = 2\n"
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count = 2",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage = off",
        "target_health_state.unhealthy.draining_interval_seconds = 0",
        "target_health_state.unhealthy.connection_termination.enabled = false\n"
        "target_health_state.unhealthy.draining_interval_seconds = 360000",
        "[listener t]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"
        "tcp.idle_timeout.seconds = 60",
        "[listener t]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g:999 h:0\n"
        "tcp.idle_timeout.seconds = 6000\n[target_group h]\nprotocol = TCP",
        TLS "target_group = g\nalpn_policy = HTTP2Only\nssl_policy = ELBSecurityPolicy-2015-05",
    };
    char text[1024];

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(text, sizeof text, "%s%s\n%s", GROUP, lines[i],
                 "[listener z]\nprotocol = TCP\n"
                 "listen = 127.0.0.1:0\ntarget_group = g\n");
        nlb_config_unref(good(text, false));
    }
}

static void every_rule_has_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        struct nlb_config *c = parse(r->text, false);
        bool found = false;

        if (c != NULL)
            fail_msg("accepted, should say '%s':\n%s", r->part, r->text);
        for (size_t j = 0; j < problems.n; j++)
            found = found ||
                    (problems.v[j].line == r->line && strstr(problems.v[j].text, r->part) != NULL);
        if (!found)
            fail_msg("line %d should say '%s', but the first of %zu is line %d: %s\n%s", r->line,
                     r->part, problems.n, problems.v[0].line, problems.v[0].text, r->text);
    }
}

/* A key at the value that describes what the program does anyway is no error. */
static void values_of_today_are_accepted(void **state)
{
    static const char *const lists[] = { "target_group" };
    struct nlb_config *c = good("[lab_target a]\n", false);
    char text[4096] = GROUP;

    (void)state;
    for (const struct cfg_key *key = nlb_config_list(c, lists[0])->kind->keys; key->name != NULL;
         key++) {
        if (key->only != NULL && key->only[0] != '\0')
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s = %s\n", key->name,
                     key->only);
    }
    nlb_config_unref(c);
    strcat(text, "[lab_target a]\n");
    nlb_config_unref(good(text, false));
}

/* A default must be a value that the row itself takes; where only one value is built, it is it. */
static void tables_are_consistent(void **state)
{
    struct nlb_config *c = good("[lab_target a]\n", false);

    (void)state;
    for (size_t i = 0; i < c->n_lists; i++) {
        for (const struct cfg_key *key = c->lists[i].kind->keys; key->name != NULL; key++) {
            if (key->only != NULL && key->only[0] != '\0' && key->def != NULL)
                assert_string_equal(key->only, key->def);
            if (c->lists[i].kind != &app_kind && (key->help == NULL || key->source == NULL))
                fail_msg("%s: no help or source", key->name);
            if (key->required && key->def != NULL)
                fail_msg("%s: required, yet with default", key->name);
            assert_false(key->repeated && key->kind != CFG_CUSTOM);
        }
    }
    nlb_config_unref(c);
}

static void keys_that_nlb_refuses(void **state)
{
    static const char text[] =
        GROUP "[listener s]\nprotocol = TLS\nlisten = 127.0.0.1:0\ntarget_group = g\n"
              "certificate = nowhere.pem\ncertificate = lab:ecdsa-521/a.example\n";
    struct nlb_config *c = parse(text, true);

    (void)state;
    assert_null(c);
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.v[0].line, 8);
    assert_non_null(strstr(problems.v[0].text, "/etc/nlb/nowhere.pem"));
    assert_int_equal(problems_exit_status(&problems), 2);
}

static void all_in_one_go_and_sorted(void **state)
{
    (void)state;
    assert_null(parse("[listener b]\nprotocol = TCP\nlisten = x\ntarget_group = no\n"
                      "[nlb]\nworkers = 0\n[listener a]\nprotocol = TLS\n",
                      false));
    assert_int_equal(problems.n, 6);
    for (size_t i = 1; i < problems.n; i++)
        assert_true(problems.v[i - 1].line <= problems.v[i].line);
}

static int done(void **state)
{
    (void)state;
    problems_clear(&problems);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(every_value_arrives),
        cmocka_unit_test(lab_targets_are_bound),
        cmocka_unit_test(generations_are_counted),
        cmocka_unit_test(a_refused_file_is_cleared),
        cmocka_unit_test(paths_count_from_the_file),
        cmocka_unit_test(certificates_are_loaded),
        cmocka_unit_test(every_rule_has_a_case),
        cmocka_unit_test(what_the_api_accepts),
        cmocka_unit_test(values_of_today_are_accepted),
        cmocka_unit_test(tables_are_consistent),
        cmocka_unit_test(keys_that_nlb_refuses),
        cmocka_unit_test(all_in_one_go_and_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
