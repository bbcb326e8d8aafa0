/* SPDX-License-Identifier: Apache-2.0
 * Counting flows: what is taken is given back, whatever refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/crowd.h"

static struct addr from(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(&a, text, NULL), 0);
    return a;
}

static void count_cb(void *arg)
{
    ++*(int *)arg;
}

static void a_refusal_takes_nothing(void **state)
{
    const struct flow_limits limits = { .connections = 3, .per_source = 2, .handshakes = 1 };
    const struct addr one = from("192.0.2.1:1"), two = from("192.0.2.2:1"), six = from("[::1]:1");
    struct crowd *c = crowd_new(NULL, NULL);
    struct crowd_place a, b, no;

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_true(crowd_enter(c, &limits, &one, true, &a));
        assert_false(crowd_enter(c, &limits, &two, true, &no)); /* handshakes */
        assert_true(crowd_enter(c, &limits, &one, false, &b));
        assert_false(crowd_enter(c, &limits, &one, false, &no)); /* of one source */
        crowd_handshake_done(c, &a);
        crowd_handshake_done(c, &a);
        assert_true(crowd_enter(c, &limits, &six, true, &no));
        assert_false(crowd_enter(c, &limits, &two, false, &(struct crowd_place){ 0 })); /* in all */
        crowd_leave(c, &no);
        crowd_leave(c, &no);
        crowd_leave(c, &a);
        crowd_leave(c, &b);
    }
    assert_int_equal(ceiling_count(crowd_ceilings(c), CEILING_HANDSHAKES), 3);
    assert_int_equal(ceiling_count(crowd_ceilings(c), CEILING_SOURCE), 3);
    assert_int_equal(ceiling_count(crowd_ceilings(c), CEILING_CONNECTIONS), 3);
    assert_int_equal(ceiling_count(crowd_ceilings(c), CEILING_DESCRIPTORS), 0);
    crowd_free(c);
}

static void many_sources_are_told_apart(void **state)
{
    const struct flow_limits limits = { .connections = 1000, .per_source = 1 };
    static struct crowd_place places[500];
    struct crowd *c = crowd_new(NULL, NULL);

    (void)state;
    for (int i = 0; i < 500; i++) {
        struct addr a = from(i % 2 != 0 ? "[2001:db8::1]:1" : "192.0.2.1:1");

        if (i % 2 != 0)
            a.u.in6.sin6_addr.s6_addr[9] = (uint8_t)(i / 2);
        else
            a.u.in4.sin_addr.s_addr ^= (uint32_t)(i / 2) << 24;
        assert_true(crowd_enter(c, &limits, &a, false, &places[i]));
        assert_false(crowd_enter(c, &limits, &a, false, &(struct crowd_place){ 0 }));
    }
    for (int i = 0; i < 500; i += 2)
        crowd_leave(c, &places[i]);
    crowd_free(c); /* with some left */
}

static void who_starves_asks_for_what_is_over(void **state)
{
    const struct flow_limits limits = { .connections = 2 };
    int asked = 0;
    struct crowd *c = crowd_new(count_cb, &asked);

    (void)state;
    assert_false(crowd_starved(c));
    assert_true(crowd_keep_expired(c, &limits));
    assert_true(crowd_keep_expired(c, &limits));
    assert_false(crowd_keep_expired(c, &limits));
    assert_true(crowd_starved(c));
    crowd_drop_expired(c);
    assert_true(crowd_starved(c));
    crowd_drop_expired(c);
    assert_false(crowd_starved(c));
    assert_true(crowd_keep_expired(c, &limits));
    crowd_ask_nobody(c);
    assert_false(crowd_starved(c));
    assert_int_equal(asked, 2);
    crowd_free(c);
}

static void nobody_counts_without_a_crowd(void **state)
{
    const struct flow_limits limits = { 0 };
    const struct addr one = from("192.0.2.1:1");
    struct crowd_place place;

    (void)state;
    assert_true(crowd_enter(NULL, &limits, &one, true, &place));
    crowd_handshake_done(NULL, &place);
    crowd_leave(NULL, &place);
    assert_true(crowd_keep_expired(NULL, &limits));
    crowd_drop_expired(NULL);
    assert_false(crowd_starved(NULL));
    crowd_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_takes_nothing),
        cmocka_unit_test(many_sources_are_told_apart),
        cmocka_unit_test(who_starves_asks_for_what_is_over),
        cmocka_unit_test(nobody_counts_without_a_crowd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
