/* SPDX-License-Identifier: Apache-2.0
 * Socket addresses: numeric text to sockaddr and back. */
#include "core/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text, uint16_t *port)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < 0 || n > 65535)
        return -1;
    *port = (uint16_t)n;
    return 0;
}

int addr_parse(struct addr *a, const char *text, struct err *err)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    const char *start = text;
    size_t n;
    uint16_t port;

    memset(a, 0, sizeof *a);
    if (colon == NULL || parse_port(colon + 1, &port) != 0) {
        err_set(err, ERR_CONFIG, "'%s' has no port (write ADDRESS:PORT, port 0-65535)", text);
        return -1;
    }
    n = (size_t)(colon - text);
    if (text[0] == '[') {
        if (n < 2 || text[n - 1] != ']')
            goto bad;
        start = text + 1;
        n -= 2;
    }
    if (n >= sizeof host)
        goto bad;
    memcpy(host, start, n);
    host[n] = '\0';
    if (text[0] != '[' && inet_pton(AF_INET, host, &a->u.in4.sin_addr) == 1) {
        a->u.in4.sin_family = AF_INET;
        a->u.in4.sin_port = htons(port);
        a->len = sizeof a->u.in4;
        return 0;
    }
    if (text[0] == '[' && inet_pton(AF_INET6, host, &a->u.in6.sin6_addr) == 1) {
        a->u.in6.sin6_family = AF_INET6;
        a->u.in6.sin6_port = htons(port);
        a->len = sizeof a->u.in6;
        return 0;
    }
bad:
    err_set(err, ERR_CONFIG,
            "'%s' is not an IP address with port (127.0.0.1:8443 or [::1]:8443; names are not "
            "looked up)",
            text);
    return -1;
}

const char *addr_format_host(const struct addr *a, char *out)
{
    const void *ip = a->u.sa.sa_family == AF_INET6 ? (const void *)&a->u.in6.sin6_addr
                                                   : (const void *)&a->u.in4.sin_addr;

    if (a->len == 0 || inet_ntop(a->u.sa.sa_family, ip, out, ADDR_TEXT_MAX) == NULL)
        snprintf(out, ADDR_TEXT_MAX, "-");
    return out;
}

const char *addr_format(const struct addr *a, char *out)
{
    char host[ADDR_TEXT_MAX];

    if (a->len == 0) {
        snprintf(out, ADDR_TEXT_MAX, "-");
        return out;
    }
    addr_format_host(a, host);
    snprintf(out, ADDR_TEXT_MAX, a->u.sa.sa_family == AF_INET6 ? "[%.46s]:%u" : "%.46s:%u", host,
             addr_port(a));
    return out;
}

uint16_t addr_port(const struct addr *a)
{
    return ntohs(a->u.sa.sa_family == AF_INET6 ? a->u.in6.sin6_port : a->u.in4.sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->u.sa.sa_family == AF_INET6)
        a->u.in6.sin6_port = htons(port);
    else
        a->u.in4.sin_port = htons(port);
}

bool addr_is_loopback(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
    return a->u.sa.sa_family == AF_INET && ntohl(a->u.in4.sin_addr.s_addr) >> 24 == 127;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_port(a) == addr_port(b) && addr_same_host(a, b);
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
    if (a->len != b->len || a->u.sa.sa_family != b->u.sa.sa_family)
        return false;
    if (a->u.sa.sa_family == AF_INET6)
        return memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, sizeof a->u.in6.sin6_addr) == 0;
    return a->u.in4.sin_addr.s_addr == b->u.in4.sin_addr.s_addr;
}

struct addr addr_local(int fd)
{
    struct addr a = { .len = sizeof a.u };

    if (getsockname(fd, &a.u.sa, &a.len) != 0)
        a.len = 0;
    return a;
}

struct addr addr_peer(int fd)
{
    struct addr a = { .len = sizeof a.u };

    if (getpeername(fd, &a.u.sa, &a.len) != 0)
        a.len = 0;
    return a;
}
