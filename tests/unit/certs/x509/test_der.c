/* SPDX-License-Identifier: Apache-2.0
 * The DER reader: lengths, numbers, times and identifiers as the JDK takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/x509/der.h"

static const char *read_one(const void *octets, size_t n, struct der *out)
{
    struct der_span rest = der_span_of(octets, n);

    return der_next(&rest, out);
}

static void lengths(void **state)
{
    static const struct {
        const char *octets;
        size_t n, body; /* body SIZE_MAX: refused */
    } rows[] = {
        { "\x04\x00", 2, 0 },
        { "\x04\x01x", 3, 1 },
        { "\x04\x81\x01x", 4, 1 }, /* longer than it needs: BER, and the JDK takes it */
        { "\x04\x84\x00\x00\x00\x01x", 7, 1 },
        { "\x04\x85\x00\x00\x00\x00\x01x", 8, SIZE_MAX },
        { "\x04\x02x", 3, SIZE_MAX },
        { "\x04", 1, SIZE_MAX },
        { "\x1f\x01x", 3, SIZE_MAX },
        { "\x04\x80", 2, SIZE_MAX },
        { "\x04\x84\xff\xff\xff\xff", 6, SIZE_MAX },
        { "", 0, SIZE_MAX },
    };
    struct der d;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why = read_one(rows[i].octets, rows[i].n, &d);

        assert_int_equal(why == NULL, rows[i].body != SIZE_MAX);
        if (why == NULL)
            assert_int_equal(d.body.len, rows[i].body);
    }
}

static void strict_lengths(void **state)
{
    struct der_span longer = der_span_of("\x04\x81\x01x", 4), good = der_span_of("\x04\x01x", 3);
    struct der d;

    (void)state;
    assert_non_null(der_next_strict(&longer, &d));
    assert_null(der_next_strict(&good, &d));
    assert_int_equal(good.len, 0);
}

static void integers(void **state)
{
    struct der d;
    int32_t v;

    (void)state;
    assert_null(read_one("\x02\x01\xff", 3, &d));
    assert_null(der_int32(&d, &v));
    assert_int_equal(v, -1);
    assert_null(read_one("\x02\x05\x00\x7f\xff\xff\xff", 7, &d));
    assert_null(der_int32(&d, &v));
    assert_int_equal(v, INT32_MAX);
    assert_null(read_one("\x02\x05\x00\x80\x00\x00\x00", 7, &d));
    assert_non_null(der_int32(&d, &v));
    assert_null(read_one("\x02\x00", 2, &d));
    assert_non_null(der_int32(&d, &v));
}

static void times(void **state)
{
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t utc; /* -1: refused */
    } rows[] = {
        { DER_UTC_TIME, "700101000001Z", 1 },
        { DER_UTC_TIME, "491231235959Z", 2524607999 },
        { DER_UTC_TIME, "250101000000Z", 1735689600 },
        { DER_UTC_TIME, "2501010000Z", 1735689600 },
        { DER_UTC_TIME, "250101010000+0100", 1735689600 },
        { DER_UTC_TIME, "241231230000-0100", 1735689600 },
        { DER_UTC_TIME, "250229000000Z", 1740787200 }, /* the JDK rolls it over: 1 March */
        { DER_UTC_TIME, "251301000000Z", -1 },
        { DER_UTC_TIME, "250101000000", -1 },
        { DER_UTC_TIME, "2501010000+0000", -1 },
        { DER_UTC_TIME, "not a time!", -1 },
        { DER_GENERALIZED_TIME, "20250101000000Z", 1735689600 },
        { DER_GENERALIZED_TIME, "20250101000000.5Z", 1735689600 },
        { DER_GENERALIZED_TIME, "20250101000000.Z", -1 },
        { DER_GENERALIZED_TIME, "2025010100Z", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct der d = { .tag = rows[i].tag,
                         .body = der_span_of(rows[i].text, strlen(rows[i].text)) };
        int64_t utc = -1;
        const char *why = der_time(&d, false, &utc);

        assert_int_equal(why == NULL, rows[i].utc != -1);
        if (why == NULL)
            assert_int_equal(utc, rows[i].utc);
    }
}

static void identifiers(void **state)
{
    char text[DER_OID_TEXT_MAX];

    (void)state;
    assert_string_equal(der_oid_text(der_span_of("\x2a\x86\x48\x86\xf7\x0d", 6), text, sizeof text),
                        "1.2.840.113549");
    assert_true(der_oid_is(der_span_of("\x55\x1d\x11", 3), "2.5.29.17"));
    assert_true(der_oid_is(der_span_of("\x81\x34\x01", 3), "2.100.1"));
    assert_null(der_oid_check(der_span_of("\x55\x1d", 2)));
    assert_non_null(der_oid_check(der_span_of("\x55\x80\x1d", 3))); /* a useless octet */
    assert_non_null(der_oid_check(der_span_of("\x55\x9d", 2)));     /* not ended */
    assert_non_null(der_oid_check(der_span_of("", 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths), cmocka_unit_test(strict_lengths), cmocka_unit_test(integers),
        cmocka_unit_test(times),   cmocka_unit_test(identifiers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
