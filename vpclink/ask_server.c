/* SPDX-License-Identifier: Apache-2.0
 * Whose fault is a handshake that the server refused: would it have answered all that a JDK offers?
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "tls/tls_wire_write.h"
#include "vpclink/link.h"

#define WAIT_US 2000000U

static int connect_again(const struct addr *to, uint64_t deadline_us)
{
    int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, &to->u.sa, to->len) == 0 ||
        (errno == EINPROGRESS && link_wait_fd(fd, POLLOUT, deadline_us) == 1))
        return fd;
    close(fd);
    return -1;
}

bool link_server_would_answer(struct gateway_link *link, const struct tls_full_offer *offer)
{
    uint8_t hello[TLS_HELLO_WRITE_MAX], buf[1024];
    struct gateway_result *r = link->now;
    uint64_t deadline_us = clock_mono_us() + WAIT_US;
    size_t n = tls_hello_write(offer, hello), got = 0;
    struct tls_hello_answer answer = { 0 };
    int fd = n == 0 ? -1 : connect_again(&r->peer, deadline_us);
    char lacking[128];
    ssize_t rc = 1;

    if (fd < 0)
        return false;
    if (send(fd, hello, n, MSG_NOSIGNAL) != (ssize_t)n)
        rc = 0;
    while (rc > 0 && got < sizeof buf && link_wait_fd(fd, POLLIN, deadline_us) == 1) {
        rc = recv(fd, buf + got, sizeof buf - got, 0);
        got += rc > 0 ? (size_t)rc : 0;
        if (tls_hello_answer_read(&answer, buf, got))
            break;
    }
    close(fd);
    if (answer.answered)
        snprintf(r->why, sizeof r->why,
                 "the server answers a JDK's whole ClientHello, and nlbsim lacks %s",
                 tls_hello_answer_lacking(&answer, lacking, sizeof lacking));
    return answer.answered;
}
