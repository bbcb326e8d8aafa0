/* SPDX-License-Identifier: Apache-2.0
 * DER elements as the JDK reads them: tag, length, content, and the basic types. */
#include "certs/x509/der.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"

bool der_span_eq(struct der_span a, struct der_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static const char *read_length(const uint8_t *p, size_t left, bool strict, size_t *head,
                               uint32_t *length)
{
    unsigned n = p[1] & 0x7fu;

    *head = 2;
    *length = n;
    if ((p[1] & 0x80u) == 0)
        return NULL;
    if (n > 4)
        return "java.io.IOException: Invalid lenByte";
    if (left < 2 + (size_t)n)
        return "java.io.IOException: Not enough length bytes";
    *length = 0;
    for (unsigned i = 0; i < n; i++)
        *length = *length << 8 | p[2 + i];
    if (strict && p[2] == 0)
        return "java.io.IOException: Redundant length bytes found";
    if (*length > INT32_MAX)
        return "java.io.IOException: Invalid length bytes";
    if (strict && *length <= 127)
        return "java.io.IOException: Should use short form for length";
    *head = 2 + n;
    return NULL;
}

static const char *next(struct der_span *rest, struct der *out, bool strict)
{
    const uint8_t *p = rest->at;
    const char *why;
    uint32_t length;
    size_t head;

    memset(out, 0, sizeof *out);
    if (rest->len < 2)
        return "java.io.IOException: Too short";
    if ((p[0] & 0x1f) == 0x1f)
        return "java.io.IOException: Tag number over 30 is not supported";
    if (p[1] == 0x80) {
        if (strict || (p[0] & 0x20) == 0)
            return "java.io.IOException: Indefinite length encoding not supported";
        return "java.io.IOException: not enough data to resolve indef len BER";
    }
    why = read_length(p, rest->len, strict, &head, &length);
    if (why != NULL)
        return why;
    if (rest->len - head < length)
        return "java.io.EOFException: not enough content";
    out->tag = p[0];
    out->all = der_span_of(p, head + length);
    out->body = der_span_of(p + head, length);
    rest->at += out->all.len;
    rest->len -= out->all.len;
    return NULL;
}

const char *der_next(struct der_span *rest, struct der *out)
{
    return next(rest, out, false);
}

const char *der_next_strict(struct der_span *rest, struct der *out)
{
    return next(rest, out, true);
}

size_t der_head(uint8_t tag, size_t len, uint8_t out[DER_HEAD_MAX])
{
    unsigned n = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : len > 0x7f ? 1 : 0;

    out[0] = tag;
    out[1] = (uint8_t)(n == 0 ? len : 0x80 | n);
    for (unsigned i = 0; i < n; i++)
        out[2 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
    return 2 + n;
}

bool der_is_context(const struct der *d, unsigned n)
{
    return (d->tag & 0xc0) == 0x80 && (d->tag & 0x1fu) == n;
}

bool der_is_constructed(const struct der *d)
{
    return (d->tag & 0x20) != 0;
}

const char *der_boolean(const struct der *d, bool *out)
{
    if (d->tag != DER_BOOLEAN)
        return "java.io.IOException: DerValue.getBoolean, not a BOOLEAN";
    if (d->body.len != 1)
        return "java.io.IOException: DerValue.getBoolean, invalid length";
    *out = d->body.at[0] != 0;
    return NULL;
}

const char *der_int32(const struct der *d, int32_t *out)
{
    int64_t v;

    if (d->body.len == 0)
        return "java.io.IOException: Invalid encoding: zero length Int value";
    v = (d->body.at[0] & 0x80) != 0 ? -1 : 0;
    for (size_t i = 0; i < d->body.len; i++) {
        v = (int64_t)((uint64_t)v << 8 | d->body.at[i]);
        if (v < INT32_MIN)
            return "java.io.IOException: Integer below minimum valid value";
        if (v > INT32_MAX)
            return "java.io.IOException: Integer exceeds maximum valid value";
    }
    *out = (int32_t)v;
    return NULL;
}

const char *der_bits(const struct der *d, struct der_span *octets, unsigned *unused)
{
    if (d->body.len == 0)
        return "java.io.IOException: Invalid encoding: zero length bit string";
    *unused = d->body.at[0];
    if (*unused > 7)
        return "java.io.IOException: Invalid number of padding bits";
    if (d->body.len == 1 && *unused != 0)
        return "java.io.IOException: Not enough bytes in BitString";
    *octets = der_span_of(d->body.at + 1, d->body.len - 1);
    return NULL;
}

/* --- times --- */
struct digits {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static int digit(struct digits *d)
{
    if (d->left == 0 || *d->at < '0' || *d->at > '9') {
        d->bad = true;
        return 0;
    }
    d->left--;
    return *d->at++ - '0';
}

static int two(struct digits *d)
{
    int tens = digit(d);

    return tens * 10 + digit(d);
}

/* ".123": true when a digit of it is not zero; the JDK keeps milliseconds. */
static const char *fraction(struct digits *d, bool *any)
{
    int n = 0;

    d->at++;
    d->left--;
    while (d->left > 0 && *d->at != 'Z' && *d->at != '+' && *d->at != '-') {
        int v = digit(d);

        if (d->bad)
            return "java.io.IOException: Parse Generalized time, invalid format";
        if (n++ < 3 && v != 0)
            *any = true;
    }
    if (n == 0)
        return "java.io.IOException: Parse Generalized time, empty fractional part";
    if (d->left == 0)
        return "java.io.IOException: Parse Generalized time, invalid fractional part";
    return NULL;
}

static const char *zone(struct digits *d, int64_t *offset_s)
{
    int sign = *d->at == '+' ? 1 : -1;
    int hour, minute;

    *offset_s = 0;
    if (*d->at == 'Z')
        return d->left == 1 ? NULL : "java.io.IOException: Parse UTC time, invalid format";
    if (*d->at != '+' && *d->at != '-')
        return "java.io.IOException: Parse UTC time, garbage offset";
    if (d->left != 5)
        return "java.io.IOException: Parse UTC time, invalid offset";
    d->at++;
    d->left--;
    hour = two(d);
    minute = two(d);
    if (d->bad || hour >= 24 || minute >= 60)
        return "java.io.IOException: Parse UTC time, +hhmm";
    *offset_s = sign * (hour * 60 + minute) * 60;
    return NULL;
}

const char *der_time(const struct der *d, bool round_up, int64_t *out_s)
{
    struct digits t = { d->body.at, d->body.len, false };
    bool general = d->tag == DER_GENERALIZED_TIME, any = false;
    int year, month, day, hour, minute, second = 0;
    const char *why = NULL;
    int64_t offset;

    if (general ? t.left < 13 : t.left < 11 || t.left > 17)
        return general ? "java.io.IOException: DER Generalized Time length error"
                       : "java.io.IOException: DER UTC Time length error";
    year = two(&t);
    year = general ? year * 100 + two(&t) : year + (year < 50 ? 2000 : 1900);
    month = two(&t);
    day = two(&t);
    hour = two(&t);
    minute = two(&t);
    if (!t.bad && t.left > 2)
        second = two(&t);
    if (!t.bad && general && t.left > 0 && (*t.at == '.' || *t.at == ','))
        why = fraction(&t, &any);
    if (why != NULL)
        return why;
    if (t.bad || month == 0 || day == 0 || month > 12 || day > 31 || hour >= 24 || minute >= 60 ||
        second >= 60)
        return "java.io.IOException: Parse UTC time, invalid format";
    if (t.left != 1 && t.left != 5)
        return "java.io.IOException: Parse UTC time, invalid offset";
    why = zone(&t, &offset);
    if (why != NULL)
        return why;
    *out_s = clock_utc_of(year, month, day, hour, minute, second) - offset;
    if (any && round_up)
        (*out_s)++;
    return NULL;
}

/* --- object identifiers --- */
const char *der_oid_check(struct der_span body)
{
    if (body.len > 4096)
        return "java.io.IOException: ObjectIdentifier encoded length exceeds the restriction in "
               "JDK (OId length(>): 4096)";
    if (body.len == 0 || (body.at[body.len - 1] & 0x80) != 0)
        return "java.io.IOException: ObjectIdentifier() -- Invalid DER encoding, not ended";
    for (size_t i = 0; i < body.len; i++) {
        if (body.at[i] == 0x80 && (i == 0 || (body.at[i - 1] & 0x80) == 0))
            return "java.io.IOException: ObjectIdentifier() -- Invalid DER encoding, useless extra "
                   "octet detected";
    }
    return NULL;
}

/* One number of an OID, which has no largest one: limbs of nine decimal digits, least first. */
struct arc {
    uint32_t limb[DER_OID_TEXT_MAX / 9 + 1];
    size_t n; /* of which are used */
};

#define LIMB 1000000000u

/* Seven more bits; false when it would not fit into the text anyway. */
static bool arc_push(struct arc *a, unsigned bits)
{
    uint64_t carry = bits;

    for (size_t i = 0; i < a->n; i++) {
        carry += (uint64_t)a->limb[i] << 7;
        a->limb[i] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
    if (carry == 0)
        return true;
    if (a->n == sizeof a->limb / sizeof a->limb[0])
        return false;
    a->limb[a->n++] = (uint32_t)carry;
    return true;
}

/* The first number holds two: 40 times 0, 1 or 2, and the second. Returns the first. */
static unsigned arc_split(struct arc *a)
{
    unsigned top = a->n > 1 || (a->n == 1 && a->limb[0] >= 80) ? 2
                   : a->n == 0                                 ? 0
                                                               : a->limb[0] / 40;
    uint32_t less = top * 40;

    for (size_t i = 0; i < a->n && less > 0; i++) {
        bool borrow = a->limb[i] < less;

        a->limb[i] = a->limb[i] - less + (borrow ? LIMB : 0);
        less = borrow;
    }
    return top;
}

static int arc_text(const struct arc *a, char *out, size_t size)
{
    size_t n = a->n, used;

    while (n > 1 && a->limb[n - 1] == 0)
        n--;
    used = (size_t)snprintf(out, size, "%u", n == 0 ? 0 : a->limb[n - 1]);
    for (size_t i = n; i > 1 && used < size; i--)
        used += (size_t)snprintf(out + used, size - used, "%09u", a->limb[i - 2]);
    return used < size ? (int)used : -1;
}

const char *der_oid_text(struct der_span body, char *out, size_t size)
{
    struct arc arc = { .n = 0 };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < body.len; i++) {
        int n;

        if (!arc_push(&arc, body.at[i] & 0x7f))
            goto too_long;
        if ((body.at[i] & 0x80) != 0)
            continue;
        if (used == 0)
            used = (size_t)snprintf(out, size, "%u", arc_split(&arc));
        if (size - used < 2)
            goto too_long;
        n = arc_text(&arc, out + used + 1, size - used - 1);
        if (n < 0)
            goto too_long;
        out[used] = '.';
        used += (size_t)n + 1;
        arc.n = 0;
    }
    return out;
too_long:
    snprintf(out + (used + 4 > size ? size - 4 : used), 4, "...");
    return out;
}

bool der_oid_is(struct der_span body, const char *dotted)
{
    char text[DER_OID_TEXT_MAX];

    return strcmp(der_oid_text(body, text, sizeof text), dotted) == 0;
}

const char *der_next_oid(struct der_span *rest, struct der_span *out)
{
    struct der d;
    const char *why = der_next(rest, &d);

    if (why == NULL && d.tag != DER_OID)
        why = "java.io.IOException: DerValue.getOID, not an OID";
    if (why == NULL)
        why = der_oid_check(d.body);
    if (why == NULL)
        *out = d.body;
    return why;
}
