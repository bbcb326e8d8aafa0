/* SPDX-License-Identifier: Apache-2.0
 * Socket addresses: numeric text to sockaddr and back. No name is ever looked up here. */
#ifndef CORE_ADDR_H
#define CORE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/err.h"

/* An IPv4 or IPv6 address with port; `len` is what connect(2) and bind(2) want. len 0: none. */
struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } u;
    socklen_t len;
};

/* Room for "[ffff:…:255.255.255.255]:65535" and the terminator. */
#define ADDR_TEXT_MAX 64

/* Parse "127.0.0.1:8443", "[::1]:0". Returns 0; -1 with the reason in `err`. */
int addr_parse(struct addr *a, const char *text, struct err *err);
/* "127.0.0.1:8443" or "[::1]:8443" into `out` (ADDR_TEXT_MAX); returns `out`; "-" for none. */
const char *addr_format(const struct addr *a, char *out);
/* The address without the port and without brackets. */
const char *addr_format_host(const struct addr *a, char *out);
uint16_t addr_port(const struct addr *a); /* host order */
void addr_set_port(struct addr *a, uint16_t port);
bool addr_same_host(const struct addr *a, const struct addr *b); /* whatever the ports */
bool addr_is_loopback(const struct addr *a); /* of this machine alone: 127.0.0.0/8, ::1 */
bool addr_equal(const struct addr *a, const struct addr *b);
/* Local and peer address of a socket; `len` 0 on failure. */
struct addr addr_local(int fd);
struct addr addr_peer(int fd);

#endif
