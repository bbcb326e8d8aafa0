/* SPDX-License-Identifier: Apache-2.0
 * The flow hash: the same on every machine, even, and moved by every part of the key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "targets/flowhash.h"

static uint64_t hash_of(const char *source, const char *destination, uint32_t sequence)
{
    struct addr s, d;

    assert_int_equal(addr_parse(&s, source, NULL), 0);
    assert_int_equal(addr_parse(&d, destination, NULL), 0);
    return flowhash(&(struct flow_key){ &s, &d, sequence });
}

/* A changed value here moves every flow of every user to another target. */
static void golden_values(void **state)
{
    (void)state;
    assert_int_equal(hash_of("192.0.2.1:50000", "198.51.100.7:443", 1), 0xfeaa017ce4f890ddU);
    assert_int_equal(hash_of("192.0.2.1:50001", "198.51.100.7:443", 1), 0xa1596634bef63973U);
    assert_int_equal(hash_of("[2001:db8::1]:50000", "[2001:db8::2]:443", 7), 0xe00a4f0fa723f81cU);
}

static void every_part_counts(void **state)
{
    const uint64_t base = hash_of("10.0.0.1:1000", "10.0.0.2:443", 5);

    (void)state;
    assert_int_equal(base, hash_of("10.0.0.1:1000", "10.0.0.2:443", 5));
    assert_int_not_equal(base, hash_of("10.0.0.3:1000", "10.0.0.2:443", 5));
    assert_int_not_equal(base, hash_of("10.0.0.1:1001", "10.0.0.2:443", 5));
    assert_int_not_equal(base, hash_of("10.0.0.1:1000", "10.0.0.9:443", 5));
    assert_int_not_equal(base, hash_of("10.0.0.1:1000", "10.0.0.2:444", 5));
    assert_int_not_equal(base, hash_of("10.0.0.1:1000", "10.0.0.2:443", 6));
    /* The two ends are not the same thing. */
    assert_int_not_equal(hash_of("10.0.0.1:443", "10.0.0.2:443", 5),
                         hash_of("10.0.0.2:443", "10.0.0.1:443", 5));
    assert_int_not_equal(hash_of("[::1]:443", "[::2]:443", 5),
                         hash_of("[::2]:443", "[::1]:443", 5));
}

static void indices_stay_in_range(void **state)
{
    (void)state;
    assert_int_equal(flowhash_index(0, 7), 0);
    assert_int_equal(flowhash_index(UINT64_MAX, 7), 6);
    assert_int_equal(flowhash_index(UINT64_MAX, 1), 0);
    assert_int_equal(flowhash_index(UINT64_MAX, UINT32_MAX), UINT32_MAX - 1);
    assert_int_equal(flowhash_index(1ULL << 63, 2), 1);
    assert_int_equal(flowhash_index((1ULL << 63) - 1, 2), 0);
}

/* One client, many ports: a chi-square test per number of targets (p = 0.001; the hash is fixed,
 * so this either holds for good or does not). */
static void an_even_spread(void **state)
{
    static const struct {
        uint32_t n;
        double limit; /* of chi-square with n - 1 degrees of freedom */
    } rows[] = { { 2, 10.83 }, { 3, 13.82 }, { 5, 18.47 }, { 10, 27.88 }, { 64, 103.44 } };
    enum { FLOWS = 20000 };
    struct addr s, d;

    (void)state;
    assert_int_equal(addr_parse(&s, "127.0.0.1:1024", NULL), 0);
    assert_int_equal(addr_parse(&d, "127.0.0.1:8443", NULL), 0);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        unsigned count[64] = { 0 };
        double expected = (double)FLOWS / rows[r].n, chi = 0;

        for (unsigned i = 0; i < FLOWS; i++) {
            addr_set_port(&s, (uint16_t)(1024 + i));
            count[flowhash_index(flowhash(&(struct flow_key){ &s, &d, 0 }), rows[r].n)]++;
        }
        for (uint32_t i = 0; i < rows[r].n; i++)
            chi += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
        if (chi > rows[r].limit)
            fail_msg("%u targets: chi-square %.1f > %.1f", rows[r].n, chi, rows[r].limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_values),
        cmocka_unit_test(every_part_counts),
        cmocka_unit_test(indices_stay_in_range),
        cmocka_unit_test(an_even_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
