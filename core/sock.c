/* SPDX-License-Identifier: Apache-2.0
 * Small things about sockets. */
#include "core/sock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
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
