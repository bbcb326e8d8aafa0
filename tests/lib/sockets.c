/* SPDX-License-Identifier: Apache-2.0
 * Loopback sockets for tests. */
#include "tests/lib/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

int sock_listen(struct addr *at)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(addr_parse(at, "127.0.0.1:0", NULL), 0);
    assert_int_equal(bind(fd, &at->u.sa, at->len), 0);
    assert_int_equal(listen(fd, 16), 0);
    *at = addr_local(fd);
    return fd;
}

void sock_pair(int fd[2], int buffer)
{
    struct addr at;
    int listening = sock_listen(&at);

    fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (buffer > 0) {
        setsockopt(listening, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        setsockopt(fd[0], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    }
    assert_int_equal(connect(fd[0], &at.u.sa, at.len), 0);
    fd[1] = accept(listening, NULL, NULL);
    assert_true(fd[1] >= 0);
    close(listening);
    for (int i = 0; i < 2; i++) {
        if (buffer > 0)
            setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        assert_int_equal(fcntl(fd[i], F_SETFL, O_NONBLOCK), 0);
    }
}

bool sock_wait(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, 2000) == 1;
}

void sock_send(int fd, const void *data, size_t n)
{
    const uint8_t *at = data;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

        if (sent < 0) {
            assert_int_equal(errno, EAGAIN);
            assert_true(sock_wait(fd, POLLOUT));
            continue;
        }
        at += sent;
        n -= (size_t)sent;
    }
}

void sock_recv(int fd, void *buf, size_t n)
{
    uint8_t *at = buf;

    while (n > 0) {
        ssize_t got;

        assert_true(sock_wait(fd, POLLIN));
        got = recv(fd, at, n, 0);
        assert_true(got > 0);
        at += got;
        n -= (size_t)got;
    }
}

int sock_ending(int fd)
{
    char byte;
    ssize_t n;

    if (!sock_wait(fd, POLLIN))
        return -2;
    n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 ? -1 : n == 0 ? 0 : errno;
}

void sock_reset(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
    close(fd);
}
