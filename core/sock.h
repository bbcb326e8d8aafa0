/* SPDX-License-Identifier: Apache-2.0
 * Small things about sockets. */
#ifndef CORE_SOCK_H
#define CORE_SOCK_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Did accept(2) fail for want of descriptors or memory? Then the connection is still there, and the
 * socket stays readable: look again a little later. */
bool sock_out_of_resources(int error);

/* The peer shall see RST instead of FIN when `fd` is closed. */
void sock_reset_on_close(int fd);
/* Close with RST. */
void sock_close_reset(int fd);

/* The abstract name (first byte zero: gone with the process, no file to clean up) by which
 * processes of this program know an address: "nlbsim-WHAT-ADDRESS". Returns the length for bind and
 * connect. */
socklen_t sock_abstract(struct sockaddr_un *un, const char *what, const char *address);

/* Send `n` bytes over a local socket, and a descriptor (-1: none) with them. As send(2). */
ssize_t sock_send_fd(int to, const void *data, size_t n, int fd);
/* Receive bytes, as recv(2), and the descriptor that came with them: `*fd` is set when one did, the
 * caller's then; others that come are closed. */
ssize_t sock_recv_fd(int from, void *buf, size_t size, int *fd);

#endif
