/* SPDX-License-Identifier: Apache-2.0
 * Text of certificates: string types to UTF-8, attributes of a name and their keywords. */
#include "certs/x509/parse_text.h"

#include <string.h>
#include <unistr.h>

/* Keyword of an attribute; `rfc2253`: also used in canonical form and RFC 2253 text.
 * source: JDK 17, sun.security.x509.AVAKeyword (of two keywords for one type the JDK prints the
 * later one) */
static const struct ava_keyword keywords[] = {
    /* clang-format off */
    { "2.5.4.3",  "CN", true },           { "2.5.4.6",  "C", true },
    { "2.5.4.7",  "L", true },            { "2.5.4.8",  "ST", true },
    { "2.5.4.10", "O", true },            { "2.5.4.11", "OU", true },
    { "2.5.4.12", "T", false },           { "2.5.4.9",  "STREET", true },
    { "2.5.4.46", "DNQ", false },         { "2.5.4.4",  "SURNAME", false },
    { "2.5.4.42", "GIVENNAME", false },   { "2.5.4.43", "INITIALS", false },
    { "2.5.4.44", "GENERATION", false },  { "2.5.4.5",  "SERIALNUMBER", false },
    { "0.9.2342.19200300.100.1.25", "DC", true },
    { "0.9.2342.19200300.100.1.1", "UID", true },
    { "1.2.840.113549.1.9.1", "EMAILADDRESS", false },
    { "1.3.6.1.4.1.42.2.11.2.1", "IP", false },
    /* clang-format on */
};

/* The text is full: without the beginning of a character whose rest found no room, and for good. */
static void close_text(struct text *t)
{
    size_t start = t->len;

    while (start > 0 && t->len - start < 3 && ((uint8_t)t->at[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (uint8_t)t->at[start - 1] >= 0xc0 &&
        u8_mblen((const uint8_t *)t->at + start - 1, t->len - start + 1) < 0)
        t->len = start - 1;
    t->size = t->len + 1;
}

void text_put(struct text *t, const char *s, size_t n)
{
    bool full = t->size > 0 && n > t->size - 1 - t->len;

    if (t->size == 0)
        return;
    if (full)
        n = t->size - 1 - t->len;
    memcpy(t->at + t->len, s, n);
    t->len += n;
    if (full)
        close_text(t);
    t->at[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

void text_hex(struct text *t, struct der_span b)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < b.len; i++) {
        char pair[2] = { hex[b.at[i] >> 4], hex[b.at[i] & 15] };

        text_put(t, pair, 2);
    }
}

void text_code_point(struct text *t, uint32_t c)
{
    char b[4];
    size_t n;

    if (c == 0 || c > 0x10ffff || /* a C string cannot hold U+0000 */
        (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        b[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        b[0] = (char)(0xc0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3f));
        n = 2;
    } else if (c < 0x10000) {
        b[0] = (char)(0xe0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3f));
        b[2] = (char)(0x80 | (c & 0x3f));
        n = 3;
    } else {
        b[0] = (char)(0xf0 | c >> 18);
        b[1] = (char)(0x80 | (c >> 12 & 0x3f));
        b[2] = (char)(0x80 | (c >> 6 & 0x3f));
        b[3] = (char)(0x80 | (c & 0x3f));
        n = 4;
    }
    text_put(t, b, n);
}

/* --- string types to UTF-8 --- */
static void put_utf8(struct text *t, struct der_span b)
{
    while (b.len > 0) {
        ucs4_t c;
        int n = u8_mbtoucr(&c, b.at, b.len);

        if (n <= 0) {
            c = 0xfffd;
            n = 1;
        }
        text_code_point(t, c);
        b.at += n;
        b.len -= (size_t)n;
    }
}

static void put_utf16(struct text *t, struct der_span b)
{
    while (b.len >= 2) {
        uint32_t c = (uint32_t)b.at[0] << 8 | b.at[1];

        if (c >= 0xd800 && c < 0xdc00 && b.len >= 4 && (b.at[2] & 0xfc) == 0xdc) {
            c = 0x10000 + ((c & 0x3ff) << 10) + (((uint32_t)b.at[2] & 3) << 8 | b.at[3]);
            b.at += 2;
            b.len -= 2;
        }
        text_code_point(t, c);
        b.at += 2;
        b.len -= 2;
    }
    if (b.len > 0)
        text_code_point(t, 0xfffd);
}

bool text_value(struct text *t, const struct der *v, bool latin1)
{
    switch (v->tag) {
    case DER_UTF8_STRING:
        put_utf8(t, v->body);
        return true;
    case DER_BMP_STRING:
        put_utf16(t, v->body);
        return true;
    case DER_UNIVERSAL_STRING:
        for (size_t i = 0; i + 4 <= v->body.len; i += 4)
            text_code_point(t, (uint32_t)v->body.at[i] << 24 | (uint32_t)v->body.at[i + 1] << 16 |
                                   (uint32_t)v->body.at[i + 2] << 8 | v->body.at[i + 3]);
        return true;
    case DER_T61_STRING:
        latin1 = true;
        break;
    case DER_PRINTABLE_STRING:
    case DER_IA5_STRING:
    case DER_GENERAL_STRING:
        break;
    default:
        return false;
    }
    for (size_t i = 0; i < v->body.len; i++) {
        uint8_t c = v->body.at[i];

        text_code_point(t, c < 0x80 || latin1 ? c : 0xfffd);
    }
    return true;
}

bool text_of_value(const struct der *value, char *out, size_t size)
{
    struct text t = { out, 0, size };

    out[0] = '\0';
    return text_value(&t, value, false);
}

/* --- walking a Name --- */
const char *ava_read(const struct der *seq, struct ava *out)
{
    struct der_span rest = seq->body;
    struct der oid;
    const char *why;

    if (seq->tag != DER_SEQUENCE)
        return "java.io.IOException: AVA not a sequence";
    why = der_next(&rest, &oid);
    if (why == NULL && oid.tag != DER_OID)
        why = "java.io.IOException: DerValue.getOID, not an OID";
    if (why == NULL)
        why = der_oid_check(oid.body);
    if (why == NULL)
        why = der_next(&rest, &out->value);
    if (why != NULL)
        return why;
    if (rest.len != 0)
        return "java.io.IOException: AVA, extra bytes";
    out->oid = oid.body;
    return NULL;
}

const struct ava_keyword *ava_keyword_of(struct der_span oid)
{
    char dotted[DER_OID_TEXT_MAX];

    der_oid_text(oid, dotted, sizeof dotted);
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (strcmp(keywords[i].oid, dotted) == 0)
            return &keywords[i];
    }
    return NULL;
}
