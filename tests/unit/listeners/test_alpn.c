/* SPDX-License-Identifier: Apache-2.0
 * ALPN policies: the choice in server order, and carrying on without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "listeners/alpn.h"
#include "tests/lib/hello.h"

static const uint16_t suites[] = { 0x1301, 0 };

static const char *chosen(const char *policy, const char *const *names)
{
    struct hello_spec spec = { .suites = suites, .alpn = names };
    uint8_t body[512];
    struct tls_offer o;
    const char *name;

    assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), 0);
    assert_non_null(alpn_find(policy));
    name = alpn_choose(alpn_find(policy), &o);
    tls_offer_clear(&o);
    return name == NULL ? "-" : name;
}

static void test_choice(void **state)
{
    static const char *const both[] = { "http/1.1", "h2", NULL };
    static const char *const h2[] = { "h2", NULL };
    static const char *const old[] = { "http/1.0", NULL };
    static const char *const other[] = { "spdy/3", "H2", "h", "http/1.11", NULL };

    (void)state;
    assert_string_equal(chosen("HTTP2Preferred", both), "h2"); /* server order */
    assert_string_equal(chosen("HTTP2Optional", both), "http/1.1");
    assert_string_equal(chosen("HTTP2Optional", h2), "h2");
    assert_string_equal(chosen("HTTP2Only", both), "h2");
    assert_string_equal(chosen("HTTP1Only", both), "http/1.1");
    assert_string_equal(chosen("HTTP1Only", old), "http/1.0");
    assert_string_equal(chosen("HTTP1Only", h2), "-"); /* no overlap: without ALPN */
    assert_string_equal(chosen("HTTP2Only", old), "-");
    assert_string_equal(chosen("HTTP2Preferred", other), "-");
    assert_string_equal(chosen("HTTP2Preferred", NULL), "-"); /* nothing offered */
    assert_string_equal(chosen("None", both), "-");
}

static void test_names(void **state)
{
    size_t n;

    (void)state;
    assert_string_equal(alpn_all(&n)[0].name, ALPN_DEFAULT);
    assert_int_equal(n, 5);
    assert_null(alpn_find("http2only"));
    assert_string_equal(alpn_nearest("http2only"), "HTTP2Only");
    assert_string_equal(alpn_nearest("HTTP2Prefered"), "HTTP2Preferred");
    assert_null(alpn_nearest("completely different"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
