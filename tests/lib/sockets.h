/* SPDX-License-Identifier: Apache-2.0
 * Loopback sockets for tests. */
#ifndef TESTS_LIB_SOCKETS_H
#define TESTS_LIB_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

/* A listening socket on 127.0.0.1, its address in `*at`. */
int sock_listen(struct addr *at);
/* A connected, non-blocking pair of TCP sockets (TCP_NODELAY). `buffer` > 0: about that many bytes
 * fit into each direction. */
void sock_pair(int fd[2], int buffer);
/* Wait up to two seconds for what poll(2) calls `events`; false when it does not come. */
bool sock_wait(int fd, short events);
/* Send all of it, waiting for room. */
void sock_send(int fd, const void *data, size_t n);
/* Receive exactly `n` bytes; fails the test when the end or an error comes first. */
void sock_recv(int fd, void *buf, size_t n);
/* What comes next: 0 end, the errno of a failure, -1 bytes, -2 nothing within two seconds. */
int sock_ending(int fd);
/* Close with RST. */
void sock_reset(int fd);

#endif
