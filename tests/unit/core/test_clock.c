/* SPDX-License-Identifier: Apache-2.0
 * Clocks, real and fake, and times as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"

#define NOW 1795000000

static void the_real_clocks_go_on(void **state)
{
    uint64_t a = clock_mono_us(), b;
    int64_t wall = clock_wall_us(), s = (int64_t)time(NULL);

    (void)state;
    do
        b = clock_mono_us();
    while (b == a);
    assert_true(b > a);
    assert_in_range((uint64_t)(wall / 1000000 - s + 5), 0, 10);
}

static void the_fake_clock_stands_until_moved(void **state)
{
    (void)state;
    clock_fake_set(7, 1000);
    assert_int_equal(clock_mono_us(), 7);
    assert_int_equal(clock_wall_us(), 1000);
    clock_fake_advance(5);
    assert_int_equal(clock_mono_us(), 12);
    assert_int_equal(clock_wall_us(), 1005);
    clock_fake_off();
    assert_true(clock_mono_us() > 12);
}

static void writes_utc(void **state)
{
    static const struct {
        int64_t s;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00" },
        { 1545274780, "2018-12-20T02:59:40" },
        { -1, "1969-12-31T23:59:59" },
        { 951782400, "2000-02-29T00:00:00" },
        { 253402300799, "9999-12-31T23:59:59" },
        { 253402300800, "-" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[20];

        clock_format_utc(rows[i].s, out, sizeof out);
        assert_string_equal(out, rows[i].text);
    }
}

/* Day by day over 500 years beside the C library's own arithmetic. */
static void civil_days_agree_with_the_library(void **state)
{
    (void)state;
    for (int64_t day = -100 * 365; day < 400 * 365; day++) {
        time_t t = (time_t)(day * 86400 + 3661);
        struct tm tm;

        gmtime_r(&t, &tm);
        assert_int_equal(clock_utc_of(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, 1, 1, 1), t);
    }
}

static void reads_times(void **state)
{
    static const struct {
        const char *text;
        int64_t s;
    } rows[] = {
        { "now", NOW },
        { "@0", 0 },
        { "@-5", -5 },
        { "@1545274780", 1545274780 },
        { "1970-01-02", 86400 },
        { "2018-12-20T02:59:40Z", 1545274780 },
        { "2018-12-20T02:59:40", 1545274780 },
        { "2018-12-20 02:59:40", 1545274780 },
        { "2000-02-29", 951782400 },
        { "+30d", NOW + 30 * 86400 },
        { "-1h", NOW - 3600 },
        { "+90m", NOW + 5400 },
        { "-1s", NOW - 1 },
        { "+1y", NOW + 365 * 86400 },
        { "+0s", NOW },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t s = -77;

        if (clock_parse_utc(rows[i].text, NOW, &s) != 0 || s != rows[i].s)
            fail_msg("'%s': %lld", rows[i].text, (long long)s);
    }
}

static void refuses_what_is_no_time(void **state)
{
    static const char *const bad[] = {
        "",
        "+",
        "-",
        "+d",
        "+3",
        "+3x",
        "+3dd",
        "- 1h",
        "+9999999999d",
        "@",
        "@x",
        "@1x",
        "then",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "2026-01-32",
        "2026-01-01T",
        "2026-01-01T25:00:00",
        "2026-01-01T00:60:00",
        "2026-01-01T00:00:61",
        "2026-01-01T00:00",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01x",
        "2026-01-01T00:00:00+01:00",
        "-2026-01-01",
        /* days that their month does not have */
        "2026-02-29",
        "2026-02-30",
        "2026-04-31",
        "1900-02-29",
        "@99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t s = -77;

        if (clock_parse_utc(bad[i], NOW, &s) == 0)
            fail_msg("'%s' was taken as %lld", bad[i], (long long)s);
        assert_int_equal(s, -77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_real_clocks_go_on),
        cmocka_unit_test(the_fake_clock_stands_until_moved),
        cmocka_unit_test(writes_utc),
        cmocka_unit_test(civil_days_agree_with_the_library),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(refuses_what_is_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
