/* SPDX-License-Identifier: Apache-2.0
 * Addresses: text to socket address and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "core/addr.h"

static void reads_and_writes(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        int family;
    } rows[] = {
        { "127.0.0.1:8443", "127.0.0.1", 8443, AF_INET },
        { "0.0.0.0:0", "0.0.0.0", 0, AF_INET },
        { "255.255.255.255:65535", "255.255.255.255", 65535, AF_INET },
        { "[::1]:443", "::1", 443, AF_INET6 },
        { "[::]:1", "::", 1, AF_INET6 },
        { "[2001:db8:1:2:3:4:5:6]:65535", "2001:db8:1:2:3:4:5:6", 65535, AF_INET6 },
        { "[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", 80, AF_INET6 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX];
        struct err err = { 0 };

        assert_int_equal(addr_parse(&a, rows[i].text, &err), 0);
        assert_int_equal(err.code, ERR_NONE);
        assert_int_equal(a.u.sa.sa_family, rows[i].family);
        assert_int_equal(a.len, rows[i].family == AF_INET ? sizeof(struct sockaddr_in)
                                                          : sizeof(struct sockaddr_in6));
        assert_int_equal(addr_port(&a), rows[i].port);
        assert_string_equal(addr_format(&a, text), rows[i].text);
        assert_string_equal(addr_format_host(&a, text), rows[i].host);
    }
}

static void knows_what_is_this_machine_alone(void **state)
{
    static const char *const alone[] = { "127.0.0.1:1", "127.255.0.9:0", "[::1]:80" };
    static const char *const others[] = { "0.0.0.0:1", "126.0.0.1:1", "128.0.0.1:1",
                                          "[::]:1",    "[::2]:1",     "[::ffff:127.0.0.1]:1" };
    struct addr a;

    (void)state;
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++) {
        assert_int_equal(addr_parse(&a, alone[i], NULL), 0);
        assert_true(addr_is_loopback(&a));
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(addr_parse(&a, others[i], NULL), 0);
        assert_false(addr_is_loopback(&a));
    }
}

static void refuses_with_the_text_and_the_way_out(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "[::1]",
        "::1:80",
        "[::1:80",
        "[:80",
        "[]:80",
        "x:80",
        "localhost:1",
        "1.2.3:80",
        "1.2.3.4.5:80",
        "127.0.0.1:65536",
        "[::g]:1",
        "1.2.3.4:-1",
        "1.2.3.4:+1",
        "1.2.3.4: 1",
        "1.2.3.4:1x",
        "[1.2.3.4]:1",
        "256.1.1.1:1",
        "1.2.3.4:99999999999999999999",
        "[::1]x:1",
        "11111111111111111111111111111111111111111111111111111111111111111111111:1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct addr a;
        struct err err = { 0 };

        if (addr_parse(&a, bad[i], &err) == 0)
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, bad[i]));
        assert_int_equal(addr_parse(&a, bad[i], NULL), -1);
    }
}

static void nothing_is_a_dash(void **state)
{
    const struct addr none = { 0 };
    char text[ADDR_TEXT_MAX];

    (void)state;
    assert_string_equal(addr_format(&none, text), "-");
    assert_string_equal(addr_format_host(&none, text), "-");
}

static struct addr of(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(&a, text, NULL), 0);
    return a;
}

static void equality_counts_family_host_and_port(void **state)
{
    struct addr a = of("127.0.0.1:80"), b = of("127.0.0.1:80"), c = of("[::1]:80");

    (void)state;
    assert_true(addr_equal(&a, &b));
    addr_set_port(&b, 81);
    assert_false(addr_equal(&a, &b));
    assert_int_equal(addr_port(&b), 81);
    assert_false(addr_equal(&a, &c));
    addr_set_port(&c, 4242);
    assert_int_equal(addr_port(&c), 4242);
    b = of("127.0.0.2:80");
    assert_false(addr_equal(&a, &b));
    b = of("[::2]:4242");
    assert_false(addr_equal(&b, &c));
}

static void a_socket_tells_both_ends(void **state)
{
    struct addr a = of("127.0.0.1:0"), local, peer;
    int listening = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(listening, &a.u.sa, a.len), 0);
    assert_int_equal(listen(listening, 1), 0);
    a = addr_local(listening);
    assert_int_not_equal(addr_port(&a), 0);
    assert_int_equal(connect(client, &a.u.sa, a.len), 0);
    peer = addr_peer(client);
    assert_true(addr_equal(&peer, &a));
    local = addr_local(client);
    assert_int_not_equal(addr_port(&local), addr_port(&a));
    close(client);
    close(listening);
    assert_int_equal(addr_local(-1).len, 0);
    assert_int_equal(addr_peer(-1).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(knows_what_is_this_machine_alone),
        cmocka_unit_test(refuses_with_the_text_and_the_way_out),
        cmocka_unit_test(nothing_is_a_dash),
        cmocka_unit_test(equality_counts_family_host_and_port),
        cmocka_unit_test(a_socket_tells_both_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
