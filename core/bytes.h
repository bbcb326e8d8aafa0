/* SPDX-License-Identifier: Apache-2.0
 * A checked cursor over foreign bytes (network order). A read past the end sets `bad`, returns
 * zero, and every later read fails too, so a parser may read a whole structure and check once. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *at; /* borrowed; the next byte */
    size_t left;       /* bytes from `at` to the end */
    bool bad;          /* a read went past the end */
};

static inline struct bytes bytes_of(const void *data, size_t n)
{
    return (struct bytes){ .at = data, .left = n };
}

uint8_t bytes_u8(struct bytes *b);
uint16_t bytes_u16(struct bytes *b);
uint32_t bytes_u24(struct bytes *b);
/* Take the next `n` bytes as a cursor of their own (empty and bad when there are fewer). */
struct bytes bytes_take(struct bytes *b, size_t n);
/* Take a vector with a length prefix of `width` bytes (1, 2 or 3), as TLS writes them. */
struct bytes bytes_vec(struct bytes *b, unsigned width);
/* Whole content equal to a string literal or buffer? */
bool bytes_eq(struct bytes b, const void *data, size_t n);

/* 16 octets as "01234567-89ab-cdef-0123-456789abcdef"; into `out`. */
#define UUID_TEXT 37
void uuid_text(const uint8_t octets[16], char out[UUID_TEXT]);

/* Octets as lower-case hexadecimal digits; `out` takes 2 * n + 1. Returns `out`. */
const char *bytes_hex(const uint8_t *octets, size_t n, char *out);

#endif
