/* SPDX-License-Identifier: Apache-2.0
 * HOST:PORT on a command line, taken apart. */
#include "cli/endpoint.h"

#include <stdlib.h>
#include <string.h>

static bool is_port(const char *text)
{
    size_t n = strlen(text);
    long port;

    if (n == 0 || n > 5 || strspn(text, "0123456789") != n)
        return false;
    port = strtol(text, NULL, 10);
    return port >= 1 && port <= 65535;
}

bool endpoint_split(const char *text, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;

    if (n == 0 || !is_port(colon + 1))
        return false;
    if (text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    } else if (memchr(text, ':', n) != NULL) {
        return false; /* an IPv6 address wants its brackets */
    }
    if (n == 0 || n >= size)
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    *port = colon + 1;
    return true;
}

int endpoint_take(void *options, const struct command_option *option, const char *value)
{
    const char *port;
    char host[256];

    if (!endpoint_split(value, host, sizeof host, &port))
        return command_refuse(options, option->name, value, "HOST:PORT, the port from 1 to 65535");
    memcpy((char *)options + option->offset, &value, sizeof value);
    return -1;
}
