/* SPDX-License-Identifier: Apache-2.0
 * The pool of pipes: borrowed while bytes are inside, used again, never dirty, never missed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flow/splice.h"
#include "tests/lib/flowrig.h"
#include "tests/lib/sockets.h"
#include "tls/hop.h"
#include "tls/hop_tls.h"

/* Send some bytes through and take them out at the other end. */
static void pass(struct rig *r, int from, int to, size_t n)
{
    char buf[1000] = "x";

    assert_true(n <= sizeof buf);
    sock_send(from, buf, n);
    for (int i = 0; i < 10; i++)
        rig_turn(r);
    sock_recv(to, buf, n);
}

static void one_pipe_serves_many_flows(void **state)
{
    struct rig r;
    int fd[5][2], files;

    (void)state;
    rig_init(&r, FLOW_RELAY_SPLICE);
    for (int i = 0; i < 5; i++)
        (void)rig_connect(&r, &fd[i][0], &fd[i][1]);
    pass(&r, fd[0][0], fd[0][1], 10);
    files = open_files();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++) {
            pass(&r, fd[i][0], fd[i][1], 100);
            pass(&r, fd[i][1], fd[i][0], 100);
        }
    }
    assert_int_equal(open_files(), files);
    for (int i = 0; i < 5; i++) {
        close(fd[i][0]);
        close(fd[i][1]);
    }
    rig_clear(&r);
}

/* A pipe with bytes inside is closed with its flow: the next flow must not get them. */
static void no_flow_gets_anothers_bytes(void **state)
{
    static const uint8_t block[65536] = { 0xbb };
    struct rig r;
    struct flow *f;
    int fd[2], other[2];
    char buf[100];

    (void)state;
    rig_init(&r, FLOW_RELAY_SPLICE);
    r.buffer = 8192;
    f = rig_connect(&r, &fd[0], &fd[1]);
    for (int i = 0; i < 5000 && f->up.in_pipe == 0; i++) {
        (void)send(fd[0], block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
        rig_turn(&r);
    }
    assert_true(f->up.in_pipe > 0);
    sock_reset(fd[0]);
    assert_true(rig_until_ended(&r));
    (void)rig_connect(&r, &other[0], &other[1]);
    sock_send(other[0], "mine", 4);
    for (int i = 0; i < 10; i++)
        rig_turn(&r);
    sock_recv(other[1], buf, 4);
    assert_memory_equal(buf, "mine", 4);
    assert_int_equal(recv(other[1], buf, sizeof buf, MSG_DONTWAIT), -1);
    close(fd[1]);
    close(other[0]);
    close(other[1]);
    rig_clear(&r);
}

/* Spike: no descriptor to be had for a pipe. The flow copies instead. */
static void without_descriptors_bytes_are_copied(void **state)
{
    struct rig r;
    struct rlimit old, tight;
    int fd[2], lowest;

    (void)state;
    rig_init(&r, FLOW_RELAY_SPLICE);
    (void)rig_connect(&r, &fd[0], &fd[1]);
    lowest = dup(0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    tight = old;
    tight.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_int_equal(dup(0), -1); /* none left, indeed */
    pass(&r, fd[0], fd[1], 500);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    close(fd[0]);
    close(fd[1]);
    assert_true(rig_until_ended(&r));
    assert_false(r.spliced);
    assert_int_equal(r.received_bytes, 500);
    rig_clear(&r);
}

static void no_answer(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    (void)arg, (void)offer, (void)out;
}

static void only_plain_hops_are_spliced(void **state)
{
    struct hop *plain = hop_tcp_new(open("/dev/null", O_RDWR)),
               *tls = hop_tls_server_new(-1, no_answer, NULL, false);

    (void)state;
    assert_true(splice_possible(plain, plain));
    assert_false(splice_possible(plain, tls));
    assert_false(splice_possible(tls, plain));
    hop_free(plain, false);
    hop_free(tls, false);
}

static volatile sig_atomic_t pipes_broken;

static void count_sigpipe(int number)
{
    (void)number;
    pipes_broken++;
}

/* Spike: splice(2) raises SIGPIPE on a dead peer, and no flag prevents it; hence the signal is
 * ignored by the process. Its EAGAIN does not say which side blocks; hence an empty pipe is filled
 * first, and then it can only be the source. */
static void what_splice_does(void **state)
{
    int fd[2], p[2];

    (void)state;
    sock_pair(fd, 0);
    assert_int_equal(pipe2(p, O_NONBLOCK), 0);
    assert_int_equal(splice(fd[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK), -1);
    assert_int_equal(errno, EAGAIN); /* the socket is empty */
    while (write(p[1], "x", 1) == 1)
        ;
    sock_send(fd[0], "y", 1);
    assert_true(sock_wait(fd[1], POLLIN));
    assert_int_equal(splice(fd[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK), -1);
    assert_int_equal(errno, EAGAIN); /* the pipe is full: the same word */
    shutdown(fd[1], SHUT_WR);
    signal(SIGPIPE, count_sigpipe);
    assert_int_equal(splice(p[0], NULL, fd[1], NULL, 100, SPLICE_F_NONBLOCK), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(pipes_broken, 1);
    signal(SIGPIPE, SIG_IGN);
    close(p[0]);
    close(p[1]);
    close(fd[0]);
    close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pipe_serves_many_flows),
        cmocka_unit_test(no_flow_gets_anothers_bytes),
        cmocka_unit_test(without_descriptors_bytes_are_copied),
        cmocka_unit_test(only_plain_hops_are_spliced),
        cmocka_unit_test(what_splice_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
