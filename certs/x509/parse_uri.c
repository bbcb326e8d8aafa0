/* SPDX-License-Identifier: Apache-2.0
 * URIs and addresses in general names, accepted and refused as Java's own classes do: one URI that
 * java.net.URI does not like makes the JDK ignore a whole subjectAltName. */
#include <string.h>

#include "certs/x509/parse_uri.h"

#define ALPHA    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT    "0123456789"
#define UNRESERV ALPHA DIGIT "_-!.~'()*"
#define RESERVED ";/?:@&=+$,[]"
#define PCHAR    UNRESERV ":@&=+$,"

/* First position from `p` that is in `stop`, else `n`. */
static size_t scan_to(const char *s, size_t p, size_t n, const char *stop)
{
    while (p < n && strchr(stop, s[p]) == NULL)
        p++;
    return p;
}

/* Position of the first character that is not in `set` (nor, with `escapes`, %XX or non-ASCII). */
static size_t scan_set(const char *s, size_t p, size_t n, const char *set, bool escapes)
{
    while (p < n) {
        if (s[p] != '\0' && strchr(set, s[p]) != NULL)
            p++;
        else if (escapes && (unsigned char)s[p] >= 0x80)
            p++;
        else if (escapes && s[p] == '%' && n - p >= 3 &&
                 strspn(s + p + 1, "0123456789abcdefABCDEF") >= 2)
            p += 3;
        else
            break;
    }
    return p;
}

static bool all_in(const char *s, size_t p, size_t n, const char *set, bool escapes)
{
    return scan_set(s, p, n, set, escapes) == n;
}

/* domain labels, the last of which begins with a letter; returns where it ends, `p` when none. */
static size_t hostname_end(const char *s, size_t p, size_t n)
{
    size_t start = p, label = p;

    for (;;) {
        size_t q = scan_set(s, p, n, ALPHA DIGIT, false);

        if (q <= p)
            break;
        label = p;
        p = q;
        q = scan_set(s, p, n, ALPHA DIGIT "-", false);
        if (q > p) {
            if (s[q - 1] == '-')
                return start;
            p = q;
        }
        if (p >= n || s[p] != '.')
            break;
        p++;
        if (p >= n)
            break;
    }
    if (p < n && s[p] != ':')
        return start;
    if (p == start)
        return start;
    if (label > start && strchr(ALPHA, s[label]) == NULL)
        return start;
    return p;
}

static size_t ipv4_end(const char *s, size_t p, size_t n)
{
    size_t start = p;

    for (int i = 0; i < 4; i++) {
        size_t q = scan_set(s, p, n, DIGIT, false);
        unsigned v = 0;

        if (q <= p || q - p > 3)
            return start;
        for (; p < q; p++)
            v = v * 10 + (unsigned)(s[p] - '0');
        if (v > 255 || (i < 3 && (p >= n || s[p] != '.')))
            return start;
        if (i < 3)
            p++;
    }
    return p < n && s[p] != ':' ? start : p;
}

/* [userinfo@]host[:port]; false when it is not of that form. */
static bool parse_server(const char *s, size_t p, size_t n, struct uri_parts *out)
{
    size_t at = scan_to(s, p, n, "/?#@"), q;

    if (at < n && s[at] == '@') {
        if (!all_in(s, p, at, UNRESERV ";:&=+$,", true))
            return false;
        p = at + 1;
    }
    if (p < n && s[p] == '[') {
        q = scan_to(s, p, n, "/?#]");
        if (q >= n || s[q] != ']' || q == p + 1)
            return false;
        q++;
    } else {
        q = ipv4_end(s, p, n);
        if (q == p)
            q = hostname_end(s, p, n);
        if (q == p)
            return false;
    }
    out->host = s + p;
    out->host_len = q - p;
    p = q;
    if (p < n && s[p] == ':')
        p = scan_set(s, p + 1, n, DIGIT, false);
    return p == n;
}

static bool parse_authority(const char *s, size_t p, size_t n, struct uri_parts *out)
{
    bool ipv6 = scan_to(s, p, n, "]") < n;
    bool server = all_in(s, p, n, ipv6 ? UNRESERV ";:@&=+$,[]%" : UNRESERV ";:@&=+$,[]", true);
    bool registry = all_in(s, p, n, UNRESERV "$,;:@&=+", true);

    if (server && parse_server(s, p, n, out))
        return true;
    out->host = NULL;
    out->host_len = 0;
    return registry;
}

static bool parse_hierarchical(const char *s, size_t p, size_t n, struct uri_parts *out,
                               size_t *end)
{
    size_t q;

    if (n - p >= 2 && s[p] == '/' && s[p + 1] == '/') {
        p += 2;
        q = scan_to(s, p, n, "/?#");
        if (q > p ? !parse_authority(s, p, q, out) : q >= n)
            return false;
        p = q;
    }
    q = scan_to(s, p, n, "?#");
    if (!all_in(s, p, q, PCHAR ";/", true))
        return false;
    p = q;
    if (p < n && s[p] == '?') {
        q = scan_to(s, p + 1, n, "#");
        if (!all_in(s, p + 1, q, UNRESERV RESERVED, true))
            return false;
        p = q;
    }
    *end = p;
    return true;
}

bool uri_parse(const char *s, size_t n, struct uri_parts *out)
{
    size_t p = scan_to(s, 0, n, "/?#:");

    memset(out, 0, sizeof *out);
    if (memchr(s, '\0', n) != NULL)
        return false;
    if (p < n && s[p] == ':') {
        if (p == 0 || strchr(ALPHA, s[0]) == NULL || !all_in(s, 1, p, ALPHA DIGIT "+-.", false))
            return false;
        out->has_scheme = true;
        p++;
        if (p < n && s[p] == '/') {
            if (!parse_hierarchical(s, p, n, out, &p))
                return false;
        } else {
            size_t q = scan_to(s, p, n, "#");

            if (q <= p || !all_in(s, p, q, UNRESERV RESERVED, true))
                return false;
            p = q;
        }
    } else if (!parse_hierarchical(s, 0, n, out, &p)) {
        return false;
    }
    out->specific_len = p;
    if (p < n && s[p] == '#') {
        if (!all_in(s, p + 1, n, UNRESERV RESERVED, true))
            return false;
        p = n;
    }
    return p == n;
}

bool dns_name_strict(const char *s, size_t n)
{
    if (n == 0 || s[0] == '.' || s[n - 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || s[i - 1] == '.';

        if (s[i] == '.'
                ? first
                : s[i] == '\0' || strchr(first ? ALPHA DIGIT : ALPHA DIGIT "-", s[i]) == NULL)
            return false;
    }
    return true;
}
