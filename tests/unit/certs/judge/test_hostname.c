/* SPDX-License-Identifier: Apache-2.0
 * Host names: rows of the measured table, and properties that hold for any name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/judge/hostname.h"
#include "certs/x509/parse_uri.h"

static bool jdk_matches(const char *name, const char *pattern, bool public_authority)
{
    bool no_memory = false,
         matches = hostname_jdk_matches(name, pattern, public_authority, &no_memory);

    assert_false(no_memory);
    return matches;
}

static void jdk_rows(void **state)
{
    static const struct {
        const char *host, *pattern;
        bool public_authority, match;
    } rows[] = {
        { "api.lab.test", "api.lab.test", false, true },
        { "api.lab.test", "API.LAB.TEST", false, true },
        { "api.lab.test", "*.lab.test", false, true },
        { "a.b.lab.test", "*.lab.test", false, false },
        { "lab.test", "*.lab.test", false, false },
        { "api.lab.test", "a*.lab.test", false, true },
        { "api.lab.test", "*i.lab.test", false, true },
        { "api.lab.test", "a*i.lab.test", false, true },
        { "api.lab.test", "*.*.test", false, true },
        { "api.lab.test", "api.*.test", false, true },
        { "api.lab.test", "*", false, false },
        { "lab", "*", false, false },
        { "api.lab.test", "api.lab.*", false, false },
        { "api.lab.test", "api.lab.test.", false, false },
        { "xn--bcher-kva.lab.test", "xn--*.lab.test", false, false },
        { "xn--bcher-kva.lab.test", "*.lab.test", false, true },
        { "lab.test", "*.test", false, true },
        { "lab.com", "*.com", false, true },
        { "lab.com", "*.com", true, false },
        { "lab.co.uk", "*.co.uk", true, false },
        { "lab.test", "*.test", true, true },
        /* rules *.ck and !www.ck, *.kawasaki.jp and !city.kawasaki.jp, a.bg to z.bg; private ones
         */
        { "a.ck", "*.ck", true, true },
        { "x.a.ck", "*.a.ck", true, false },
        { "x.www.ck", "*.www.ck", true, true },
        { "a.kawasaki.jp", "*.kawasaki.jp", true, true },
        { "x.a.kawasaki.jp", "*.a.kawasaki.jp", true, false },
        { "x.city.kawasaki.jp", "*.city.kawasaki.jp", true, true },
        { "lab.bg", "*.bg", true, true },
        { "lab.a.bg", "*.a.bg", true, false },
        { "lab.github.io", "*.github.io", true, true },
        { "x.execute-api.us-east-1.amazonaws.com", "*.execute-api.us-east-1.amazonaws.com", true,
          true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (jdk_matches(rows[i].host, rows[i].pattern, rows[i].public_authority) != rows[i].match)
            fail_msg("%s against %s", rows[i].host, rows[i].pattern);
    }
}

static void apache_rows(void **state)
{
    static const struct {
        const char *host, *pattern;
        bool match;
    } rows[] = {
        { "api.example.com", "api.example.com", true },
        { "API.example.com", "api.EXAMPLE.com", true },
        { "api.example.com", "*.example.com", true },
        { "a.b.example.com", "*.example.com", false },
        { "api.example.com", "api-*.example.com", false },
        { "api-1.example.com", "api-*.example.com", true },
        { "example.com", "*.com", false },
        { "example.co.uk", "*.co.uk", false },
        { "lab.test", "*.test", true }, /* a top label that is on no list */
        { "foo.internal", "*.internal", true },
        { "printer.local", "*.local", true },
        { "a.ck", "*.ck", false },
        { "www.ck", "www.ck", true },
        { "kawasaki.jp", "kawasaki.jp", true },
        { "api.lab.test", "*.lab.test", true },
        { "api.example.com", "*", false },
        { "api.example.com", ".example.com", false },
        { "backend", "backend", true },
        { "x.execute-api.us-east-1.amazonaws.com", "*.execute-api.us-east-1.amazonaws.com", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (hostname_apache_matches(rows[i].host, rows[i].pattern, true) != rows[i].match)
            fail_msg("%s against %s", rows[i].host, rows[i].pattern);
    }
}

static unsigned seed;
static unsigned dice(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

static void random_name(char *out, unsigned labels)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    size_t n = 0;

    for (unsigned i = 0; i < labels; i++) {
        unsigned len = 1 + dice(8);

        if (i > 0)
            out[n++] = '.';
        for (unsigned j = 0; j < len; j++)
            out[n++] = set[dice(j == 0 || j + 1 == len ? 36 : 37)];
    }
    out[n] = '\0';
    if (strstr(out, "xn--") != NULL)
        out[0] = 'q';
}

static void properties(void **state)
{
    (void)state;
    for (seed = 1; seed != 0 && dice(1) == 0;) {
        char host[128], star[160], below[160], upper[128];
        unsigned labels = 3 + dice(3);
        static int rounds;

        if (++rounds > 3000)
            break;
        random_name(host, labels);
        /* a name is itself, in any case */
        for (size_t i = 0; i <= strlen(host); i++)
            upper[i] = (char)(host[i] >= 'a' && host[i] <= 'z' ? host[i] - 32 : host[i]);
        assert_true(jdk_matches(host, host, false));
        assert_true(jdk_matches(host, upper, false));
        assert_true(hostname_apache_matches(upper, host, false));
        /* a star stands for exactly one label */
        snprintf(star, sizeof star, "*%s", strchr(host, '.'));
        assert_true(jdk_matches(host, star, false));
        assert_true(hostname_apache_matches(host, star, false));
        snprintf(below, sizeof below, "x.%s", host);
        assert_false(jdk_matches(below, star, false));
        assert_false(hostname_apache_matches(below, star, false));
        assert_false(jdk_matches(strchr(host, '.') + 1, star, false));
        assert_false(hostname_apache_matches(strchr(host, '.') + 1, star, false));
        /* another name is not it */
        snprintf(below, sizeof below, "%s0", host);
        assert_false(jdk_matches(below, host, false));
        assert_false(hostname_apache_matches(below, host, false));
    }
}

static void refusals(void **state)
{
    (void)state;
    assert_null(hostname_sni_refusal("api.example.com"));
    assert_string_equal(hostname_sni_refusal("my_api.lab.test"),
                        "Contains non-LDH ASCII characters");
    assert_string_equal(hostname_sni_refusal("-api.lab.test"), "Has leading or trailing hyphen");
    assert_non_null(hostname_sni_refusal(""));
    assert_non_null(hostname_sni_refusal("a..b"));
    assert_non_null(hostname_sni_refusal("a."));
}

static void addresses(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } rows[] = { { "127.0.0.1", 4 },
                 { "1", 4 },
                 { "1.2", 4 },
                 { "256.1.1.1", 0 },
                 { "1.2.3.", 0 },
                 { "::1", 16 },
                 { "::", 16 },
                 { "::ffff:1.2.3.4", 4 },
                 { "1::2::3", 0 },
                 { "fe80::1%x", 16 },
                 { "lab.test", 0 },
                 { "", 0 },
                 { "1:2:3:4:5:6:7:8", 16 },
                 { "1:2:3:4:5:6:7", 0 },
                 { ":1", 0 },
                 { "12345::", 0 } };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (ip_from_text(rows[i].text, out) != rows[i].n)
            fail_msg("%s", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jdk_rows), cmocka_unit_test(apache_rows), cmocka_unit_test(properties),
        cmocka_unit_test(refusals), cmocka_unit_test(addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
