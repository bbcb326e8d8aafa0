/* SPDX-License-Identifier: Apache-2.0
 * PROXY headers against AWS's vector, and read back by the strict parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/proxy_header.h"
#include "targets/proxy_v2.h"

static struct addr address(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(&a, text, NULL), 0);
    return a;
}

/* elastic-load-balancing-tools, proprot, Compatibility_AwsNetworkLoadBalancerTest: a header of a
 * real NLB with PrivateLink. */
static void the_vector_of_aws(void **state)
{
    static const uint8_t vector[100] = {
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21,
        0x11, 0x00, 0x54, 0xac, 0x1f, 0x07, 0x71, 0xac, 0x1f, 0x0a, 0x1f, 0xc8, 0xf2,
        0x00, 0x50, 0x03, 0x00, 0x04, 0xe8, 0xd6, 0x89, 0x2d, 0xea, 0x00, 0x17, 0x01,
        'v',  'p',  'c',  'e',  '-',  '0',  '8',  'd',  '2',  'b',  'f',  '1',  '5',
        'f',  'a',  'c',  '5',  '0',  '0',  '1',  'c',  '9',  0x04, 0x00, 0x24,
    };
    const struct addr s = address("172.31.7.113:51442"), d = address("172.31.10.31:80");
    uint8_t out[PROXY_V2_MAX];

    (void)state;
    assert_int_equal(proxy_v2_write(out, &s, &d, "vpce-08d2bf15fac5001c9"), sizeof vector);
    assert_memory_equal(out, vector, sizeof vector);
}

/* RFC 3720, B.4. */
static void crc32c_of_the_rfc(void **state)
{
    uint8_t zeros[32] = { 0 }, ones[32], up[32];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (uint8_t i = 0; i < 32; i++)
        up[i] = i;
    assert_int_equal(proxy_crc32c(zeros, 32), 0x8a9136aa);
    assert_int_equal(proxy_crc32c(ones, 32), 0x62a8ab43);
    assert_int_equal(proxy_crc32c(up, 32), 0x46dd794e);
}

static void check_crc(uint8_t *header, size_t n, const struct proxy_tlv *crc)
{
    uint32_t sent = (uint32_t)crc->value[0] << 24 | (uint32_t)crc->value[1] << 16 |
                    (uint32_t)crc->value[2] << 8 | crc->value[3];

    assert_int_equal(crc->type, 0x03);
    assert_int_equal(crc->n, 4);
    memset(header + (crc->value - header), 0, 4);
    assert_int_equal(proxy_crc32c(header, n), sent);
}

static void read_back(const char *source, const char *destination, const char *endpoint,
                      size_t size)
{
    const struct addr s = address(source), d = address(destination);
    uint8_t out[PROXY_V2_MAX + 1];
    size_t n = proxy_v2_write(out, &s, &d, endpoint), tlv = 1;
    struct proxy_header h;

    assert_int_equal(n, size);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(proxy_header_read(&h, out, cut), PROXY_MORE);
    out[n] = 'x'; /* what follows is not the header's */
    assert_int_equal(proxy_header_read(&h, out, n + 1), PROXY_HEADER);
    assert_int_equal(h.size, n);
    assert_false(h.local);
    assert_true(addr_equal(&h.source, &s) && addr_equal(&h.destination, &d));
    if (endpoint != NULL) {
        assert_int_equal(h.tlvs[tlv].type, 0xea);
        assert_int_equal(h.tlvs[tlv].value[0], 0x01);
        assert_int_equal(h.tlvs[tlv].n, strlen(endpoint) + 1);
        assert_memory_equal(h.tlvs[tlv++].value + 1, endpoint, strlen(endpoint));
    }
    if (n == 100) {
        assert_int_equal(h.tlvs[tlv].type, 0x04);
        for (size_t i = 0; i < h.tlvs[tlv].n; i++)
            assert_int_equal(h.tlvs[tlv].value[i], 0);
        tlv++;
    }
    assert_int_equal(h.n_tlvs, tlv);
    check_crc(out, n, &h.tlvs[0]);
}

static void every_shape_reads_back(void **state)
{
    (void)state;
    read_back("10.0.0.1:1", "10.0.0.2:65535", NULL, 100);
    read_back("10.0.0.1:1", "10.0.0.2:65535", "vpce-0123abcd", 100);
    read_back("[2001:db8::1]:443", "[::1]:8443", NULL, 100);
    read_back("[2001:db8::1]:443", "[::1]:8443", "vpce-08d2bf15fac5001c9", 100);
    /* no room for padding */
    read_back("[2001:db8::1]:443", "[::1]:8443",
              "vpce-00112233445566778899aabbccddeeff00112233445566778899aabbccd",
              16 + 36 + 7 + 4 + 64);
}

/* Recorded from an NLB's health check, 2019: see targets/proxy_v2.h. */
static void the_recorded_health_check(void **state)
{
    static const uint8_t recorded[100] = {
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x20,
        0x11, 0x00, 0x54, 0x03, 0x00, 0x04, 0xbc, 0xe5, 0x95, 0x1f, 0x04, 0x00, 0x4a,
    };
    uint8_t out[PROXY_V2_MAX + 1];
    size_t n = proxy_v2_write_local(out);
    struct proxy_header h;

    (void)state;
    assert_int_equal(n, sizeof recorded);
    assert_memory_equal(out, recorded, sizeof recorded);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(proxy_header_read(&h, out, cut), PROXY_MORE);
    out[n] = 'G'; /* of "GET" */
    assert_int_equal(proxy_header_read(&h, out, n + 1), PROXY_HEADER);
    assert_int_equal(h.size, n);
    assert_true(h.local);
    assert_int_equal(h.source.len, 0);
    assert_int_equal(h.n_tlvs, 2);
    assert_int_equal(h.tlvs[1].type, 0x04);
    assert_int_equal(h.tlvs[1].n, 74);
    check_crc(out, n, &h.tlvs[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_aws),
        cmocka_unit_test(crc32c_of_the_rfc),
        cmocka_unit_test(every_shape_reads_back),
        cmocka_unit_test(the_recorded_health_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
