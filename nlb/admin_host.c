/* SPDX-License-Identifier: Apache-2.0
 * Under which Host the read-only pages answer. */
#include "nlb/admin_host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "core/http.h"

#define NAME_MAX_BYTES 253 /* of a host name: RFC 1035, 2.3.4 */

bool admin_host_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_.";
    size_t n = strlen(name);

    return n > 0 && n <= NAME_MAX_BYTES && strspn(name, allowed) == n && name[0] != '.';
}

/* "NAME", "NAME:PORT", "NAME." */
static bool is_named(const char *host, const char *name)
{
    size_t n = strlen(name);

    if (strncasecmp(host, name, n) != 0)
        return false;
    host += n;
    host += *host == '.';
    return *host == '\0' || (*host == ':' && strspn(host + 1, "0123456789") == strlen(host + 1));
}

static bool is_address(const char *host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    bool brackets = host[0] == '[';
    size_t n = strcspn(host + brackets, brackets ? "]" : ":");

    if (n >= sizeof text || (brackets && host[1 + n] != ']'))
        return false;
    memcpy(text, host + brackets, n);
    text[n] = '\0';
    return inet_pton(brackets ? AF_INET6 : AF_INET, text, &address) == 1;
}

bool admin_host_served(const struct http_message *m, const char *const *names, size_t n)
{
    const char *host = NULL;
    bool served;

    for (size_t i = 0; i < m->n_headers; i++) {
        if (strcasecmp(m->headers[i].name, "Host") != 0)
            continue;
        if (host != NULL)
            return false;
        host = m->headers[i].value;
    }
    served = host == NULL || is_address(host) || is_named(host, "localhost");
    for (size_t i = 0; i < n && !served; i++)
        served = is_named(host, names[i]);
    return served;
}
