/* SPDX-License-Identifier: Apache-2.0
 * URIs by java.net.URI's grammar, DNS names by the JDK's DNSName. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/x509/parse_uri.h"

static void hosts_of_uris(void **state)
{
    static const struct {
        const char *uri, *host; /* NULL: there is none */
    } rows[] = {
        { "https://api.example.com/orders", "api.example.com" },
        { "https://user@api.example.com:8443?x", "api.example.com" },
        { "https://[::1]:443/", "[::1]" },
        { "urn:example:a", NULL },
        { "mailto:a@b.example", NULL },
        { "https://my_api.example.com/", NULL }, /* registry-based: an underscore is in no host */
        { "orders/1", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uri_parts parts = { 0 };

        if (!uri_parse(rows[i].uri, strlen(rows[i].uri), &parts))
            fail_msg("%s is refused", rows[i].uri);
        if (rows[i].host == NULL ? parts.host != NULL
                                 : parts.host == NULL || parts.host_len != strlen(rows[i].host) ||
                                       memcmp(parts.host, rows[i].host, parts.host_len) != 0)
            fail_msg("%s: host %.*s", rows[i].uri, (int)parts.host_len, parts.host);
    }
}

static void what_is_no_uri(void **state)
{
    static const char *const texts[] = { "https://",     "https:",     "a b",
                                         "https://[::1", "1http://x/", "http://x/%g1",
                                         "http://x/a\\b" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct uri_parts parts;

        if (uri_parse(texts[i], strlen(texts[i]), &parts))
            fail_msg("%s is read", texts[i]);
    }
}

static void dns_names(void **state)
{
    static const char *const good[] = { "api.example.com", "a", "1.example", "a-b.example",
                                        "A.EXAMPLE" };
    static const char *const bad[] = {
        "", ".", "a..b", ".a", "-a.example", "a b", "a_b.example\xff"
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!dns_name_strict(good[i], strlen(good[i])))
            fail_msg("%s is refused", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (dns_name_strict(bad[i], strlen(bad[i])))
            fail_msg("%s is accepted", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_of_uris),
        cmocka_unit_test(what_is_no_uri),
        cmocka_unit_test(dns_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
