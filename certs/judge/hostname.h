/* SPDX-License-Identifier: Apache-2.0
 * Host names: pieces that both ways of checking them share, and that tests look at. */
#ifndef CERTS_JUDGE_HOSTNAME_H
#define CERTS_JUDGE_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>

/* Does the JDK's HTTPS checker accept `name` (a host, no address) for the certificate's `pattern`?
 * `public_authority`: the chain ends at an authority that the JDK ships; then "*.com" is refused.
 * `*no_memory` is set when that was why not. */
bool hostname_jdk_matches(const char *name, const char *pattern, bool public_authority,
                          bool *no_memory);

/* Does Apache HttpClient 4.5's DefaultHostnameVerifier? `psl`: look at the public suffix list. */
bool hostname_apache_matches(const char *name, const char *pattern, bool psl);

/* Why javax.net.ssl.SNIHostName refuses a name: NULL when it does not. This and the two below may
 * also answer `hostname_no_memory`, that very pointer. */
const char *hostname_sni_refusal(const char *name);
extern const char hostname_no_memory[];

/* java.net.IDN: labels to their "xn--" form (`ldh`: letters, digits and hyphens only) and back to
 * Unicode, where one that cannot be converted stays. NULL, or why not. */
const char *hostname_to_ascii(const char *name, bool ldh, char *out, size_t size);
const char *hostname_to_unicode(const char *name, char *out, size_t size);

#endif
