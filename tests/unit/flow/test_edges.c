/* SPDX-License-Identifier: Apache-2.0
 * What libevent and epoll tell of a socket's end, on which the flow's single edge-triggered
 * registration rests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <unistd.h>

#include "core/loop.h"
#include "tests/lib/sockets.h"

struct seen {
    int calls;
    short what;
};

static void note_cb(evutil_socket_t fd, short what, void *arg)
{
    struct seen *s = arg;

    (void)fd;
    s->calls++;
    s->what |= what;
}

static struct event_base *base_new(void)
{
    struct event_base *base = loop_new(NULL);

    assert_non_null(base);
    return base;
}

static void turn(struct event_base *base)
{
    (void)poll(NULL, 0, 5);
    event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Spike: bytes wait unread, because the other side is slow; then RST comes. The armed edge tells,
 * once, and SO_ERROR says what it was without reading the bytes. */
static void an_armed_edge_tells_of_rst_behind_unread_bytes(void **state)
{
    struct event_base *base = base_new();
    struct seen seen = { 0 };
    struct event ev;
    int fd[2], error = 0;
    socklen_t len = sizeof error;

    (void)state;
    sock_pair(fd, 0);
    event_assign(&ev, base, fd[1], EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, note_cb,
                 &seen);
    event_add(&ev, NULL);
    sock_send(fd[0], "unread", 6);
    turn(base);
    assert_true(seen.what & EV_READ);
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 5; i++)
        turn(base);
    assert_int_equal(seen.calls, 0); /* nothing new: no spinning on what is known */
    sock_reset(fd[0]);
    turn(base);
    assert_true(seen.what & EV_READ);
    assert_int_equal(getsockopt(fd[1], SOL_SOCKET, SO_ERROR, &error, &len), 0);
    assert_int_equal(error, ECONNRESET);
    memset(&seen, 0, sizeof seen);
    for (int i = 0; i < 5; i++)
        turn(base);
    assert_int_equal(seen.calls, 0);
    event_del(&ev);
    close(fd[1]);
    event_base_free(base);
}

/* Spike: armed with EV_CLOSED alone, an event does not tell of RST, and the loop wakes for nothing
 * again and again. */
static void closed_alone_says_nothing_of_rst(void **state)
{
    struct event_base *base = base_new();
    struct seen seen = { 0 };
    struct event ev;
    int fd[2];

    (void)state;
    sock_pair(fd, 0);
    event_assign(&ev, base, fd[1], EV_CLOSED | EV_PERSIST, note_cb, &seen);
    event_add(&ev, NULL);
    sock_reset(fd[0]);
    for (int i = 0; i < 5; i++)
        turn(base);
    assert_int_equal(seen.calls, 0);
    event_del(&ev);
    close(fd[1]);
    event_base_free(base);
}

/* A RST, and a connection refused, are told as exactly "readable and writable": an edge that is
 * only writable, or that tells of FIN, hides no error, and nobody has to ask for SO_ERROR. */
static void an_error_is_told_as_readable_and_writable(void **state)
{
    enum { RST, FIN, CONNECTED, REFUSED, N };
    static const short told[N] = { [RST] = EV_READ | EV_WRITE,
                                   [FIN] = EV_READ | EV_WRITE | EV_CLOSED,
                                   [CONNECTED] = EV_WRITE,
                                   [REFUSED] = EV_READ | EV_WRITE };

    (void)state;
    for (int kind = 0; kind < N; kind++) {
        struct event_base *base = base_new();
        struct seen seen = { 0 };
        struct addr at;
        struct event ev;
        int fd[2] = { -1, -1 }, listening = -1;

        if (kind == CONNECTED || kind == REFUSED) {
            listening = sock_listen(&at);
            fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            if (kind == REFUSED)
                close(listening);
            assert_int_equal(connect(fd[1], &at.u.sa, at.len), -1);
        } else {
            sock_pair(fd, 0);
        }
        event_assign(&ev, base, fd[1], EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, note_cb,
                     &seen);
        event_add(&ev, NULL);
        if (kind == RST)
            sock_reset(fd[0]);
        else if (kind == FIN)
            shutdown(fd[0], SHUT_WR);
        turn(base);
        assert_int_equal(seen.what & ~EV_ET, told[kind]);
        event_del(&ev);
        close(fd[1]);
        if (kind == CONNECTED)
            close(listening);
        if (kind == FIN)
            close(fd[0]);
        event_base_free(base);
    }
}

/* FIN and more bytes each make an edge of their own. */
static void every_arrival_makes_an_edge(void **state)
{
    struct event_base *base = base_new();
    struct seen seen = { 0 };
    struct event ev;
    int fd[2];

    (void)state;
    sock_pair(fd, 0);
    event_assign(&ev, base, fd[1], EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, note_cb, &seen);
    event_add(&ev, NULL);
    for (int i = 1; i <= 3; i++) {
        sock_send(fd[0], "x", 1);
        turn(base);
        assert_int_equal(seen.calls, i); /* though nothing was read in between */
    }
    shutdown(fd[0], SHUT_WR);
    turn(base);
    assert_int_equal(seen.calls, 4);
    assert_true(seen.what & EV_CLOSED);
    event_del(&ev);
    close(fd[0]);
    close(fd[1]);
    event_base_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_armed_edge_tells_of_rst_behind_unread_bytes),
        cmocka_unit_test(closed_alone_says_nothing_of_rst),
        cmocka_unit_test(an_error_is_told_as_readable_and_writable),
        cmocka_unit_test(every_arrival_makes_an_edge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
