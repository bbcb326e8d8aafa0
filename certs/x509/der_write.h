/* SPDX-License-Identifier: Apache-2.0
 * Write DER from the end towards the start, for the few structures that mbedTLS has no writer for.
 * A write that does not fit sets `bad`; every later one is ignored, so check once. */
#ifndef CERTS_X509_DER_WRITE_H
#define CERTS_X509_DER_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/der.h"

struct der_out {
    uint8_t *start; /* borrowed buffer; what is written lies from `at` to its end */
    uint8_t *at;
    uint8_t *end;
    bool bad;
};

static inline struct der_out der_out_of(uint8_t *buffer, size_t size)
{
    return (struct der_out){ .start = buffer, .at = buffer + size, .end = buffer + size };
}

/* Octets as they are, in front of what is there. */
void der_put(struct der_out *o, const void *data, size_t len);
/* Tag and length in front of the last `len` octets written. */
void der_wrap(struct der_out *o, unsigned tag, size_t len);
/* Tag and length in front of everything that was written since `mark`. */
void der_wrap_since(struct der_out *o, unsigned tag, const uint8_t *mark);
/* A whole element with this content. */
void der_put_element(struct der_out *o, unsigned tag, const void *content, size_t len);
/* A moment: UTCTime before 2050, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
void der_put_time(struct der_out *o, int64_t utc_s);
size_t der_out_len(const struct der_out *o);

#endif
