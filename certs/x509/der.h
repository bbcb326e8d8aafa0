/* SPDX-License-Identifier: Apache-2.0
 * DER elements: tag, length, content. The reader is as strict as the JDK's DerInputStream and
 * DerValue, and no stricter; what the JDK words as an error it words alike. */
#ifndef CERTS_X509_DER_H
#define CERTS_X509_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; the owner is whoever owns the certificate. */
struct der_span {
    const uint8_t *at;
    size_t len;
};

/* One element. `all` is tag, length and content; `body` the content alone. */
struct der {
    uint8_t tag;
    struct der_span all;
    struct der_span body;
};

/* Universal tags; the constructed bit is part of the number where DER asks for it. */
enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_T61_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_GENERAL_STRING = 0x1b,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

/* Room for a dotted object identifier as text. */
#define DER_OID_TEXT_MAX 256

static inline struct der_span der_span_of(const void *at, size_t len)
{
    return (struct der_span){ .at = at, .len = len };
}

bool der_span_eq(struct der_span a, struct der_span b);

/* Take the next element off `*rest`. Returns NULL; on failure the JDK's reason (a constant
 * string, "class: message" of the Java exception), and `*rest` is then of no further use. */
const char *der_next(struct der_span *rest, struct der *out);

/* The same by DER alone: shortest lengths only, no indefinite ones (the JDK reads ECDSA signatures
 * so). */
const char *der_next_strict(struct der_span *rest, struct der *out);

/* Tag and shortest length of an element; returns how many octets that is. */
#define DER_HEAD_MAX 6
size_t der_head(uint8_t tag, size_t len, uint8_t out[DER_HEAD_MAX]);

/* The content of a BOOLEAN, an INTEGER that fits 32 bits, a BIT STRING (`*unused` bits at its end).
 * NULL, or the JDK's reason. An INTEGER's or BIT STRING's tag is the caller's to check. */
const char *der_boolean(const struct der *d, bool *out);
const char *der_int32(const struct der *d, int32_t *out);
const char *der_bits(const struct der *d, struct der_span *octets, unsigned *unused);
/* UTCTime or GeneralizedTime as the JDK reads them (no seconds, offsets and fractions allowed):
 * seconds since 1970, rounded up for a fraction when `round_up`. */
const char *der_time(const struct der *d, bool round_up, int64_t *out_s);
/* Is the content an object identifier that the JDK accepts? NULL, or its reason. */
const char *der_oid_check(struct der_span body);

/* Context tag `n` (0-30), whether constructed or not. */
bool der_is_context(const struct der *d, unsigned n);
bool der_is_constructed(const struct der *d);

/* "1.2.840.113549.1.1.11" of the content of an object identifier; "" when it is malformed or
 * longer than `size`. Returns `out`. */
const char *der_oid_text(struct der_span body, char *out, size_t size);
/* Does the content of an object identifier spell this dotted text? */
bool der_oid_is(struct der_span body, const char *dotted);

/* The next element, which has to be an OBJECT IDENTIFIER: its content to `out`. NULL, or the JDK's
 * reason. */
const char *der_next_oid(struct der_span *rest, struct der_span *out);

#endif
