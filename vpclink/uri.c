/* SPDX-License-Identifier: Apache-2.0
 * The endpoint URI of an integration, taken apart. */
#include "vpclink/uri.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "certs/judge/hostname.h"
#include "core/cfg_key.h"

static void refuse_uri(struct gateway_uri *uri, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void refuse_uri(struct gateway_uri *uri, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(uri->fault, sizeof uri->fault, fmt, ap);
    va_end(ap);
}

static void take_port(struct gateway_uri *uri, const char *digits, size_t n)
{
    char text[8];
    uint64_t port;

    snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), digits);
    if (n >= sizeof text || cfg_parse_uint(text, 1, 65535, &port) != 0) {
        refuse_uri(uri, "the port is 1-65535, and '%.*s' is none", n > 40 ? 40 : (int)n, digits);
        return;
    }
    uri->port = (uint16_t)port;
    uri->port_given = true;
}

/* "host", "host:port", "[v6]:port". */
static void take_authority(struct gateway_uri *uri, const char *at, size_t n)
{
    const char *end = at + n, *host = at, *stop, *after;
    unsigned char address[sizeof(struct in6_addr)];

    if (n > 0 && at[0] == '[') {
        host = at + 1;
        stop = memchr(at, ']', n);
        after = stop == NULL ? end : stop + 1;
    } else {
        stop = memchr(at, ':', n);
        stop = stop == NULL ? end : stop;
        after = stop;
    }
    if (stop == NULL) {
        refuse_uri(uri, "an IPv6 address stands in [ ], and the ] is missing");
    } else if (stop == host) {
        refuse_uri(uri, "a host is missing");
    } else if ((size_t)(stop - host) >= sizeof uri->host) {
        refuse_uri(uri, "a host has at most %zu characters", sizeof uri->host - 1);
    } else {
        memcpy(uri->host, host, (size_t)(stop - host));
        uri->host[stop - host] = '\0';
        uri->is_v6 = inet_pton(AF_INET6, uri->host, address) == 1;
        uri->is_address = uri->is_v6 || inet_pton(AF_INET, uri->host, address) == 1;
        if (at[0] == '[' && !uri->is_v6)
            refuse_uri(uri, "'%.60s' in [ ] is no IPv6 address", uri->host);
        else if (after != end && after[0] != ':')
            refuse_uri(uri, "after the ] of an address stands :PORT or the path");
        else if (after != end)
            take_port(uri, after + 1, (size_t)(end - after - 1));
    }
}

int gateway_uri_parse(struct gateway_uri *uri, const char *text, struct err *err)
{
    const char *authority, *bad;
    size_t n;

    memset(uri, 0, sizeof *uri);
    uri->text = text;
    uri->tls = strncasecmp(text, "https://", 8) == 0;
    if (!uri->tls && strncasecmp(text, "http://", 7) != 0) {
        err_set(err, ERR_USAGE, "an endpoint is https://HOST[:PORT]/PATH or http://...");
        return -1;
    }
    authority = text + (uri->tls ? 8 : 7);
    n = strcspn(authority, "/?#");
    if (memchr(authority, '@', n) != NULL) {
        err_set(err, ERR_USAGE, "no user name or password in an endpoint");
        return -1;
    }
    uri->path = authority + n;
    uri->query = strchr(uri->path, '?');
    uri->query = uri->query == NULL ? NULL : uri->query + 1;
    uri->port = uri->tls ? 443 : 80;
    take_authority(uri, authority, n);
    bad = strpbrk(text, " \t\r\n\\^`{|}<>\"");
    if (bad != NULL && (*bad == ' ' || *bad == '\t'))
        refuse_uri(uri, "there is a blank in it");
    else if (bad != NULL)
        refuse_uri(uri, "there is a '%c' in it, which no URI may hold", *bad >= ' ' ? *bad : '?');
    uri->valid = uri->fault[0] == '\0';
    return 0;
}

const char *gateway_sni_refusal(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char name[GATEWAY_HOST_MAX];

    if (gateway_sni(host, name) != NULL)
        return NULL;
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return "it is an address";
    if (strchr(host, '.') == NULL || strchr(host, '.')[1] == '\0')
        return "it has no dot";
    return strchr(host, '_') != NULL ? "it has an underscore" : "it is no legal host name";
}

const char *gateway_sni(const char *host, char *out)
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t n;

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return NULL;
    if (hostname_to_ascii(host, false, out, GATEWAY_HOST_MAX) != NULL)
        return NULL;
    n = strlen(out);
    if (n > 0 && out[n - 1] == '.')
        out[--n] = '\0';
    if (strchr(out, '.') == NULL || hostname_sni_refusal(out) != NULL)
        return NULL;
    return out;
}
