/* SPDX-License-Identifier: Apache-2.0
 * Time: the real clocks, or a fake one that tests move by hand. */
#include "core/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool fake;
static uint64_t fake_mono_us;
static int64_t fake_wall_us;

uint64_t clock_mono_us(void)
{
    struct timespec ts;

    if (fake)
        return fake_mono_us;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

int64_t clock_wall_us(void)
{
    struct timespec ts;

    if (fake)
        return fake_wall_us;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void clock_fake_set(uint64_t mono_us, int64_t wall_us)
{
    fake = true;
    fake_mono_us = mono_us;
    fake_wall_us = wall_us;
}

void clock_fake_advance(uint64_t us)
{
    fake_mono_us += us;
    fake_wall_us += (int64_t)us;
}

void clock_fake_off(void)
{
    fake = false;
}

int64_t clock_utc_of(int year, int month, int day, int hour, int minute, int second)
{
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second };

    return timegm(&tm);
}

void clock_format_utc(int64_t utc_s, char *out, size_t size)
{
    time_t t = (time_t)utc_s;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        snprintf(out, size, "-");
}

const char *clock_format_day(int64_t utc_s, char out[24])
{
    clock_format_utc(utc_s, out, 24);
    out[strcspn(out, "T")] = '\0';
    return out;
}

static int days_in_month(int year, int month)
{
    int next_year = month == 12 ? year + 1 : year, next = month == 12 ? 1 : month + 1;

    return (
        int)((clock_utc_of(next_year, next, 1, 0, 0, 0) - clock_utc_of(year, month, 1, 0, 0, 0)) /
             86400);
}

static int parse_relative(const char *text, int64_t now_s, int64_t *out_s)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'y', 365 * 86400 } };
    char *end;
    long long n = strtoll(text, &end, 10);

    if (end == text + 1 || end[0] == '\0' || end[1] != '\0' || n > 1000000000 || n < -1000000000)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].unit == end[0]) {
            *out_s = now_s + n * units[i].seconds;
            return 0;
        }
    }
    return -1;
}

int clock_parse_utc(const char *text, int64_t now_s, int64_t *out_s)
{
    int y, mo, d, h = 0, mi = 0, s = 0, used = 0;
    char *end;

    if (strcmp(text, "now") == 0) {
        *out_s = now_s;
        return 0;
    }
    if (text[0] == '@') {
        long long n;

        errno = 0;
        n = strtoll(text + 1, &end, 10);
        if (text[1] == '\0' || *end != '\0' || errno == ERANGE)
            return -1;
        *out_s = n;
        return 0;
    }
    if (text[0] == '+' || text[0] == '-')
        return parse_relative(text, now_s, out_s);
    if (sscanf(text, "%4d-%2d-%2d%n", &y, &mo, &d, &used) != 3)
        return -1;
    text += used;
    if (*text == 'T' || *text == ' ') {
        used = 0;
        if (sscanf(text + 1, "%2d:%2d:%2d%n", &h, &mi, &s, &used) != 3 || used == 0)
            return -1;
        text += 1 + used;
        if (*text == 'Z')
            text++;
    }
    if (*text != '\0' || mo < 1 || mo > 12 || d < 1 || h > 23 || mi > 59 || s > 60)
        return -1;
    if (h < 0 || mi < 0 || s < 0 || y < 0 || d > days_in_month(y, mo))
        return -1;
    *out_s = clock_utc_of(y, mo, d, h, mi, s);
    return 0;
}

struct timeval clock_timeval(uint64_t us)
{
    return (struct timeval){ .tv_sec = (time_t)(us / 1000000),
                             .tv_usec = (suseconds_t)(us % 1000000) };
}

int64_t clock_wall_s(void)
{
    return clock_wall_us() / 1000000;
}
