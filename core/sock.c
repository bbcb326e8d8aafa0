/* SPDX-License-Identifier: Apache-2.0
 * Small things about sockets. */
#include "core/sock.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

bool sock_out_of_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void sock_reset_on_close(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
}

void sock_close_reset(int fd)
{
    sock_reset_on_close(fd);
    close(fd);
}

socklen_t sock_abstract(struct sockaddr_un *un, const char *what, const char *address)
{
    int n;

    *un = (struct sockaddr_un){ .sun_family = AF_UNIX };
    n = snprintf(un->sun_path + 1, sizeof un->sun_path - 1, "nlbsim-%s-%s", what, address);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

ssize_t sock_send_fd(int to, const void *data, size_t n, int fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = n };
    struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
    struct cmsghdr *c = &control.align;

    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(to, &m, MSG_NOSIGNAL);
}

ssize_t sock_recv_fd(int from, void *buf, size_t size, int *fd)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))]; /* the kernel closes what does not fit */
    } control;
    struct iovec part = { .iov_base = buf, .iov_len = size };
    struct msghdr m = { .msg_iov = &part,
                        .msg_iovlen = 1,
                        .msg_control = control.room,
                        .msg_controllen = sizeof control.room };
    ssize_t n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof *fd)) {
        if (*fd >= 0)
            close(*fd);
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    }
    return n;
}
