/* SPDX-License-Identifier: Apache-2.0
 * Connecting: to the load balancer, or to where the URI's host resolves. */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "vpclink/link.h"

static int connect_to(struct gateway_link *link, const struct addr *to)
{
    struct gateway_result *r = link->now;
    int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0, on = 1;
    socklen_t n = sizeof error;

    if (fd < 0) {
        snprintf(r->why, sizeof r->why, "socket: %s", strerror(errno));
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    r->peer = *to;
    error = connect(fd, &to->u.sa, to->len) == 0 ? 0 : errno;
    r->local = addr_local(fd); /* a reset takes it away */
    if (error == 0)
        return fd;
    if (error != EINPROGRESS) {
        ; /* at once */
    } else if (link_wait_fd(fd, POLLOUT, link->deadline_us) == 0) {
        error = ETIMEDOUT;
    } else {
        error = 0;
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    }
    if (error == 0)
        return fd;
    /* Only what was established can be reset: the far side accepted, and thought better of it. */
    if (error == ECONNRESET)
        r->broke = link->task->uri.tls ? BREAK_HANDSHAKE_RESET : BREAK_RESET;
    snprintf(r->why, sizeof r->why, "%s", strerror(error));
    close(fd);
    return -1;
}

/* As a public HTTP integration does it; a private one never looks up the name. */
static int connect_resolved(struct gateway_link *link)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct gateway_result *r = link->now;
    struct addrinfo *list = NULL;
    char port[8];
    int fd = -1, rc;

    snprintf(port, sizeof port, "%u", (unsigned)link->task->uri.port);
    rc = getaddrinfo(link->task->uri.host, port, &hints, &list);
    if (rc != 0) {
        snprintf(
            r->why, sizeof r->why,
            "nobody knows an address of '%.80s': %.60s (for a private integration it need not be "
            "known: name the load balancer with --connect)",
            link->task->uri.host, gai_strerror(rc));
        r->broke = BREAK_BAD_ENDPOINT;
        return -1;
    }
    r->stage = GATEWAY_CONNECT;
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        struct addr to = { .len = a->ai_addrlen };

        if (a->ai_addrlen <= sizeof to.u) {
            memcpy(&to.u, a->ai_addr, a->ai_addrlen);
            fd = connect_to(link, &to);
        }
    }
    freeaddrinfo(list);
    return fd;
}

bool link_open(struct gateway_link *link)
{
    const struct gateway_task *task = link->task;
    struct gateway_result *r = link->now;
    int fd;

    r->broke = BREAK_UNREACHABLE; /* until it is not */
    if (task->connect != NULL) {
        r->stage = GATEWAY_CONNECT;
        fd = connect_to(link, task->connect);
    } else {
        fd = connect_resolved(link);
    }
    if (fd < 0)
        return false;
    r->connected_us = clock_mono_us();
    link->hop = task->uri.tls ? link_tls_hop(link, fd) : hop_tcp_new(fd);
    if (link->hop == NULL) {
        close(fd);
        r->broke = BREAK_NO_MEMORY;
        return false;
    }
    r->broke = BREAK_NONE;
    r->connection = ++link->connections;
    return true;
}
