/* SPDX-License-Identifier: Apache-2.0
 * Addresses in text as the JDK's IPAddressUtil reads them: "1.2" and "1" are IPv4 too. */
#include <string.h>

#include "certs/x509/parse_uri.h"

static bool ipv4(const char *s, size_t n, uint8_t out[4])
{
    uint64_t v = 0;
    unsigned at = 0;
    bool fresh = true;

    if (n == 0 || n > 15)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '.') {
            if (fresh || v > 255 || at == 3)
                return false;
            out[at++] = (uint8_t)v;
            v = 0;
            fresh = true;
        } else if (s[i] >= '0' && s[i] <= '9') {
            v = v * 10 + (uint64_t)(s[i] - '0');
            fresh = false;
        } else {
            return false;
        }
    }
    if (fresh || v >= (uint64_t)1 << (4 - at) * 8)
        return false;
    for (unsigned i = 3; i + 1 > at; i--, v >>= 8)
        out[i] = (uint8_t)v;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

/* The dotted tail of an IPv6 address: exactly three dots. */
static bool ipv4_tail(const char *s, size_t n, uint8_t out[4])
{
    unsigned dots = 0;

    for (size_t i = 0; i < n; i++)
        dots += s[i] == '.';
    return dots == 3 && ipv4(s, n, out);
}

/* Groups up to the end; `*gap` is where "::" stands (-1: nowhere). Returns octets, -1 when bad. */
static int ipv6_groups(const char *s, size_t n, uint8_t out[16], int *gap)
{
    unsigned v = 0, at = 0;
    bool digits = false;
    size_t i = 0, token = 0;

    *gap = -1;
    if (s[0] == ':' && s[++i] != ':')
        return -1;
    for (token = i; i < n;) {
        char c = s[i++];
        int d = hex_digit(c);

        if (d >= 0) {
            v = v << 4 | (unsigned)d;
            if (v > 0xffff)
                return -1;
            digits = true;
        } else if (c == ':') {
            token = i;
            if (!digits) {
                if (*gap != -1)
                    return -1;
                *gap = (int)at;
                continue;
            }
            if (i == n || at + 2 > 16)
                return -1;
            out[at++] = (uint8_t)(v >> 8);
            out[at++] = (uint8_t)v;
            digits = false;
            v = 0;
        } else if (c == '.' && at + 4 <= 16) {
            if (!ipv4_tail(s + token, n - token, out + at))
                return -1;
            return (int)at + 4;
        } else {
            return -1;
        }
    }
    if (digits) {
        if (at + 2 > 16)
            return -1;
        out[at++] = (uint8_t)(v >> 8);
        out[at++] = (uint8_t)v;
    }
    return (int)at;
}

static bool ipv6(const char *s, uint8_t out[16])
{
    const char *percent = strchr(s, '%');
    size_t n = percent != NULL ? (size_t)(percent - s) : strlen(s);
    int gap, at;

    if (strlen(s) < 2 || (percent != NULL && percent[1] == '\0'))
        return false;
    memset(out, 0, 16);
    at = ipv6_groups(s, n, out, &gap);
    if (at < 0)
        return false;
    if (gap != -1) {
        if (at == 16)
            return false;
        memmove(out + 16 - (at - gap), out + gap, (size_t)(at - gap));
        memset(out + gap, 0, (size_t)(16 - at));
        at = 16;
    }
    return at == 16;
}

size_t ip_from_text(const char *text, uint8_t out[16])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    if (ipv4(text, strlen(text), out))
        return 4;
    if (!ipv6(text, out))
        return 0;
    if (memcmp(out, mapped, 12) == 0) {
        memmove(out, out + 12, 4);
        return 4;
    }
    return 16;
}
