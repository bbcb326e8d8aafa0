/* SPDX-License-Identifier: Apache-2.0
 * Write DER from the end towards the start. */
#include "certs/x509/der_write.h"

#include <string.h>

#include "core/clock.h"

void der_put(struct der_out *o, const void *data, size_t len)
{
    if (o->bad || (size_t)(o->at - o->start) < len) {
        o->bad = true;
        return;
    }
    o->at -= len;
    if (len > 0)
        memcpy(o->at, data, len);
}

void der_wrap(struct der_out *o, unsigned tag, size_t len)
{
    uint8_t head[2 + sizeof len], *p = head + sizeof head;

    if (len < 0x80) {
        *--p = (uint8_t)len;
    } else {
        uint8_t n = 0;

        for (size_t rest = len; rest > 0; rest >>= 8, n++)
            *--p = (uint8_t)rest;
        *--p = (uint8_t)(0x80 | n);
    }
    *--p = (uint8_t)tag;
    der_put(o, p, (size_t)(head + sizeof head - p));
}

void der_wrap_since(struct der_out *o, unsigned tag, const uint8_t *mark)
{
    der_wrap(o, tag, (size_t)(mark - o->at));
}

void der_put_element(struct der_out *o, unsigned tag, const void *content, size_t len)
{
    der_put(o, content, len);
    der_wrap(o, tag, len);
}

void der_put_time(struct der_out *o, int64_t utc_s)
{
    char text[24], digits[16];
    size_t n = 0;
    bool two_digit_year = utc_s < clock_utc_of(2050, 1, 1, 0, 0, 0);

    clock_format_utc(utc_s, text, sizeof text);
    for (const char *p = text + (two_digit_year ? 2 : 0); *p != '\0' && n < sizeof digits - 1;
         p++) {
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    }
    digits[n++] = 'Z';
    der_put_element(o, two_digit_year ? DER_UTC_TIME : DER_GENERALIZED_TIME, digits, n);
}

size_t der_out_len(const struct der_out *o)
{
    return (size_t)(o->end - o->at);
}
