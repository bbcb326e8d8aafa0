/* SPDX-License-Identifier: Apache-2.0
 * Addresses in text as the JDK reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/x509/parse_uri.h"

static void reads(const char *text, size_t n, const char *octets)
{
    uint8_t out[16];

    if (ip_from_text(text, out) != n || (n > 0 && memcmp(out, octets, n) != 0))
        fail_msg("%s", text);
}

static void addresses(void **state)
{
    (void)state;
    reads("127.0.0.1", 4, "\x7f\0\0\1");
    reads("127.1", 4, "\x7f\0\0\1"); /* the last part takes the rest */
    reads("1.2.258", 4, "\1\2\1\2");
    reads("1", 4, "\0\0\0\1");
    reads("4294967295", 4, "\xff\xff\xff\xff");
    reads("010.0.0.1", 4, "\x0a\0\0\1"); /* no octal numbers */
    reads("::1", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
    reads("1:2:3:4:5:6:7:8", 16, "\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0\x8");
    reads("::ffff:1.2.3.4", 4, "\1\2\3\4"); /* mapped: IPv4 */
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {
        "",     "a",   "1.2.3.4.5", "256.1.1.1",        "1.2.3.256", "1..2",
        "1.2.", ".1",  "-1",        "4294967296",       "1::2::3",   ":1",
        "1:",   "g::", "12345::",   "1:2:3:4:5:6:7:8:9"
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        reads(texts[i], 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
