/* SPDX-License-Identifier: Apache-2.0
 * Text of certificates: string types to UTF-8, attributes of a name and their keywords. */
#ifndef CERTS_X509_PARSE_TEXT_H
#define CERTS_X509_PARSE_TEXT_H

#include "certs/x509/der.h"

/* Text that is being written into a buffer; always terminated, cut at `size`. */
struct text {
    char *at;
    size_t len, size;
};
void text_put(struct text *t, const char *s, size_t n);
void text_puts(struct text *t, const char *s);
void text_hex(struct text *t, struct der_span b);
/* One character as UTF-8. U+0000 and what is no character become U+FFFD. */
void text_code_point(struct text *t, uint32_t c);
/* An attribute value as DerValue.getAsString reads it; `latin1`: octets over 127 of the ASCII types
 * are Latin-1, not unknown. False for a tag that is no string. */
bool text_value(struct text *t, const struct der *v, bool latin1);
/* Decode an attribute value to UTF-8 as DerValue.getAsString does. False for another tag. */
bool text_of_value(const struct der *value, char *out, size_t size);

/* One attribute of a relative name. */
struct ava {
    struct der_span oid;
    struct der value;
};
/* NULL, or the JDK's reason. */
const char *ava_read(const struct der *seq, struct ava *out);

/* `rfc2253`: the keyword is also used in canonical form and in RFC 2253 text. */
struct ava_keyword {
    const char *oid, *word;
    bool rfc2253;
};
const struct ava_keyword *ava_keyword_of(struct der_span oid); /* NULL when it has none */

#endif
