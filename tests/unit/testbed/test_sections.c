/* SPDX-License-Identifier: Apache-2.0
 * testbed/sections.c: what [lab_target] and [integration] give, and a case per rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/store/identity.h"
#include "testbed/sections.h"

static struct problems problems;

static struct nlb_config *parse(const char *text, bool load)
{
    problems_clear(&problems);
    return nlb_config_parse(text, strlen(text), "t.ini", "/etc/nlb", lab_section_kinds,
                            lab_n_section_kinds, load, &problems);
}

static struct nlb_config *good(const char *text, bool load)
{
    struct nlb_config *c = parse(text, load);

    if (c == NULL)
        fail_msg("refused, line %d: %s", problems.n == 0 ? 0 : problems.v[0].line,
                 problems.n == 0 ? "(no reason)" : problems.v[0].text);
    return c;
}

#define LISTENER                                                                                   \
    "[target_group g]\nprotocol = TCP\n"                                                           \
    "[listener https]\nprotocol = TCP\nlisten = 127.0.0.1:8443\ntarget_group = g\n" /* 6 lines */

static void targets(void **state)
{
    struct nlb_config *c = good(
        "[lab_target plain]\nprotocol = HTTP\nlisten = 127.0.0.1:80\n"
        "[lab_target app]\ncertificate = lab:self-signed/a.example\nclient_auth = require\n"
        "client_ca = lab:client\ntls_min = 1.3\nalpn = h2 http/1.1\n"
        "ciphers = TLS_AES_128_GCM_SHA256\nciphers = ECDHE-RSA-AES128-GCM-SHA256\nfault = none\n",
        true);
    size_t n;
    const struct lab_target_cfg *t = lab_config_targets(c, &n);

    (void)state;
    assert_int_equal(n, 2);
    assert_int_equal(t[0].protocol, LAB_HTTP);
    assert_int_equal(addr_port(&t[0].listen), 80);
    assert_null(t[0].certificate.identity);
    assert_int_equal(t[1].protocol, LAB_HTTPS);
    assert_int_equal(addr_port(&t[1].listen), 0);
    assert_non_null(t[1].certificate.identity);
    assert_non_null(t[1].client_ca_store);
    assert_int_equal(t[1].client_auth, CLIENT_AUTH_REQUIRE);
    assert_int_equal(t[1].tls_min, LAB_TLS_1_3);
    assert_int_equal(t[1].tls_max, LAB_TLS_1_3);
    assert_int_equal(t[1].n_alpn, 2);
    assert_string_equal(t[1].alpn[1], "http/1.1");
    assert_int_equal(t[1].n_ciphers, 2);
    assert_int_equal(t[1].suites[0], 0x1301);
    assert_int_equal(t[1].suites[1], 0xc02f);
    assert_null(t[1].fault);
    nlb_config_unref(c);
}

static void integrations(void **state)
{
    struct nlb_config *c = good(
        LISTENER "[integration a]\nuri = https://api.example.com/x\nlistener = https\n"
                 "[integration b]\nuri = http://[::1]:8080\nlistener = https\n"
                 "insecure_skip_verification = true\nskip_allows_plain_self_signed = true\n"
                 "client_certificate = lab:stage-client/gateway\ntrust_store = lab:all\n"
                 "handshake_break = network\nwording = classic\nat = 2030-01-01\nrequests = 3\n"
                 "expect = ok\nexpect_status = 200\nexpect_hop = none\n",
        true);
    size_t n;
    const struct integration_cfg *g = lab_config_integrations(c, &n);

    (void)state;
    assert_int_equal(n, 2);
    assert_string_equal(g[0].uri, "https://api.example.com/x");
    assert_string_equal(g[0].trust_store, "lab:public");
    assert_null(g[0].client_certificate);
    assert_int_equal(g[0].requests, 1);
    assert_int_equal(g[0].expect_hop, EXPECT_HOP_ANY);
    assert_true(g[1].insecure_skip_verification);
    assert_string_equal(g[1].client_certificate, "lab:stage-client/gateway");
    assert_int_equal(g[1].handshake_break, HANDSHAKE_BREAK_NETWORK);
    assert_int_equal(g[1].wording, WORDING_CLASSIC);
    assert_int_equal(g[1].expect_status, 200);
    assert_int_equal(g[1].expect_hop, EXPECT_HOP_NONE);
    nlb_config_unref(c);
}

#define PLAIN       "[lab_target p]\nprotocol = HTTP\n"
#define HTTPS       "[lab_target s]\ncertificate = lab:valid/a.example\n"
#define INTEGRATION LISTENER "[integration i]\nuri = https://a.example/\nlistener = https\n"

static const struct rule {
    const char *text;
    int line;
    const char *part;
} rules[] = {
    { "[lab_target s]\n", 1, "HTTPS lab target 's' has no certificate" },
    { "[lab_target s]\nprotocol = TLS\n", 2, "allowed: HTTPS, HTTP" },
    { "[lab_target s]\ncertificate = gone.pem\n", 2, "/etc/nlb/gone.pem" },
    { "[lab_target s]\ncertificate = lab:slef-signed/a\n", 2, "did you mean 'self-signed'?" },
    { "[lab_target s]\ncertificate = lab:valid/a\ncertificate = lab:valid/b\n", 3, "given twice" },
    { HTTPS "client_auth = require\n", 3, "client_auth = require needs client_ca" },
    { HTTPS "client_auth = want\n", 3, "allowed: none, request, require" },
    { HTTPS "client_ca = lab:client\n", 3, "client_ca without client_auth" },
    { HTTPS "client_auth = request\nclient_ca = lab:nobody\n", 4, "client_ca = lab:nobody" },
    { HTTPS "client_auth = request\nclient_crl = lab:client-revoked/x\n", 4,
      "client_crl without client_ca" },
    { HTTPS "client_auth = request\nclient_ca = lab:client\nclient_crl = lab:nope/x\n", 5,
      "client_crl = lab:nope/x" },
    { HTTPS "tls_min = 1.3\ntls_max = 1.2\n", 4, "tls_max = 1.2 is below tls_min = 1.3" },
    { HTTPS "tls_min = 1.1\n", 3, "not simulated: the TLS library" },
    { HTTPS "tls_max = 1.4\n", 3, "allowed: 1.2, 1.3" },
    { HTTPS "fault = reset-after-helo\n", 3, "did you mean 'reset-after-hello'?" },
    { HTTPS "fault = alert\n", 3, "fault alert takes an alert by name" },
    { HTTPS "fault = alert:nonsense\n", 3, "fault alert takes an alert by name" },
    { HTTPS "fault = status:99\n", 3, "fault status takes an HTTP status, 200-599" },
    { HTTPS "fault = garbage:1\n", 3, "fault garbage takes no argument" },
    { HTTPS "fault = pin-client-certificate\n", 3, "needs client_auth = request or require" },
    { HTTPS "client_auth = request\nfault = pin-client-certificate:12\n", 4, "64 hexadecimal" },
    { HTTPS "tls_min = 1.3\nciphers = ECDHE-RSA-AES128-GCM-SHA256\n", 4,
      "none of them goes with tls_min and tls_max" },
    { HTTPS "ciphers = RC4-SHA\n", 3, "the TLS library does not have RC4-SHA" },
    { PLAIN "fault = garbage\n", 3, "fault garbage is for protocol = HTTPS" },
    { PLAIN "fault = refuse-unknown-host\n", 3, "fault = refuse-unknown-host:HOST" },
    { HTTPS "ciphers = TLS_AES_128_GCM_SHA265\n", 3, "did you mean 'TLS_AES_128_GCM_SHA256'?" },
    { HTTPS "ciphers = ECDHE-RSA-AES128-GCM-SHA256:NOPE\n", 3, "'NOPE' is no cipher suite" },
    { PLAIN "certificate = lab:valid/a\n", 3, "certificate is only for protocol = HTTPS" },
    { PLAIN "alpn = h2\n", 3, "alpn is only for protocol = HTTPS" },
    { PLAIN "tls_min = 1.2\n", 3, "tls_min is only for protocol = HTTPS" },
    { PLAIN "client_auth = none\n", 3, "client_auth is only for protocol = HTTPS" },
    { LISTENER PLAIN "listen = 127.0.0.1:8443\n", 9, "is taken by listener 'https'" },
    { PLAIN "listen = 127.0.0.1:80\n[lab_target q]\nprotocol = HTTP\nlisten = 127.0.0.1:80\n", 6,
      "is taken by lab target 'p'" },
    { "[target_group g]\nprotocol = TCP\ntarget = lab:p\n", 3, "there is no [lab_target p]" },
    { LISTENER "[integration i]\n", 7, "[integration i] has no 'uri'" },
    { LISTENER "[integration i]\n", 7, "[integration i] needs listener = NAME" },
    { LISTENER "[integration i]\nuri = api.example.com\n", 8, "https://HOST[:PORT]/PATH" },
    { LISTENER "[integration i]\nuri = https:///x\n", 8, "a host is missing" },
    { LISTENER "[integration i]\nuri = https://:8\n", 8, "a host is missing" },
    { LISTENER "[integration i]\nuri = https://a b/\n", 8, "a blank in it" },
    { LISTENER "[integration i]\nuri = https://u@a/\n", 8, "no user name" },
    { LISTENER "[integration i]\nuri = https://a:0/\n", 8, "port is 1-65535" },
    { LISTENER "[integration i]\nuri = https://a:65536\n", 8, "port is 1-65535" },
    { LISTENER "[integration i]\nuri = https://a:\n", 8, "port is 1-65535" },
    { LISTENER "[integration i]\nuri = https://a:123456789012\n", 8, "port is 1-65535" },
    { LISTENER "[integration i]\nuri = https://[::1/\n", 8, "IPv6 address stands in [ ]" },
    { LISTENER "[integration i]\nuri = https://[::1]:x/\n", 8, "port is 1-65535" },
    { LISTENER "[integration i]\nuri = https://a/\nlistener = http\n", 9,
      "there is no [listener http]; did you mean 'https'?" },
    { INTEGRATION "trust_store = lab:pubic\n", 10, "trust_store = lab:pubic" },
    { INTEGRATION "trust_store = gone.pem\n", 10, "/etc/nlb/gone.pem" },
    { INTEGRATION "client_certificate = gone.pem\n", 10, "/etc/nlb/gone.pem" },
    { INTEGRATION "client_certificate = lab:nope/x\n", 10, "client_certificate = lab:nope/x" },
    { INTEGRATION "handshake_break = reset\n", 10, "allowed: configuration, network" },
    { INTEGRATION "wording = old\n", 10, "allowed: current, classic" },
    { INTEGRATION "at = yesterday\n", 10, "bad value 'yesterday' for at" },
    { INTEGRATION "requests = 0\n", 10, "allowed: 1-10000" },
    { INTEGRATION "expect_status = 99\n", 10, "allowed: 100-599" },
    { INTEGRATION "expect_hop = F\n", 10,
      "allowed: caller, listener, target, network, gateway, none" },
    { INTEGRATION "insecure_skip_verification = 1\n", 10, "allowed: true, false" },
};

static void every_rule_has_a_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *r = &rules[i];
        struct nlb_config *c = parse(r->text, true);
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

static void names_are_checked_without_loading(void **state)
{
    (void)state;
    assert_null(parse("[lab_target s]\ncertificate = lab:nope/a\n", false));
    assert_int_equal(problems.v[0].line, 2);
    nlb_config_unref(good("[lab_target s]\ncertificate = gone.pem\n", false));
}

/* Whatever allocation fails: no crash, no leak, and exit status 3. */
static void memory_may_run_out_anywhere(void **state)
{
    static const char text[] =
        "[nlb]\nname = x\n" INTEGRATION "client_certificate = none\n"
        "[target_group h]\nprotocol = TLS\ntarget = lab:s\ntarget = 127.0.0.1:1\n" HTTPS
        "alpn = h2 http/1.1\nciphers = TLS_AES_128_GCM_SHA256\nbad = 1\n";
    size_t n;

    (void)state;
    for (n = 0; n < 10000; n++) {
        problems_clear(&problems);
        arena_fail_after(n);
        assert_null(parse(text, false));
        arena_fail_after(ARENA_NEVER);
        if (!problems.environment)
            break;
        assert_int_equal(problems_exit_status(&problems), 3);
    }
    assert_in_range(n, 50, 9999);
    assert_int_equal(problems.n, 1);
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
        cmocka_unit_test(targets),
        cmocka_unit_test(integrations),
        cmocka_unit_test(every_rule_has_a_case),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(names_are_checked_without_loading),
    };

    return cmocka_run_group_tests(tests, NULL, done);
}
