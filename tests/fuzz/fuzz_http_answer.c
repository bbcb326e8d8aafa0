/* SPDX-License-Identifier: Apache-2.0
 * The HTTP answer parser as API Gateway's client feeds it: any bytes, cut anywhere, with an end.
 * The first byte of the input says how: bit 0 HEAD, bits 1-7 the size of the pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold of whatever the parser hands out. */
static void look(const struct http_parser *p, size_t keep)
{
    const struct http_message *m = http_parser_message(p);

    if (m->kind != HTTP_KIND_RESPONSE || m->body_kept > keep || m->body_kept > m->body_bytes ||
        (m->head_complete && (m->status > 999 || m->reason == NULL)))
        abort();
    for (size_t i = 0; i < m->n_headers && m->head_complete; i++) {
        if (strlen(m->headers[i].name) == 0 || m->headers[i].value == NULL)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct http_limits limits = {
        .head_bytes = 4096, .n_headers = 20, .body_bytes = 8192, .keep_body = 1024
    };
    struct http_parser *p = http_parser_new(HTTP_KIND_RESPONSE, &limits);
    size_t piece = size > 0 ? (size_t)(data[0] >> 1) + 1 : 1;
    enum http_progress at = HTTP_MORE;

    if (p == NULL)
        return 0;
    if (size > 0 && (data[0] & 1))
        http_parser_no_body(p);
    for (size_t i = 1; i < size && at != HTTP_BAD;) {
        size_t used = 0, n = size - i < piece ? size - i : piece;

        at = http_parser_feed(p, data + i, n, &used);
        if (used > n || (at == HTTP_MORE && used != n))
            abort();
        look(p, limits.keep_body);
        i += used;
        if (at == HTTP_DONE)
            http_parser_next(p);
    }
    if (at != HTTP_BAD && http_parser_eof(p) == HTTP_DONE)
        look(p, limits.keep_body);
    http_parser_free(p);
    return 0;
}
