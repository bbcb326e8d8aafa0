/* SPDX-License-Identifier: Apache-2.0
 * Sockets that end with FIN or RST, and names that only one can have. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/addr.h"
#include "core/sock.h"

/* Two ends of a TCP connection. */
static void connected(int end[2])
{
    struct addr at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(listen(listener, 1), 0); /* any port of every address */
    at = addr_local(listener);
    at.u.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    end[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(end[0], &at.u.sa, at.len), 0);
    end[1] = accept(listener, NULL, NULL);
    assert_true(end[1] >= 0);
    close(listener);
}

static void the_peer_sees_fin_or_rst(void **state)
{
    char byte;

    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        int end[2];
        ssize_t got;

        connected(end);
        if (reset)
            sock_reset_on_close(end[0]);
        close(end[0]);
        got = read(end[1], &byte, 1);
        assert_int_equal(got, reset ? -1 : 0);
        if (reset)
            assert_int_equal(errno, ECONNRESET);
        close(end[1]);
    }
}

static void an_abstract_name_is_taken_once(void **state)
{
    struct sockaddr_un un, other;
    char address[40];
    socklen_t n, n_other;
    int fd[3];

    (void)state;
    snprintf(address, sizeof address, "test-%d", (int)getpid());
    n = sock_abstract(&un, "sock", address);
    n_other = sock_abstract(&other, "sock2", address);
    assert_memory_equal(un.sun_path, "\0nlbsim-sock-test-", 18);
    for (int i = 0; i < 3; i++)
        fd[i] = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd[0], (struct sockaddr *)&un, n), 0);
    assert_int_equal(bind(fd[1], (struct sockaddr *)&un, n), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(bind(fd[1], (struct sockaddr *)&other, n_other), 0);
    close(fd[0]);
    assert_int_equal(bind(fd[2], (struct sockaddr *)&un, n), 0);
    close(fd[1]);
    close(fd[2]);
}

static void a_descriptor_goes_with_bytes(void **state)
{
    int pair[2], through[2], got = -1;
    char buf[8] = "";

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(through), 0);
    assert_int_equal(sock_send_fd(pair[0], "one", 3, -1), 3);
    assert_int_equal(sock_recv_fd(pair[1], buf, 3, &got), 3);
    assert_int_equal(got, -1);
    assert_int_equal(sock_send_fd(pair[0], "two", 3, through[1]), 3);
    close(through[1]);
    assert_int_equal(sock_recv_fd(pair[1], buf, sizeof buf, &got), 3);
    assert_string_equal(buf, "two");
    assert_true(got >= 0);
    assert_int_equal(write(got, "x", 1), 1);
    assert_int_equal(read(through[0], buf, 1), 1);
    close(pair[0]);
    assert_int_equal(sock_recv_fd(pair[1], buf, sizeof buf, &got), 0);
    close(got);
    assert_int_equal(read(through[0], buf, 1), 0); /* no copy is left */
    close(pair[1]);
    close(through[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_sees_fin_or_rst),
        cmocka_unit_test(an_abstract_name_is_taken_once),
        cmocka_unit_test(a_descriptor_goes_with_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
