/* SPDX-License-Identifier: Apache-2.0
 * The endpoint URI of an integration, taken apart. */
#include "vpclink/uri.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "certs/judge/hostname.h"
#include "core/cfg_key.h"

static int take_port(struct gateway_uri *uri, const char *digits, size_t n)
{
    char text[8];
    uint64_t port;

    if (n == 0 || n >= sizeof text)
        return -1;
    memcpy(text, digits, n);
    text[n] = '\0';
    if (cfg_parse_uint(text, 1, 65535, &port) != 0)
        return -1;
    uri->port = (uint16_t)port;
    uri->port_given = true;
    return 0;
}

/* "host", "host:port", "[v6]:port"; -1 when it is none of these. */
static int take_authority(struct gateway_uri *uri, const char *at, size_t n)
{
    const char *end = at + n, *host = at, *stop, *after;
    unsigned char address[sizeof(struct in6_addr)];

    if (n > 0 && at[0] == '[') {
        host = at + 1;
        stop = memchr(at, ']', n);
        if (stop == NULL)
            return -1;
        after = stop + 1;
    } else {
        stop = memchr(at, ':', n);
        stop = stop == NULL ? end : stop;
        after = stop;
    }
    if (stop == host || (size_t)(stop - host) >= sizeof uri->host)
        return -1;
    memcpy(uri->host, host, (size_t)(stop - host));
    uri->host[stop - host] = '\0';
    uri->is_v6 = inet_pton(AF_INET6, uri->host, address) == 1;
    uri->is_address = uri->is_v6 || inet_pton(AF_INET, uri->host, address) == 1;
    if (uri->is_v6 != (at[0] == '['))
        return -1;
    if (after == end)
        return 0;
    return after[0] == ':' ? take_port(uri, after + 1, (size_t)(end - after - 1)) : -1;
}

int gateway_uri_parse(struct gateway_uri *uri, const char *text, struct err *err)
{
    const char *authority;
    size_t n;

    memset(uri, 0, sizeof *uri);
    uri->text = text;
    uri->tls = strncasecmp(text, "https://", 8) == 0;
    if (!uri->tls && strncasecmp(text, "http://", 7) != 0) {
        err_set(err, ERR_USAGE, "'%s': an endpoint is https://HOST[:PORT]/PATH or http://...",
                text);
        return -1;
    }
    authority = text + (uri->tls ? 8 : 7);
    n = strcspn(authority, "/?#");
    if (memchr(authority, '@', n) != NULL) {
        err_set(err, ERR_USAGE, "'%s': no user name or password in an endpoint", text);
        return -1;
    }
    uri->path = authority + n;
    uri->query = strchr(uri->path, '?');
    uri->query = uri->query == NULL ? NULL : uri->query + 1;
    uri->port = uri->tls ? 443 : 80;
    uri->valid =
        strpbrk(text, " \t\r\n\\^`{|}<>\"") == NULL && take_authority(uri, authority, n) == 0;
    return 0;
}

const char *gateway_sni(const char *host, char *out)
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t n;

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return NULL;
    if (!hostname_to_ascii(host, out, GATEWAY_HOST_MAX))
        return NULL;
    n = strlen(out);
    if (n > 0 && out[n - 1] == '.')
        out[--n] = '\0';
    if (strchr(out, '.') == NULL || hostname_sni_refusal(out) != NULL)
        return NULL;
    return out;
}
