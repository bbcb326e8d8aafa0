/* SPDX-License-Identifier: Apache-2.0
 * BER's indefinite lengths made definite, where the JDK does it: the outermost element and what
 * stands in it without a length of its own. Elements with a length are copied as they are. */
#include <stdlib.h>
#include <string.h>

#include "certs/x509/parse_impl.h"

#define NESTED_MAX 50

struct out {
    uint8_t *at;
    size_t len;
    size_t saved; /* octets that lengths written too long have lost */
};

/* Turn the `n` octets at the end of `o` into an element of this tag. */
static void wrap(struct out *o, uint8_t tag, size_t n)
{
    uint8_t head[DER_HEAD_MAX];
    size_t size = der_head(tag, n, head);

    memmove(o->at + o->len - n + size, o->at + o->len - n, n);
    memcpy(o->at + o->len - n, head, size);
    o->len += size;
}

static const char *element(struct der_span *in, struct out *o, unsigned depth)
{
    uint8_t tag;
    size_t before = o->len;
    struct der d;
    const char *why;

    if (depth > NESTED_MAX)
        return "java.io.IOException: Nesting sequence depth limit reached.";
    if (in->len < 2)
        return "java.io.IOException: not enough data to resolve indef len BER";
    tag = in->at[0];
    if (in->at[1] != 0x80) {
        why = der_next(in, &d);
        if (why != NULL)
            return why;
        memcpy(o->at + o->len, d.body.at, d.body.len);
        o->len += d.body.len;
        wrap(o, tag, d.body.len);
        o->saved += d.all.len - (o->len - before);
        return NULL;
    }
    if ((tag & 0x20) == 0)
        return "java.io.IOException: Non constructed encoding must have definite length";
    in->at += 2;
    in->len -= 2;
    while (in->len < 2 || in->at[0] != 0 || in->at[1] != 0) {
        why = element(in, o, depth + 1);
        if (why != NULL)
            return why;
    }
    in->at += 2;
    in->len -= 2;
    if (depth == 0) { /* the JDK counts them still: zeros at the end, which then are in the way */
        memset(o->at + o->len, 0, o->saved);
        o->len += o->saved;
    }
    wrap(o, tag, o->len - before);
    return NULL;
}

const char *ber_definite(struct der_span in, uint8_t **out, size_t *len)
{
    /* an indefinite element loses four octets and gains at most four of length and two of head */
    struct out o = { malloc(2 * in.len + 16), 0, 0 };
    const char *why = o.at != NULL ? element(&in, &o, 0) : "no memory";

    if (why != NULL) {
        free(o.at);
        return why;
    }
    *out = o.at;
    *len = o.len;
    return NULL;
}
