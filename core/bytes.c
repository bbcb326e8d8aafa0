/* SPDX-License-Identifier: Apache-2.0
 * A checked cursor over foreign bytes. */
#include "core/bytes.h"

#include <stdio.h>
#include <string.h>

static const uint8_t *advance(struct bytes *b, size_t n)
{
    const uint8_t *p = b->at;

    if (b->bad || b->left < n) {
        b->bad = true;
        b->left = 0;
        return NULL;
    }
    b->at += n;
    b->left -= n;
    return p;
}

uint8_t bytes_u8(struct bytes *b)
{
    const uint8_t *p = advance(b, 1);

    return p == NULL ? 0 : p[0];
}

uint16_t bytes_u16(struct bytes *b)
{
    const uint8_t *p = advance(b, 2);

    return (uint16_t)(p == NULL ? 0 : p[0] << 8 | p[1]);
}

uint32_t bytes_u24(struct bytes *b)
{
    const uint8_t *p = advance(b, 3);

    return p == NULL ? 0 : (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

struct bytes bytes_take(struct bytes *b, size_t n)
{
    const uint8_t *p = advance(b, n);

    if (p == NULL)
        return (struct bytes){ .bad = true };
    return bytes_of(p, n);
}

struct bytes bytes_vec(struct bytes *b, unsigned width)
{
    size_t n = width == 1 ? bytes_u8(b) : width == 2 ? bytes_u16(b) : bytes_u24(b);

    return bytes_take(b, n);
}

bool bytes_eq(struct bytes b, const void *data, size_t n)
{
    return !b.bad && b.left == n && (n == 0 || memcmp(b.at, data, n) == 0);
}

void uuid_text(const uint8_t octets[16], char out[UUID_TEXT])
{
    size_t at = 0;

    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        at += (size_t)snprintf(out + at, UUID_TEXT - at, "%02x", octets[i]);
    }
}

const char *bytes_hex(const uint8_t *octets, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", octets[i]);
    out[2 * n] = '\0';
    return out;
}
