// SPDX-License-Identifier: Apache-2.0
/*
 * The benchmark's target: one epoll loop that does what the first byte of a connection says.
 *
 *   r   a request of 64 bytes: answer 64 bytes and close
 *   d   send without end, until the peer goes
 *   u   read and discard until the peer goes
 *   h   answer one byte, then hold the connection
 *
 * It listens on 127.0.0.1, prints the port and runs until its standard input closes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES = 64, MAX_FD = 65536, BLOCK = 256 * 1024 };

struct conn {
    char job;           /* 0 until the first byte came */
    unsigned got;       /* bytes of the request so far */
    unsigned long sent; /* only to know that it went on */
};

static struct conn conns[MAX_FD];
static char block[BLOCK];
static int loop_fd;

static void end(int fd)
{
    conns[fd] = (struct conn){ 0 };
    close(fd);
}

static void watch(int fd, uint32_t events, int op)
{
    struct epoll_event ev = { .events = events, .data.fd = fd };

    if (epoll_ctl(loop_fd, op, fd, &ev) != 0) {
        perror("target: epoll_ctl");
        exit(3);
    }
}

static void accept_all(int listener)
{
    int fd, one = 1;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= MAX_FD) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        conns[fd] = (struct conn){ 0 };
        watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void pour(int fd)
{
    for (;;) {
        ssize_t n = send(fd, block, sizeof block, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end(fd);
            return;
        }
        conns[fd].sent += (unsigned long)n;
    }
}

static void discard(int fd)
{
    for (;;) {
        /* MSG_TRUNC on a TCP socket drops the bytes inside the kernel: the target stays cheap */
        ssize_t n = recv(fd, NULL, 1 << 30, MSG_TRUNC);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end(fd);
            return;
        }
    }
}

/* The job needs bytes that may come in pieces; only the first decides. */
static void begin(int fd)
{
    struct conn *c = &conns[fd];
    char request[REQUEST_BYTES];
    ssize_t n = recv(fd, request, c->job == 'r' ? sizeof request - c->got : 1, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        end(fd);
        return;
    }
    if (c->job == 0)
        c->job = request[0];
    c->got += (unsigned)n;
    switch (c->job) {
    case 'r':
        if (c->got < REQUEST_BYTES) {
            if (c->got == 1)
                begin(fd);
            return;
        }
        if (send(fd, block, REQUEST_BYTES, MSG_NOSIGNAL) < 0)
            perror("target: send");
        end(fd);
        return;
    case 'd':
        watch(fd, EPOLLOUT, EPOLL_CTL_MOD);
        pour(fd);
        return;
    case 'u':
        return;
    case 'h':
        if (send(fd, "h", 1, MSG_NOSIGNAL) < 0)
            end(fd);
        return;
    default: /* a health check or a stranger */
        end(fd);
    }
}

static void serve(int fd, uint32_t events)
{
    if (conns[fd].job == 'd' && (events & EPOLLOUT))
        pour(fd);
    else if (conns[fd].job == 'u')
        discard(fd);
    else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        begin(fd);
}

static int listen_local(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof sin;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof sin) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&sin, &len) != 0) {
        perror("target: listen");
        exit(3);
    }
    printf("%d\n", ntohs(sin.sin_port));
    fflush(stdout);
    return fd;
}

int main(void)
{
    struct rlimit lim;
    struct epoll_event evs[256];
    int listener;

    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    listener = listen_local();
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    watch(STDIN_FILENO, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        int n = epoll_wait(loop_fd, evs, 256, -1);

        for (int i = 0; i < n; i++) {
            if (evs[i].data.fd == STDIN_FILENO)
                return 0; /* whoever started it is gone */
            if (evs[i].data.fd == listener)
                accept_all(listener);
            else
                serve(evs[i].data.fd, evs[i].events);
        }
    }
}
