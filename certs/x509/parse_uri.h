/* SPDX-License-Identifier: Apache-2.0
 * URIs, DNS names and addresses as Java's classes accept them. */
#ifndef CERTS_X509_PARSE_URI_H
#define CERTS_X509_PARSE_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uri_parts {
    bool has_scheme;
    const char *host; /* borrowed; NULL when there is none (registry-based or opaque) */
    size_t host_len;
    size_t specific_len; /* without a scheme: octets of the scheme-specific part */
};
/* java.net.URI's grammar (RFC 2396 with its deviations); non-ASCII octets count as letters. */
bool uri_parse(const char *s, size_t n, struct uri_parts *out);

/* JDK 17.0.15's DNSName(String): labels of letters, digits and hyphens, none first. */
bool dns_name_strict(const char *s, size_t n);

/* IPv4 or IPv6 in text as the JDK's IPAddressUtil reads it: octets written (4 or 16), 0 when it is
 * none. A mapped IPv6 address becomes IPv4. */
size_t ip_from_text(const char *text, uint8_t out[16]);

#endif
