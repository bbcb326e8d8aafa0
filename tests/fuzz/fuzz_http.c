/* SPDX-License-Identifier: Apache-2.0
 * HTTP messages: the same bytes in any chunking give the same message. The first byte of the input
 * says whether they are requests or answers, and the size of the pieces. */
#include <stdlib.h>
#include <string.h>

#include "core/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct http_limits limits = {
    .target_bytes = 64, .head_bytes = 512, .n_headers = 8, .body_bytes = 4096, .keep_body = 32
};

/* Pieces of a length that the input decides; each in memory of its own. */
static enum http_progress feed(struct http_parser *p, const uint8_t *data, size_t n, size_t step,
                               size_t *used)
{
    enum http_progress progress = HTTP_MORE;
    size_t at = 0;

    while (at < n && progress == HTTP_MORE) {
        size_t took, piece = n - at < step ? n - at : step;
        uint8_t *copy = malloc(piece);

        if (copy == NULL)
            abort();
        memcpy(copy, data + at, piece);
        progress = http_parser_feed(p, copy, piece, &took);
        free(copy);
        if (took > piece || (progress == HTTP_MORE && took != piece))
            abort();
        at += took;
    }
    *used = at;
    return progress;
}

static void same(const struct http_message *a, const struct http_message *b)
{
    if (a->n_headers != b->n_headers || a->body_bytes != b->body_bytes ||
        a->body_kept != b->body_kept || a->keep_alive != b->keep_alive || a->status != b->status ||
        (a->target != NULL && strcmp(a->target, b->target) != 0) ||
        (a->body_kept > 0 && memcmp(a->body, b->body, a->body_kept) != 0))
        abort();
    for (size_t i = 0; i < a->n_headers; i++) {
        if (strcmp(a->headers[i].name, b->headers[i].name) != 0 ||
            strcmp(a->headers[i].value, b->headers[i].value) != 0)
            abort();
    }
}

static void messages(enum http_kind kind, const uint8_t *data, size_t n, size_t step)
{
    struct http_parser *whole = http_parser_new(kind, &limits);
    struct http_parser *pieces = http_parser_new(kind, &limits);
    const char *why;

    if (whole == NULL || pieces == NULL)
        abort();
    for (int i = 0; i < 16; i++) {
        size_t used, other_used;
        enum http_progress one = feed(whole, data, n, n == 0 ? 1 : n, &used);
        enum http_progress other = feed(pieces, data, n, step, &other_used);

        if (one != other)
            abort();
        if (one == HTTP_MORE) {
            one = http_parser_eof(whole);
            if (one != http_parser_eof(pieces))
                abort();
            other_used = used;
        }
        if (one == HTTP_BAD && (http_parser_error(whole, &why) < 400 || why[0] == '\0'))
            abort();
        if (one != HTTP_DONE || used == 0)
            break;
        if (used != other_used)
            abort();
        same(http_parser_message(whole), http_parser_message(pieces));
        data += used;
        n -= used;
        http_parser_next(whole);
        http_parser_next(pieces);
    }
    http_parser_free(whole);
    http_parser_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    messages(data[0] % 4 == 1 ? HTTP_KIND_RESPONSE : HTTP_KIND_REQUEST, data + 1, n - 1,
             1 + data[0] / 4 % 16);
    return 0;
}
