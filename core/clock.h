/* SPDX-License-Identifier: Apache-2.0
 * Time: the real clocks, or a fake one that tests move by hand. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

/* Microseconds of a clock that never goes back (CLOCK_MONOTONIC). */
uint64_t clock_mono_us(void);
/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_us(void);

/* Tests only: from now on both clocks stand still at these values until moved again. */
void clock_fake_set(uint64_t mono_us, int64_t wall_us);
void clock_fake_advance(uint64_t us);
void clock_fake_off(void);

/* "2018-12-20T02:59:40" (no zone), as the access log writes times. `out` needs 20 bytes. */
void clock_format_utc(int64_t utc_s, char *out, size_t size);
/* Its day alone, "2026-11-28". Returns `out`. */
const char *clock_format_day(int64_t utc_s, char out[24]);
/* Parse "2026-11-21", "2026-11-21T10:00:00Z", "+30d", "-1h", "now" or seconds since 1970 ("@123").
 * `now_s` is what relative times count from. Returns 0, or -1 when the text is none of these. */
int clock_parse_utc(const char *text, int64_t now_s, int64_t *out_s);
/* Days-from-civil arithmetic; month 1-12. No range check beyond what arithmetic needs. */
int64_t clock_utc_of(int year, int month, int day, int hour, int minute, int second);

/* For libevent's timers and socket options. */
struct timeval clock_timeval(uint64_t us);
/* The wall clock in whole seconds. */
int64_t clock_wall_s(void);

#endif
