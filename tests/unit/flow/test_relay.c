/* SPDX-License-Identifier: Apache-2.0
 * The relay on real sockets, copying and splicing: every byte, back-pressure, half-close, RST. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "flow/actions.h"
#include "tests/lib/flowrig.h"
#include "tests/lib/sockets.h"
#include "tests/lib/tlspair.h"

static const enum flow_relay modes[] = { FLOW_RELAY_COPY, FLOW_RELAY_SPLICE, FLOW_RELAY_AUTO };
#define N_MODES (sizeof modes / sizeof modes[0])

/* One direction of a transfer, driven without blocking. */
struct stream {
    int from, to;
    size_t n, sent, got;
    unsigned seed;
    bool shut; /* half-close after the last byte, and wait for it at the other end */
    bool ended;
};

static void pump_stream(struct stream *s)
{
    uint8_t buf[30000];
    ssize_t r;

    if (s->sent < s->n) {
        size_t n = s->n - s->sent < sizeof buf ? s->n - s->sent : sizeof buf;

        for (size_t i = 0; i < n; i++)
            buf[i] = pattern_at(s->sent + i, s->seed);
        r = send(s->from, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r > 0)
            s->sent += (size_t)r;
        else
            assert_int_equal(errno, EAGAIN);
        if (s->sent == s->n && s->shut)
            shutdown(s->from, SHUT_WR);
    }
    r = recv(s->to, buf, sizeof buf, MSG_DONTWAIT);
    for (ssize_t i = 0; i < r; i++) {
        if (buf[i] != pattern_at(s->got + (size_t)i, s->seed))
            fail_msg("byte %zu is wrong", s->got + (size_t)i);
    }
    if (r > 0)
        s->got += (size_t)r;
    else if (r == 0)
        s->ended = true;
    else
        assert_int_equal(errno, EAGAIN);
}

static bool both_done(void *arg)
{
    struct stream *s = arg;
    bool done = true;

    for (int i = 0; i < 2; i++) {
        if (s[i].from == s[i].to)
            continue;
        pump_stream(&s[i]);
        done = done && s[i].got == s[i].n && (!s[i].shut || s[i].ended);
    }
    return done;
}

static void every_byte_in_both_directions_at_once(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        for (int buffer = 0; buffer <= 4096; buffer += 4096) {
            const size_t n = buffer == 0 ? 3000000 : 300000;
            struct rig r;
            struct stream s[2];
            int client, target;

            rig_init(&r, modes[m]);
            r.buffer = buffer;
            (void)rig_connect(&r, &client, &target);
            s[0] = (struct stream){ client, target, n, .seed = 1, .shut = true };
            s[1] = (struct stream){ target, client, n / 2, .seed = 2, .shut = true };
            assert_true(rig_until(&r, both_done, s));
            assert_true(rig_until_ended(&r));
            assert_int_equal(r.end, END_COMPLETED);
            assert_int_equal(r.received_bytes, n);
            assert_int_equal(r.sent_bytes, n / 2);
            if (modes[m] != FLOW_RELAY_AUTO)
                assert_int_equal(r.spliced, modes[m] == FLOW_RELAY_SPLICE);
            close(client);
            close(target);
            rig_clear(&r);
        }
    }
}

static bool drained(void *arg)
{
    size_t *left = ((size_t **)arg)[0];
    const int *fd = ((const int **)arg)[1];
    char buf[65536];
    ssize_t n = recv(*fd, buf, sizeof buf, MSG_DONTWAIT);

    if (n > 0)
        *left -= (size_t)n;
    return *left == 0;
}

/* `auto` copies until a read fills the whole buffer, and splices from then on. */
static void auto_splices_what_is_worth_it(void **state)
{
    static const uint8_t block[4 * FLOW_SCRATCH];

    (void)state;
    for (int much = 0; much < 2; much++) {
        struct rig r;
        int client, target;
        size_t left = much ? sizeof block : 1000;
        void *args[2] = { &left, &target };

        rig_init(&r, FLOW_RELAY_AUTO);
        (void)rig_connect(&r, &client, &target);
        sock_send(client, block, left); /* all of it waits in our socket */
        assert_true(rig_until(&r, drained, args));
        close(client);
        close(target);
        assert_true(rig_until_ended(&r));
        assert_int_equal(r.spliced, much);
        rig_clear(&r);
    }
}

/* An idle flow owns no buffer and no pipe, before, between and after bytes. */
static void an_idle_flow_owns_no_buffer(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        struct rig r;
        struct flow *f;
        struct stream s[2] = { { 0 } };
        int client, target;

        rig_init(&r, modes[m]);
        f = rig_connect(&r, &client, &target);
        for (size_t n = 0; n <= 200000; n += 100000) {
            s[0] = (struct stream){ client, target, n, .seed = 3 };
            assert_true(rig_until(&r, both_done, s));
            for (int i = 0; i < 3; i++)
                rig_turn(&r);
            assert_null(f->up.hold);
            assert_null(f->down.hold);
            assert_null(f->up.pipe);
            assert_null(f->down.pipe);
        }
        close(client);
        close(target);
        rig_clear(&r);
    }
}

static void half_close_leaves_the_other_direction(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        for (int by_target = 0; by_target < 2; by_target++) {
            struct rig r;
            struct flow *f;
            struct stream s[2] = { { 0 } };
            int end[2], first, second;

            rig_init(&r, modes[m]);
            f = rig_connect(&r, &end[0], &end[1]);
            first = end[by_target];
            second = end[!by_target];
            s[0] = (struct stream){ first, second, 1000, .seed = 4, .shut = true };
            assert_true(rig_until(&r, both_done, s));
            assert_int_equal(f->state, FLOW_HALF_CLOSED);
            assert_int_equal(r.ended, 0);
            s[0] = (struct stream){ second, first, 200000, .seed = 5, .shut = true };
            assert_true(rig_until(&r, both_done, s));
            assert_true(rig_until_ended(&r));
            assert_int_equal(r.end, END_COMPLETED);
            close(first);
            close(second);
            rig_clear(&r);
        }
    }
}

struct waiting {
    int fd;
    int ending;
};

static bool has_ending(void *arg)
{
    struct waiting *w = arg;
    char byte;
    ssize_t n = recv(w->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n > 0) { /* what was queued before the end */
        char drop[65536];

        (void)recv(w->fd, drop, sizeof drop, MSG_DONTWAIT);
        return false;
    }
    if (n < 0 && errno == EAGAIN)
        return false;
    w->ending = n == 0 ? 0 : errno;
    return true;
}

/* RST of one side reaches the other as RST, whatever had passed before. */
static void rst_is_passed_on(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        for (int i = 0; i < 4; i++) {
            const bool by_target = i % 2 != 0, after_data = i / 2 != 0;
            struct rig r;
            struct stream s[2] = { { 0 } };
            struct waiting w;
            int end[2];

            rig_init(&r, modes[m]);
            (void)rig_connect(&r, &end[0], &end[1]);
            if (after_data) {
                s[0] = (struct stream){ end[by_target], end[!by_target], 70000, .seed = 6 };
                assert_true(rig_until(&r, both_done, s));
            }
            sock_reset(end[by_target]);
            w.fd = end[!by_target];
            assert_true(rig_until(&r, has_ending, &w));
            assert_int_equal(w.ending, ECONNRESET);
            assert_true(rig_until_ended(&r));
            assert_int_equal(r.end, by_target ? END_TARGET_RESET : END_CLIENT_RESET);
            assert_int_equal(r.failure.cause, HOP_CAUSE_RESET);
            assert_int_equal(metric_read(&r.env.metrics, by_target ? METRIC_TCP_TARGET_RESETS
                                                                   : METRIC_TCP_CLIENT_RESETS),
                             1);
            close(w.fd);
            rig_clear(&r);
        }
    }
}

/* Fill the way from `from` until neither it nor the relay takes more. */
static size_t fill(struct rig *r, int from)
{
    static const uint8_t block[65536];
    size_t sum = 0;

    for (int still = 0; still < 10;) {
        ssize_t n = send(from, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0)
            sum += (size_t)n;
        still = n > 0 ? 0 : still + 1;
        rig_turn(r);
    }
    return sum;
}

/* A slow reader holds the sender up; the relay itself holds at most one read, or one pipe. */
static void back_pressure(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        for (int by_target = 0; by_target < 2; by_target++) {
            struct rig r;
            struct flow *f;
            const struct flow_dir *dir;
            int end[2];
            size_t left;
            void *args[2];

            rig_init(&r, modes[m]);
            r.buffer = 8192;
            f = rig_connect(&r, &end[0], &end[1]);
            dir = by_target ? &f->down : &f->up;
            left = fill(&r, end[by_target]);
            assert_true(left > 0);
            assert_true(dir->hold_len + dir->in_pipe > 0);
            assert_true(dir->hold_len <= FLOW_SCRATCH);
            assert_true(dir->in_pipe <= 1024 * 1024);
            args[0] = &left;
            args[1] = &end[!by_target];
            assert_true(rig_until(&r, drained, args));
            for (int i = 0; i < 3; i++)
                rig_turn(&r);
            assert_int_equal(dir->hold_len + dir->in_pipe, 0);
            close(end[0]);
            close(end[1]);
            rig_clear(&r);
        }
    }
}

/* Spike: RST under back-pressure. Nothing is being read from that side, yet its RST is told, by the
 * edge-triggered read that stays armed. */
static void rst_under_back_pressure(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        for (int by_target = 0; by_target < 2; by_target++) {
            struct rig r;
            int end[2];

            rig_init(&r, modes[m]);
            r.buffer = 8192;
            (void)rig_connect(&r, &end[0], &end[1]);
            (void)fill(&r, end[by_target]);
            sock_reset(end[by_target]);
            assert_true(rig_until_ended(&r)); /* though the other side still reads nothing */
            assert_int_equal(r.end, by_target ? END_TARGET_RESET : END_CLIENT_RESET);
            close(end[!by_target]);
            rig_clear(&r);
        }
    }
}

/* RST after a half-close: that side's direction has ended, nothing is read from it any more, and
 * the other side may be silent for long. It must be told all the same. */
static void rst_after_half_close(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        for (int by_target = 0; by_target < 2; by_target++) {
            struct rig r;
            struct stream s[2] = { { 0 } };
            struct waiting w;
            int end[2];

            rig_init(&r, modes[m]);
            (void)rig_connect(&r, &end[0], &end[1]);
            s[0] = (struct stream){ end[by_target], end[!by_target], 10, .seed = 7, .shut = true };
            assert_true(rig_until(&r, both_done, s));
            sock_reset(end[by_target]);
            assert_true(rig_until_ended(&r));
            assert_int_equal(r.end, by_target ? END_TARGET_RESET : END_CLIENT_RESET);
            w.fd = end[!by_target];
            assert_int_equal(sock_ending(w.fd), 0); /* the FIN that had been passed on ... */
            assert_int_equal(send(w.fd, "x", 1, MSG_NOSIGNAL), -1); /* ... and the RST behind it */
            close(w.fd);
            rig_clear(&r);
        }
    }
}

/* FIN behind bytes that the other side has not taken yet: all of them arrive before it. */
static void eof_behind_queued_bytes(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        struct rig r;
        int client, target;
        struct waiting w;
        size_t left;
        void *args[2] = { &left, &target };

        rig_init(&r, modes[m]);
        r.buffer = 8192;
        (void)rig_connect(&r, &client, &target);
        left = fill(&r, client);
        shutdown(client, SHUT_WR);
        for (int i = 0; i < 3; i++)
            rig_turn(&r);
        assert_int_equal(r.ended, 0);
        assert_true(rig_until(&r, drained, args));
        w.fd = target;
        assert_true(rig_until(&r, has_ending, &w));
        assert_int_equal(w.ending, 0);
        shutdown(target, SHUT_WR);
        assert_true(rig_until_ended(&r));
        assert_int_equal(r.end, END_COMPLETED);
        close(client);
        close(target);
        rig_clear(&r);
    }
}

/* A busy flow does not starve another one of the same worker. */
static void turns_are_bounded(void **state)
{
    struct rig r;
    int busy[2], calm[2];
    struct stream s[2] = { { 0 } };
    static const uint8_t block[65536];

    (void)state;
    rig_init(&r, FLOW_RELAY_COPY);
    (void)rig_connect(&r, &busy[0], &busy[1]);
    (void)rig_connect(&r, &calm[0], &calm[1]);
    s[0] = (struct stream){ calm[0], calm[1], 100, .seed = 8 };
    for (int i = 0; i < 200 && s[0].got < s[0].n; i++) {
        char drop[65536];

        while (send(busy[0], block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ;
        while (recv(busy[1], drop, sizeof drop, MSG_DONTWAIT) > 0)
            ;
        pump_stream(&s[0]);
        rig_turn(&r);
    }
    assert_int_equal(s[0].got, s[0].n);
    for (int i = 0; i < 2; i++) {
        close(busy[i]);
        close(calm[i]);
    }
    rig_clear(&r);
}

/* The client's first bytes, its FIN or its RST may come while the target is still being connected.
 */
static void a_client_faster_than_the_target(void **state)
{
    (void)state;
    for (size_t m = 0; m < N_MODES; m++) {
        struct rig r;
        int fd[2], target;
        char buf[6] = "";
        struct waiting w;

        rig_init(&r, modes[m]);
        sock_pair(fd, 0);
        sock_send(fd[0], "early", 5);
        shutdown(fd[0], SHUT_WR);
        flow_go(rig_flow(&r, hop_tcp_new(fd[1])));
        for (int i = 0; i < 5; i++)
            rig_turn(&r);
        target = accept(r.listening, NULL, NULL);
        sock_recv(target, buf, 5);
        assert_string_equal(buf, "early");
        w.fd = target;
        assert_true(rig_until(&r, has_ending, &w));
        assert_int_equal(w.ending, 0);
        close(target);
        assert_true(rig_until_ended(&r));
        assert_int_equal(r.end, END_COMPLETED);
        assert_int_equal(r.received_bytes, 5);
        close(fd[0]);
        sock_pair(fd, 0);
        sock_reset(fd[0]);
        flow_go(rig_flow(&r, hop_tcp_new(fd[1])));
        assert_true(rig_until_ended(&r));
        assert_int_equal(r.end, END_CLIENT_RESET);
        rig_clear(&r);
    }
}

static void no_target_and_refused_target(void **state)
{
    struct rig r;
    int fd[2];

    (void)state;
    rig_init(&r, FLOW_RELAY_AUTO);
    close(r.listening);
    sock_pair(fd, 0);
    flow_go(rig_flow(&r, hop_tcp_new(fd[1])));
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_TARGET_REFUSED);
    assert_int_equal(sock_ending(fd[0]), ECONNRESET);
    close(fd[0]);
    r.forward.total_weight = 0;
    sock_pair(fd, 0);
    flow_go(rig_flow(&r, hop_tcp_new(fd[1])));
    assert_true(rig_until_ended(&r));
    assert_int_equal(r.end, END_NO_TARGET);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_REJECTED_FLOWS), 1);
    assert_int_equal(metric_read(&r.env.metrics, METRIC_NEW_FLOWS_TCP), 2);
    assert_int_equal(sock_ending(fd[0]), ECONNRESET);
    close(fd[0]);
    r.listening = dup(0); /* rig_clear() closes one */
    rig_clear(&r);
}

static void stopping_resets_both_sides(void **state)
{
    struct rig r;
    int client, target;

    (void)state;
    rig_init(&r, FLOW_RELAY_AUTO);
    (void)rig_connect(&r, &client, &target);
    rig_clear(&r);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.end, END_STOPPED);
    assert_int_equal(sock_ending(client), ECONNRESET);
    assert_int_equal(sock_ending(target), ECONNRESET);
    close(client);
    close(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_in_both_directions_at_once),
        cmocka_unit_test(auto_splices_what_is_worth_it),
        cmocka_unit_test(an_idle_flow_owns_no_buffer),
        cmocka_unit_test(half_close_leaves_the_other_direction),
        cmocka_unit_test(rst_is_passed_on),
        cmocka_unit_test(back_pressure),
        cmocka_unit_test(rst_under_back_pressure),
        cmocka_unit_test(rst_after_half_close),
        cmocka_unit_test(eof_behind_queued_bytes),
        cmocka_unit_test(turns_are_bounded),
        cmocka_unit_test(a_client_faster_than_the_target),
        cmocka_unit_test(no_target_and_refused_target),
        cmocka_unit_test(stopping_resets_both_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
