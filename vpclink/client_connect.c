/* SPDX-License-Identifier: Apache-2.0
 * Connecting: to the load balancer, or to where the URI's host resolves. */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "vpclink/call.h"
#include "vpclink/lookup.h"

/* As a public HTTP integration does it; a private one never looks up the name. */
enum hop_status call_resolve(struct gateway_call *call)
{
    const char *host = call->task->uri.host;
    struct gateway_result *r = call->now;
    int rc;

    r->broke = BREAK_UNREACHABLE; /* until it is not */
    if (call->task->connect != NULL)
        return HOP_OK;
    if (call->lookup == NULL) {
        call->lookup = lookup_start(host, call->task->uri.port);
        if (call->lookup != NULL)
            return HOP_WANT_READ;
        snprintf(r->why, sizeof r->why, "%s", strerror(errno));
        return HOP_FAILED;
    }
    rc = lookup_result(call->lookup, &call->next);
    if (rc == 0 || rc == EAI_INPROGRESS)
        return rc == 0 ? HOP_OK : HOP_WANT_READ;
    snprintf(r->why, sizeof r->why,
             "nobody knows an address of '%.80s': %.60s (for a private integration it need not be "
             "known: name the load balancer with --connect)",
             host, gai_strerror(rc));
    r->broke = BREAK_BAD_ENDPOINT;
    return HOP_FAILED;
}

static void note_connect_error(struct gateway_call *call, int error)
{
    struct gateway_result *r = call->now;

    /* Only what was established can be reset: the far side accepted, and thought better of it. */
    if (error == ECONNRESET)
        r->broke = call->task->uri.tls ? BREAK_HANDSHAKE_RESET : BREAK_RESET;
    snprintf(r->why, sizeof r->why, "%s", strerror(error));
}

/* 0: call->fd is connected; EINPROGRESS: it will be; else nothing is open. */
static int connect_to(struct gateway_call *call, const struct addr *to)
{
    struct gateway_result *r = call->now;
    int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error, on = 1;

    if (fd < 0) {
        error = errno;
        snprintf(r->why, sizeof r->why, "socket: %s", strerror(error));
        return error;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    r->peer = *to;
    error = connect(fd, &to->u.sa, to->len) == 0 ? 0 : errno;
    r->local = addr_local(fd); /* a reset takes it away */
    if (error == 0 || error == EINPROGRESS) {
        call->fd = fd;
        return error;
    }
    note_connect_error(call, error);
    close(fd);
    return error;
}

/* Try the next address, and those after it while one fails at once; as connect_to(). */
static int connect_next(struct gateway_call *call)
{
    int error = ECONNREFUSED;

    if (call->task->connect != NULL)
        return connect_to(call, call->task->connect);
    while (call->next != NULL && error != 0 && error != EINPROGRESS) {
        const struct addrinfo *a = call->next;
        struct addr to = { .len = a->ai_addrlen };

        call->next = a->ai_next;
        if (a->ai_addrlen > sizeof to.u)
            continue;
        memcpy(&to.u, a->ai_addr, a->ai_addrlen);
        error = connect_to(call, &to);
    }
    return error;
}

static enum hop_status make_hop(struct gateway_call *call)
{
    struct gateway_result *r = call->now;

    r->connected_us = clock_mono_us();
    call->hop = call->task->uri.tls ? call_tls_hop(call, call->fd) : hop_tcp_new(call->fd);
    if (call->hop == NULL) {
        r->broke = BREAK_NO_MEMORY;
        return HOP_FAILED;
    }
    call->fd = -1;
    r->broke = BREAK_NONE;
    r->connection = ++call->client->connections;
    return HOP_OK;
}

enum hop_status call_connect(struct gateway_call *call)
{
    int error = EINPROGRESS;
    socklen_t n = sizeof error;

    call->now->stage = GATEWAY_CONNECT;
    if (call->fd < 0) {
        error = connect_next(call);
    } else {
        (void)getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &error, &n);
        if (error != 0) {
            note_connect_error(call, error);
            close(call->fd);
            call->fd = -1;
            error = call->next == NULL ? error : connect_next(call);
        }
    }
    if (error == EINPROGRESS)
        return HOP_WANT_WRITE;
    return error == 0 ? make_hop(call) : HOP_FAILED;
}
