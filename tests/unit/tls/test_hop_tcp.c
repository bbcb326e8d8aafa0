/* SPDX-License-Identifier: Apache-2.0
 * The plain hop: bytes, ends and failures of a TCP socket as hop statuses. */
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

#include "tests/lib/sockets.h"
#include "tls/hop.h"
#include "tls/hop_tls.h"

static struct hop *hop_and_peer(int *peer, int buffer)
{
    int fd[2];
    struct hop *h;

    sock_pair(fd, buffer);
    h = hop_tcp_new(fd[0]);
    assert_non_null(h);
    *peer = fd[1];
    return h;
}

static void secured_at_once_and_raw(void **state)
{
    int peer;
    struct hop *h = hop_and_peer(&peer, 0);

    (void)state;
    assert_int_equal(hop_secure(h), HOP_OK);
    assert_int_equal(h->ops->raw_fd(h), h->fd);
    assert_int_equal(h->ops->pending(h), 0);
    assert_int_equal(hop_flush(h), HOP_OK);
    assert_null(hop_tls_facts(h));
    assert_null(hop_tls_take_facts(h));
    hop_free(h, false);
    assert_int_equal(sock_ending(peer), 0);
    close(peer);
    hop_free(NULL, true);
}

static void reads_until_the_end(void **state)
{
    int peer;
    struct hop *h = hop_and_peer(&peer, 0);
    char buf[8];
    size_t got = 77;

    (void)state;
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_WANT_READ);
    assert_int_equal(got, 77);
    sock_send(peer, "0123456789", 10);
    assert_true(sock_wait(h->fd, POLLIN));
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_OK);
    assert_int_equal(got, 8);
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_OK);
    assert_int_equal(got, 2);
    shutdown(peer, SHUT_WR);
    assert_true(sock_wait(h->fd, POLLIN));
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_EOF);
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_EOF);
    hop_free(h, false);
    close(peer);
}

static void writes_until_the_socket_is_full(void **state)
{
    int peer;
    struct hop *h = hop_and_peer(&peer, 4096);
    static uint8_t data[1 << 20], back[1 << 20];
    size_t sum = 0, put = 0;
    enum hop_status st;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    while ((st = hop_write(h, data + sum, sizeof data - sum, &put)) == HOP_OK)
        sum += put;
    assert_int_equal(st, HOP_WANT_WRITE);
    assert_in_range(sum, 1, sizeof data - 1);
    sock_recv(peer, back, sum);
    assert_memory_equal(back, data, sum);
    assert_true(sock_wait(h->fd, POLLOUT));
    assert_int_equal(hop_write(h, data, 10, &put), HOP_OK);
    hop_free(h, false);
    close(peer);
}

static void half_close_leaves_the_other_half(void **state)
{
    int peer;
    struct hop *h = hop_and_peer(&peer, 0);
    char buf[8];
    size_t got;

    (void)state;
    assert_int_equal(hop_send_eof(h), HOP_OK);
    assert_int_equal(sock_ending(peer), 0);
    sock_send(peer, "late", 4);
    assert_true(sock_wait(h->fd, POLLIN));
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_OK);
    assert_int_equal(got, 4);
    assert_int_equal(hop_send_eof(h), HOP_OK); /* again: harmless */
    hop_free(h, false);
    close(peer);
}

static void reset_in_both_directions(void **state)
{
    int peer;
    struct hop *h = hop_and_peer(&peer, 0);
    struct hop_failure f;
    char buf[8];
    size_t got;

    (void)state;
    sock_reset(peer);
    assert_true(sock_wait(h->fd, POLLIN));
    assert_int_equal(hop_read(h, buf, sizeof buf, &got), HOP_FAILED);
    h->ops->failure(h, &f);
    assert_int_equal(f.cause, HOP_CAUSE_RESET);
    assert_int_equal(f.sys_errno, ECONNRESET);
    assert_int_equal(hop_write(h, "x", 1, &got), HOP_FAILED); /* and no SIGPIPE */
    h->ops->failure(h, &f);
    assert_int_equal(f.cause, HOP_CAUSE_RESET);
    hop_free(h, false);
    h = hop_and_peer(&peer, 0);
    hop_free(h, true);
    assert_int_equal(sock_ending(peer), ECONNRESET);
    close(peer);
}

static void what_errno_means(void **state)
{
    static const struct {
        int error;
        enum hop_status reading, writing;
        enum hop_cause cause;
    } rows[] = {
        { EAGAIN, HOP_WANT_READ, HOP_WANT_WRITE, HOP_CAUSE_NONE },
        { EINTR, HOP_WANT_READ, HOP_WANT_WRITE, HOP_CAUSE_NONE },
        { ECONNRESET, HOP_FAILED, HOP_FAILED, HOP_CAUSE_RESET },
        { EPIPE, HOP_FAILED, HOP_FAILED, HOP_CAUSE_RESET },
        { ETIMEDOUT, HOP_FAILED, HOP_FAILED, HOP_CAUSE_ERRNO },
        { EHOSTUNREACH, HOP_FAILED, HOP_FAILED, HOP_CAUSE_ERRNO },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hop_failure f = { 0 };

        assert_int_equal(hop_from_errno(rows[i].error, true, &f), rows[i].reading);
        assert_int_equal(hop_from_errno(rows[i].error, false, &f), rows[i].writing);
        assert_int_equal(f.cause, rows[i].cause);
        assert_int_equal(f.sys_errno, rows[i].cause == HOP_CAUSE_NONE ? 0 : rows[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secured_at_once_and_raw),
        cmocka_unit_test(reads_until_the_end),
        cmocka_unit_test(writes_until_the_socket_is_full),
        cmocka_unit_test(half_close_leaves_the_other_half),
        cmocka_unit_test(reset_in_both_directions),
        cmocka_unit_test(what_errno_means),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
