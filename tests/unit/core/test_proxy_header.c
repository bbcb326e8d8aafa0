/* SPDX-License-Identifier: Apache-2.0
 * PROXY headers: every prefix asks for more, whole ones are read, malformed ones named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/proxy_header.h"

#define SIGN "\r\n\r\n\0\r\nQUIT\n"

/* A copy of its own: the sanitizer then sees any read beyond the bytes. */
static enum proxy_progress read_copy(struct proxy_header *h, const void *data, size_t n)
{
    static void *copy;

    free(copy);
    copy = malloc(n == 0 ? 1 : n);
    memcpy(copy, data, n);
    return proxy_header_read(h, copy, n);
}

static void whole(const char *data, size_t n, struct proxy_header *h)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(read_copy(h, data, i), PROXY_MORE);
    assert_int_equal(read_copy(h, data, n), PROXY_HEADER);
    assert_int_equal(h->size, n);
}

static void version_1(void **state)
{
    static const char tcp4[] = "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n";
    static const char tcp6[] = "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n";
    static const char unknown[] = "PROXY UNKNOWN ffff::1 whatever 1 2\r\n";
    struct proxy_header h;
    char text[ADDR_TEXT_MAX];

    (void)state;
    whole(tcp4, sizeof tcp4 - 1, &h);
    assert_int_equal(h.version, 1);
    assert_string_equal(addr_format(&h.source, text), "192.0.2.1:40000");
    assert_string_equal(addr_format(&h.destination, text), "198.51.100.2:443");
    whole(tcp6, sizeof tcp6 - 1, &h);
    assert_string_equal(h.family, "TCP6");
    assert_string_equal(addr_format(&h.destination, text), "[::1]:65535");
    whole(unknown, sizeof unknown - 1, &h);
    assert_int_equal(h.source.len, 0);
}

static void version_2(void **state)
{
    static const char tcp4[] =
        SIGN "\x21\x11\x00\x14\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x01\xbb"
             "\xea\x00\x02\x01v\x04\x00\x00";
    static const char local[] = SIGN "\x20\x00\x00\x00";
    static const char unix_[] = SIGN "\x21\x31\x00\x04"
                                     "1234";
    struct proxy_header h;
    char text[ADDR_TEXT_MAX];

    (void)state;
    whole(tcp4, sizeof tcp4 - 1, &h);
    assert_string_equal(addr_format(&h.source, text), "192.0.2.1:40000");
    assert_int_equal(h.n_tlvs, 2);
    assert_int_equal(h.tlvs[0].type, 0xea);
    assert_string_equal(proxy_tlv_name(h.tlvs[0].type), "AWS");
    assert_int_equal(h.tlvs[0].n, 2);
    assert_int_equal(h.tlvs[1].n, 0);
    whole(local, sizeof local - 1, &h);
    assert_true(h.local);
    assert_int_equal(read_copy(&h, unix_, sizeof unix_ - 1), PROXY_MALFORMED);
}

/* The block after LOCAL is skipped whatever it holds; what can be read as TLVs is. */
static void local_headers(void **state)
{
    static const char with_addresses[] =
        SIGN "\x20\x11\x00\x0f\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x01\xbb\x04\x00\x00";
    static const char short_block[] = SIGN "\x20\x11\x00\x04\x01\x02\x03\x04";
    struct proxy_header h;

    (void)state;
    whole(with_addresses, sizeof with_addresses - 1, &h);
    assert_true(h.local);
    assert_int_equal(h.source.len, 0);
    assert_int_equal(h.n_tlvs, 1);
    assert_int_equal(h.tlvs[0].type, 0x04);
    whole(short_block, sizeof short_block - 1, &h);
    assert_int_equal(h.n_tlvs, 0);
    assert_null(h.why);
}

/* proxy-protocol.txt 2.2.3: a checksum that is there must fit. */
static void checksums(void **state)
{
    uint8_t data[35] =
        SIGN "\x21\x11\x00\x13\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x01\xbb\x03\x00\x04";
    struct proxy_header h;
    uint32_t crc = proxy_crc32c(data, sizeof data);

    (void)state;
    assert_int_equal(read_copy(&h, data, sizeof data), PROXY_MALFORMED);
    assert_non_null(strstr(h.why, "CRC32C"));
    for (int i = 0; i < 4; i++)
        data[31 + i] = (uint8_t)(crc >> (24 - 8 * i));
    assert_int_equal(read_copy(&h, data, sizeof data), PROXY_HEADER);
    data[17] ^= 1;
    assert_int_equal(read_copy(&h, data, sizeof data), PROXY_MALFORMED);
}

static void others(void **state)
{
    static const struct {
        const char *data;
        size_t n;
        enum proxy_progress expected;
    } cases[] = {
#define CASE(data, expected) { data, sizeof(data) - 1, expected }
        CASE("", PROXY_MORE),
        CASE("GET / HTTP/1.1\r\n", PROXY_NONE),
        CASE("PRI * HTTP/2.0", PROXY_NONE),
        CASE("\x16\x03\x01", PROXY_NONE),
        CASE("\r\nGET /", PROXY_NONE),
        CASE("PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n", PROXY_MALFORMED),
        CASE("PROXY TCP4 192.0.2.1 198.51.100.2 40000 65536\r\n", PROXY_MALFORMED),
        CASE("PROXY TCP4 192.0.2.1 ::1 1 2\r\n", PROXY_MALFORMED),
        CASE("PROXY UDP4 192.0.2.1 192.0.2.1 1 2\r\n", PROXY_MALFORMED),
        CASE("PROXY TCP4 1 2 3 4 5 6 7 8\r\n", PROXY_MALFORMED),
        CASE("PROXY \r\n", PROXY_MALFORMED),
        CASE("PROXY "
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
             PROXY_MALFORMED),
        CASE(SIGN "\x31\x11\x00\x00", PROXY_MALFORMED),
        CASE(SIGN "\x22\x11\x00\x00", PROXY_MALFORMED),
        CASE(SIGN "\x21\x41\x00\x00", PROXY_MALFORMED),
        CASE(SIGN "\x21\x11\x00\x00", PROXY_MALFORMED),
        CASE(SIGN "\x21\x11\xff\xff", PROXY_MALFORMED),
        CASE(SIGN "\x21\x00\x00\x03\x01\x00\x01", PROXY_MALFORMED),
        CASE(SIGN "\x21\x00\x00\x01\x01", PROXY_MALFORMED),
#undef CASE
    };
    struct proxy_header h;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_copy(&h, cases[i].data, cases[i].n) != cases[i].expected)
            fail_msg("case %zu", i);
        if (cases[i].expected == PROXY_MALFORMED)
            assert_non_null(h.why);
    }
    assert_null(proxy_tlv_name(0x77));
    (void)read_copy(&h, "", 0);
}

static void too_many_tlvs(void **state)
{
    uint8_t data[16 + 3 * 33] = SIGN;
    struct proxy_header h;

    (void)state;
    data[12] = 0x21;
    data[15] = 3 * 33;
    assert_int_equal(read_copy(&h, data, sizeof data), PROXY_MALFORMED);
    data[15] = 3 * 32;
    assert_int_equal(read_copy(&h, data, sizeof data), PROXY_HEADER);
    assert_int_equal(h.n_tlvs, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1), cmocka_unit_test(version_2), cmocka_unit_test(local_headers),
        cmocka_unit_test(checksums), cmocka_unit_test(others),    cmocka_unit_test(too_many_tlvs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
