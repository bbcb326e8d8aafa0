/* SPDX-License-Identifier: Apache-2.0
 * vpclink/pool.c: which kept connection serves next, and when one is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <poll.h>

#include "core/clock.h"
#include "core/loop.h"
#include "tests/lib/sockets.h"
#include "tls/hop.h"
#include "vpclink/pool.h"

static struct event_base *base;

/* Keep a connection; returns the far side's end. */
static int keep_one(struct pool *p, unsigned number)
{
    int fd[2];

    sock_pair(fd, 0);
    pool_keep(p, hop_tcp_new(fd[0]), number);
    return fd[1];
}

static void take_is(struct pool *p, unsigned want)
{
    unsigned number = 0;
    struct hop *hop = pool_take(p, &number);

    assert_int_equal(number, want);
    assert_int_equal(hop != NULL, want != 0);
    hop_free(hop, false);
}

static void the_last_used_serves_next(void **state)
{
    struct pool *p = pool_new(base, 0);
    int far[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        far[i] = keep_one(p, i + 1);
    take_is(p, 3);
    take_is(p, 2);
    far[1] = (close(far[1]), keep_one(p, 4));
    take_is(p, 4);
    take_is(p, 1);
    take_is(p, 0);
    for (int i = 0; i < 3; i++)
        close(far[i]);
    pool_free(p);
}

/* What a far side has dropped is found out by the call that uses it. */
static void nobody_looks_before(void **state)
{
    struct pool *p = pool_new(base, 0);

    (void)state;
    close(keep_one(p, 1));
    event_base_loop(base, EVLOOP_NONBLOCK);
    take_is(p, 1);
    pool_free(p);
}

static void all_are_closed_in_order(void **state)
{
    struct pool *p = pool_new(base, 0);
    int one = keep_one(p, 1), two = keep_one(p, 2);

    (void)state;
    pool_close(p);
    assert_int_equal(sock_ending(one), 0);
    assert_int_equal(sock_ending(two), 0);
    take_is(p, 0);
    close(one);
    close(two);
    pool_free(p);
    pool_free(NULL);
}

/* By a clock that is moved by hand, as seen by who takes. */
static void idle_ones_are_closed(void **state)
{
    struct pool *p;
    int one, two;

    (void)state;
    clock_fake_set(1000000, 0);
    p = pool_new(base, 50);
    one = keep_one(p, 1);
    clock_fake_advance(40000);
    two = keep_one(p, 2);
    clock_fake_advance(10000);
    take_is(p, 2);
    assert_int_equal(sock_ending(one), 0);
    take_is(p, 0);
    close(one);
    close(two);
    two = keep_one(p, 3);
    clock_fake_advance(49999);
    take_is(p, 3);
    close(two);
    pool_free(p);
    clock_fake_off();
}

/* By the loop, when nobody takes. */
static void the_loop_closes_idle_ones(void **state)
{
    struct pool *p = pool_new(base, 20);
    int one = keep_one(p, 1), two = keep_one(p, 2);
    struct pollfd both[2] = { { .fd = one, .events = POLLIN }, { .fd = two, .events = POLLIN } };

    (void)state;
    while (poll(both, 2, 0) < 2)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(sock_ending(one), 0);
    assert_int_equal(sock_ending(two), 0);
    close(one);
    close(two);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_used_serves_next), cmocka_unit_test(nobody_looks_before),
        cmocka_unit_test(all_are_closed_in_order),   cmocka_unit_test(idle_ones_are_closed),
        cmocka_unit_test(the_loop_closes_idle_ones),
    };
    struct err err;
    int rc;

    base = loop_new(&err);
    if (base == NULL)
        return 1;
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    event_base_free(base);
    return rc;
}
