/* SPDX-License-Identifier: Apache-2.0
 * Closing so that what was sent last is read: no RST overtakes it, and no peer can keep it up. */
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

#include "core/linger.h"
#include "tests/lib/flowrig.h"
#include "tests/lib/sockets.h"

/* The reason for it all: bytes that we have not read make close(2) send RST, and a peer that sends
 * before it reads never sees what was sent to it. */
static void unread_bytes_make_a_rst_of_close(void **state)
{
    int fd[2];

    (void)state;
    sock_pair(fd, 0);
    sock_send(fd[0], "unread", 6);
    assert_true(sock_wait(fd[1], POLLIN));
    sock_send(fd[1], "alert", 5);
    close(fd[1]);
    assert_int_equal(sock_ending(fd[0]), -1);
    assert_int_equal(send(fd[0], "x", 1, MSG_NOSIGNAL),
                     -1); /* a client that sends first gives up */
    close(fd[0]);
}

static void what_was_sent_last_arrives(void **state)
{
    struct rig r;
    int fd[2];
    char buf[6] = "";

    (void)state;
    rig_init(&r, FLOW_RELAY_COPY);
    sock_pair(fd, 0);
    sock_send(fd[0], "unread", 6);
    assert_true(sock_wait(fd[1], POLLIN));
    sock_send(fd[1], "alert", 5);
    linger_start(&r.env.lingers, fd[1]);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    sock_send(fd[0], "more", 4);
    for (int i = 0; i < 5; i++)
        rig_turn(&r);
    sock_recv(fd[0], buf, 5);
    assert_string_equal(buf, "alert");
    assert_int_equal(sock_ending(fd[0]), 0);
    assert_false(linger_over(&r.env.lingers));
    close(fd[0]);
    assert_true(rig_until_ended(&r)); /* with the peer's FIN, at once */
    rig_clear(&r);
}

static void a_second_is_enough(void **state)
{
    struct rig r;
    int fd[2];

    (void)state;
    rig_init(&r, FLOW_RELAY_COPY);
    sock_pair(fd, 0);
    linger_start(&r.env.lingers, fd[1]);
    for (int i = 0; i < 100; i++)
        rig_turn(&r);
    assert_false(linger_over(&r.env.lingers));
    assert_true(rig_until_ended(&r));
    close(fd[0]);
    rig_clear(&r);
}

/* One that trickles is not waited for longer, one that floods is cut off. */
static void neither_trickle_nor_flood_keeps_it(void **state)
{
    static const uint8_t block[65536];

    (void)state;
    for (int flood = 0; flood < 2; flood++) {
        struct rig r;
        int fd[2], turns = 0;

        rig_init(&r, FLOW_RELAY_COPY);
        sock_pair(fd, 0);
        linger_start(&r.env.lingers, fd[1]);
        while (!linger_over(&r.env.lingers) && turns++ < 3000) {
            if (!flood)
                (void)poll(NULL, 0, 1);
            (void)send(fd[0], block, flood ? sizeof block : 1, MSG_NOSIGNAL | MSG_DONTWAIT);
            rig_turn(&r);
        }
        assert_true(linger_over(&r.env.lingers));
        assert_true(!flood || turns < 200); /* by bytes, before the second is over */
        close(fd[0]);
        rig_clear(&r);
    }
}

static void stopping_closes_them(void **state)
{
    struct rig r;
    int fd[2], files = open_files();

    (void)state;
    rig_init(&r, FLOW_RELAY_COPY);
    sock_pair(fd, 0);
    linger_start(&r.env.lingers, fd[1]);
    rig_clear(&r);
    close(fd[0]);
    assert_int_equal(open_files(), files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unread_bytes_make_a_rst_of_close),
        cmocka_unit_test(what_was_sent_last_arrives),
        cmocka_unit_test(a_second_is_enough),
        cmocka_unit_test(neither_trickle_nor_flood_keeps_it),
        cmocka_unit_test(stopping_closes_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
