/* SPDX-License-Identifier: Apache-2.0
 * The idle timeout with a clock moved by hand: nothing is sent when it passes, who speaks next gets
 * RST, keepalives count as life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "core/clock.h"
#include "flow/actions.h"
#include "tests/lib/flowrig.h"
#include "tests/lib/sockets.h"

#define SECOND 1000000ULL

static struct rig r;
static struct flow *f;
static int client, target;

static int set_up(void **state)
{
    (void)state;
    clock_fake_set(1000 * SECOND, 0);
    rig_init(&r, FLOW_RELAY_AUTO);
    f = rig_connect(&r, &client, &target);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(client);
    close(target);
    rig_clear(&r);
    clock_fake_off();
    return 0;
}

static bool quiet(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    return poll(&p, 1, 20) == 0;
}

/* What the timer does, without waiting for it. */
static void look(void)
{
    flow_step(f, flow_idle_check(f));
}

static void expires_at_the_timeout_and_not_before(void **state)
{
    (void)state;
    clock_fake_advance(349 * SECOND);
    look();
    assert_int_equal(f->state, FLOW_RELAYING);
    clock_fake_advance(SECOND);
    look();
    assert_int_equal(f->state, FLOW_EXPIRED);
    assert_int_equal(r.ended, 1); /* to AWS it is over now */
    assert_int_equal(r.end, END_IDLE_TIMEOUT);
    rig_turn(&r);
    assert_true(quiet(client)); /* and nobody is told */
    assert_true(quiet(target));
    assert_int_equal(r.env.n_flows, 1);
}

static void data_restarts_the_timer(void **state)
{
    char byte;

    (void)state;
    for (int i = 0; i < 3; i++) {
        clock_fake_advance(300 * SECOND);
        look();
        assert_int_equal(f->state, FLOW_RELAYING);
        sock_send(i % 2 == 0 ? client : target, "x", 1);
        for (int turn = 0; turn < 5; turn++)
            rig_turn(&r);
        sock_recv(i % 2 == 0 ? target : client, &byte, 1);
    }
    clock_fake_advance(349 * SECOND);
    look();
    assert_int_equal(f->state, FLOW_RELAYING);
    clock_fake_advance(2 * SECOND);
    look();
    assert_int_equal(f->state, FLOW_EXPIRED);
}

static void expire(void)
{
    clock_fake_advance(351 * SECOND);
    look();
    assert_int_equal(f->state, FLOW_EXPIRED);
    rig_turn(&r);
}

static void whoever_speaks_gets_rst(void **state)
{
    (void)state;
    expire();
    sock_send(target, "late", 4);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&r);
    assert_int_equal(sock_ending(target), ECONNRESET);
    assert_true(quiet(client)); /* the other one has said nothing yet */
    assert_int_equal(r.env.n_flows, 1);
    sock_send(client, "later", 5);
    assert_true(rig_until_ended(&r));
    assert_int_equal(sock_ending(client), ECONNRESET);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_TCP_ELB_RESETS), 2);
    assert_int_equal(r.ended, 1); /* reported once */
    assert_int_equal(r.received_bytes, 0);
}

static void a_fin_gets_rst_too(void **state)
{
    (void)state;
    expire();
    shutdown(client, SHUT_WR);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&r);
    assert_int_equal(sock_ending(client), ECONNRESET);
    assert_true(quiet(target));
}

static void a_half_closed_flow_expires_as_well(void **state)
{
    (void)state;
    shutdown(client, SHUT_WR);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&r);
    assert_int_equal(f->state, FLOW_HALF_CLOSED);
    expire();
    sock_send(target, "late", 4);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&r);
    assert_int_equal(sock_ending(target), 0); /* the FIN that had been passed on */
    assert_int_equal(send(target, "x", 1, MSG_NOSIGNAL), -1);
}

/* A worker that drains lets expired flows go. */
static void draining_drops_expired_flows(void **state)
{
    (void)state;
    flow_env_drop_expired(&r.env);
    assert_int_equal(r.env.n_flows, 1); /* alive: not touched */
    expire();
    flow_env_drop_expired(&r.env);
    assert_int_equal(r.env.n_flows, 0);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.end, END_IDLE_TIMEOUT);
}

/* Spike: a keepalive cannot be read, but TCP_INFO's tcpi_segs_in tells of it. The kernel's shortest
 * interval is a second. */
static void keepalives_restart_the_timer(void **state)
{
    char byte;

    (void)state;
    sock_send(client, "x", 1);
    for (int turn = 0; turn < 5; turn++)
        rig_turn(&r);
    sock_recv(target, &byte, 1);
    clock_fake_advance(100 * SECOND);
    look(); /* segments are counted from here */
    clock_fake_advance(100 * SECOND);
    look();
    setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    setsockopt(client, IPPROTO_TCP, TCP_KEEPINTVL, &(int){ 1 }, sizeof(int));
    setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 1 }, sizeof(int));
    (void)poll(NULL, 0, 1300);
    rig_turn(&r);
    clock_fake_advance(100 * SECOND);
    look();
    setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &(int){ 0 }, sizeof(int));
    clock_fake_advance(200 * SECOND); /* 500 s after the data, 200 s after the keepalive */
    look();
    assert_int_equal(f->state, FLOW_RELAYING);
    clock_fake_advance(200 * SECOND);
    look();
    assert_int_equal(f->state, FLOW_EXPIRED);
}

/* The timer itself: real time, a timeout of 40 ms. */
static void the_timer_fires_by_itself(void **state)
{
    (void)state;
    clock_fake_off();
    r.plan.idle_us = 40000;
    flow_idle_begin(f);
    for (int i = 0; i < 200 && f->state == FLOW_RELAYING; i++)
        rig_turn(&r);
    assert_int_equal(f->state, FLOW_EXPIRED);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EACH(expires_at_the_timeout_and_not_before),
        EACH(data_restarts_the_timer),
        EACH(whoever_speaks_gets_rst),
        EACH(a_fin_gets_rst_too),
        EACH(a_half_closed_flow_expires_as_well),
        EACH(draining_drops_expired_flows),
        EACH(keepalives_restart_the_timer),
        EACH(the_timer_fires_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
