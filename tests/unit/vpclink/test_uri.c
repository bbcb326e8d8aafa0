/* SPDX-License-Identifier: Apache-2.0
 * vpclink/uri.c and request.c: the endpoint taken apart, and the request that goes to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vpclink/request.h"

static struct gateway_uri parsed(const char *text)
{
    struct gateway_uri u;

    assert_int_equal(gateway_uri_parse(&u, text, NULL), 0);
    return u;
}

static void parts(void **state)
{
    struct gateway_uri u = parsed("https://api.example.com:8443/a/b?x=1#f");

    (void)state;
    assert_true(u.valid && u.tls && u.port_given && !u.is_address);
    assert_string_equal(u.host, "api.example.com");
    assert_int_equal(u.port, 8443);
    assert_string_equal(u.path, "/a/b?x=1#f");
    assert_string_equal(u.query, "x=1#f");
    u = parsed("HTTP://h");
    assert_true(u.valid && !u.tls && !u.port_given);
    assert_int_equal(u.port, 80);
    assert_null(u.query);
    u = parsed("https://[2001:db8::1]:444/");
    assert_true(u.valid && u.is_address && u.is_v6);
    assert_string_equal(u.host, "2001:db8::1");
    assert_int_equal(u.port, 444);
    u = parsed("http://192.0.2.7?q");
    assert_true(u.valid && u.is_address && !u.is_v6);
    assert_string_equal(u.query, "q");
}

static void invalid_endpoints(void **state)
{
    static const char *const bad[] = { "https://",          "https:///p",
                                       "https://:443/",     "https://h:0/",
                                       "https://h:65536",   "https://h:",
                                       "https://h:8a/",     "https://a b/",
                                       "https://[::1/",     "https://[::1]x/",
                                       "https://[h]/",      "http://::1/",
                                       "https://h:123456/", NULL };
    char longest[GATEWAY_HOST_MAX + 20];

    (void)state;
    for (size_t i = 0; bad[i] != NULL; i++) {
        const struct gateway_uri u = parsed(bad[i]);

        if (u.valid)
            fail_msg("%s is taken", bad[i]);
    }
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "https://", 8);
    longest[sizeof longest - 1] = '\0';
    assert_false(parsed(longest).valid);
}

static void the_fault_is_named(void **state)
{
    static const struct {
        const char *uri, *fault;
    } cases[] = {
        { "https://h:99999/x", "the port is 1-65535, and '99999' is none" },
        { "https://[::1]:0", "the port is 1-65535, and '0' is none" },
        { "https://h:", "the port is 1-65535, and '' is none" },
        { "https://:443/", "a host is missing" },
        { "https://[h]/", "'h' in [ ] is no IPv6 address" },
        { "https://[::1/", "the ] is missing" },
        { "https://[::1]x/", "after the ]" },
        { "https://a b/", "there is a blank in it" },
        { "https://a/{b}", "there is a '{' in it" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct gateway_uri u = parsed(cases[i].uri);

        assert_false(u.valid);
        if (strstr(u.fault, cases[i].fault) == NULL)
            fail_msg("%s: %s", cases[i].uri, u.fault);
    }
    assert_string_equal(parsed("https://h:443/").fault, "");
}

static void usage_errors(void **state)
{
    struct gateway_uri u;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(gateway_uri_parse(&u, "ftp://h/", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(gateway_uri_parse(&u, "https://me:secret@h/", &err), -1);
    assert_int_equal(gateway_uri_parse(&u, "", &err), -1);
}

/* Facts on Java errors, rule 7. */
static void server_name(void **state)
{
    char out[GATEWAY_HOST_MAX];

    (void)state;
    assert_string_equal(gateway_sni("api.example.com", out), "api.example.com");
    assert_string_equal(gateway_sni("API.Example.com", out), "API.Example.com");
    assert_string_equal(gateway_sni("api.example.com.", out), "api.example.com");
    assert_string_equal(gateway_sni("b\xc3\xbc"
                                    "cher.example",
                                    out),
                        "xn--bcher-kva.example");
    assert_null(gateway_sni_refusal("api.example.com"));
    assert_null(gateway_sni_refusal("api.example.com."));
    assert_string_equal(gateway_sni_refusal("localhost"), "it has no dot");
    assert_string_equal(gateway_sni_refusal("localhost."), "it has no dot");
    assert_string_equal(gateway_sni_refusal("2001:db8::1"), "it is an address");
    assert_string_equal(gateway_sni_refusal("my_api.example.com"), "it has an underscore");
    assert_string_equal(gateway_sni_refusal("-a.example.com"), "it is no legal host name");
    assert_null(gateway_sni("localhost", out));
    assert_null(gateway_sni("192.0.2.1", out));
    assert_null(gateway_sni("2001:db8::1", out));
    assert_null(gateway_sni("my_api.example.com", out));
}

static void expect_head(const struct gateway_task *task, const char *want)
{
    char *head = gateway_request_head(task);

    assert_non_null(head);
    assert_string_equal(head, want);
    free(head);
}

static void request_head(void **state)
{
    static const struct gateway_header own[] = { { "Host", "other" }, { "user-agent", "mine" } };
    struct gateway_task t = { .method = "GET", .api_id = "abc" };

    (void)state;
    t.uri = parsed("https://api.example.com:8443?x=1#frag");
    expect_head(&t, "GET /?x=1 HTTP/1.1\r\nHost: api.example.com\r\n"
                    "x-amzn-apigateway-api-id: abc\r\nUser-Agent: AmazonAPIGateway_abc\r\n"
                    "Connection: Keep-Alive\r\n\r\n");
    t.host_port = true;
    t.data = "hello";
    t.n_data = 5;
    t.method = "POST";
    t.uri = parsed("https://[::1]:8443/p");
    expect_head(&t, "POST /p HTTP/1.1\r\nHost: [::1]:8443\r\nx-amzn-apigateway-api-id: abc\r\n"
                    "User-Agent: AmazonAPIGateway_abc\r\nContent-Length: 5\r\n"
                    "Connection: Keep-Alive\r\n\r\n");
    t.headers = own;
    t.n_headers = 2;
    t.data = NULL;
    expect_head(&t, "POST /p HTTP/1.1\r\nx-amzn-apigateway-api-id: abc\r\nHost: other\r\n"
                    "user-agent: mine\r\nConnection: Keep-Alive\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(invalid_endpoints),
        cmocka_unit_test(the_fault_is_named),
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(server_name),
        cmocka_unit_test(request_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
