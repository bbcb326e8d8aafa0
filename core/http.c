/* SPDX-License-Identifier: Apache-2.0
 * HTTP/1.x messages: read piece by piece with bounds. */
#include "core/http.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/arena.h"

/* Bytes of the head that are being put together: one name, one value, one target at a time. */
struct growing {
    char *text;
    size_t n, cap;
};

struct http_parser {
    llhttp_t llhttp;
    enum http_kind kind;
    struct http_limits limits;
    struct http_message message;
    struct arena arena; /* texts and headers of the message */
    struct growing part;
    const char *name; /* of the header whose value is being read */
    struct http_header *headers;
    uint8_t *body;
    size_t head_bytes;
    bool begun, no_body, done;
    unsigned error; /* status to answer with, 0: none */
    const char *why;
};

/* --- what llhttp calls ---
 * A refusal of ours sets `error` and returns HPE_USER. */
static int refuse(struct http_parser *p, unsigned status, const char *why)
{
    p->error = status;
    p->why = why;
    return HPE_USER;
}

static int append(struct http_parser *p, const char *at, size_t n)
{
    struct growing *g = &p->part;

    p->head_bytes += n;
    if (p->head_bytes > p->limits.head_bytes)
        return refuse(p, 431, "the head of the message is too large");
    if (g->n + n + 1 > g->cap) {
        size_t cap = g->n + n + 128;
        char *grown = realloc(g->text, cap);

        if (grown == NULL)
            return refuse(p, 500, "out of memory");
        g->text = grown;
        g->cap = cap;
    }
    memcpy(g->text + g->n, at, n);
    g->n += n;
    return 0;
}

/* The part that is complete, as a text of the message. */
static const char *take_part(struct http_parser *p)
{
    const char *text = arena_strndup(&p->arena, p->part.n == 0 ? "" : p->part.text, p->part.n);

    p->part.n = 0;
    if (text == NULL)
        (void)refuse(p, 500, "out of memory");
    return text;
}

static int on_begin(llhttp_t *l)
{
    struct http_parser *p = l->data;

    p->begun = true;
    return 0;
}

static int on_part(llhttp_t *l, const char *at, size_t n)
{
    return append(l->data, at, n);
}

static int on_target(llhttp_t *l, const char *at, size_t n)
{
    struct http_parser *p = l->data;

    if (p->part.n + n > p->limits.target_bytes)
        return refuse(p, 414, "the request target is too long");
    return append(p, at, n);
}

static int on_target_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;

    p->message.target = take_part(p);
    return p->message.target == NULL ? HPE_USER : 0;
}

static int on_reason_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;

    p->message.reason = take_part(p);
    return p->message.reason == NULL ? HPE_USER : 0;
}

static int on_version_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;

    if (l->http_major != 1)
        return refuse(p, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return 0;
}

static int on_name_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;

    p->name = take_part(p);
    return p->name == NULL ? HPE_USER : 0;
}

static int on_value_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;
    struct http_header *h;

    if (p->message.head_complete) { /* a trailer: read, not kept */
        p->part.n = 0;
        return 0;
    }
    if (p->message.n_headers == p->limits.n_headers)
        return refuse(p, 431, "too many headers");
    while (p->part.n > 0 && strchr(" \t", p->part.text[p->part.n - 1]) != NULL)
        p->part.n--;
    h = arena_append(&p->arena, &p->headers, &p->message.n_headers, sizeof *h);
    if (h == NULL)
        return refuse(p, 500, "out of memory");
    p->message.headers = p->headers;
    h->name = p->name;
    h->value = take_part(p);
    return h->value == NULL ? HPE_USER : 0;
}

static int on_headers_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;
    struct http_message *m = &p->message;
    const char *expect;

    m->major = l->http_major;
    m->minor = l->http_minor;
    if (p->kind == HTTP_KIND_REQUEST)
        m->method = llhttp_method_name((llhttp_method_t)l->method);
    else
        m->status = l->status_code;
    m->head_complete = true;
    if (l->content_length > p->limits.body_bytes)
        return refuse(p, 413, "the body is too large");
    expect = http_header(m, "expect");
    m->expects = expect != NULL && strcasecmp(expect, "100-continue") == 0;
    return p->no_body ? 1 : 0;
}

static int on_body(llhttp_t *l, const char *at, size_t n)
{
    struct http_parser *p = l->data;
    struct http_message *m = &p->message;
    size_t keep = p->limits.keep_body - m->body_kept;

    m->body_bytes += n;
    if (m->body_bytes > p->limits.body_bytes)
        return refuse(p, 413, "the body is too large");
    if (keep > n)
        keep = n;
    if (keep > 0) {
        uint8_t *grown = realloc(p->body, m->body_kept + keep);

        if (grown == NULL)
            return refuse(p, 500, "out of memory");
        memcpy(grown + m->body_kept, at, keep);
        p->body = grown;
        m->body = grown;
        m->body_kept += keep;
    }
    return 0;
}

static int on_message_complete(llhttp_t *l)
{
    struct http_parser *p = l->data;

    p->done = true;
    p->message.keep_alive = llhttp_should_keep_alive(l) != 0;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_begin,
    .on_url = on_target,
    .on_url_complete = on_target_complete,
    .on_status = on_part,
    .on_status_complete = on_reason_complete,
    .on_version_complete = on_version_complete,
    .on_header_field = on_part,
    .on_header_field_complete = on_name_complete,
    .on_header_value = on_part,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- the parser --- */
void http_parser_next(struct http_parser *p)
{
    llhttp_init(&p->llhttp, p->kind == HTTP_KIND_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    p->llhttp.data = p;
    arena_clear(&p->arena);
    free(p->body);
    p->body = NULL;
    p->headers = NULL;
    p->name = NULL;
    p->part.n = 0;
    p->head_bytes = 0;
    p->begun = p->no_body = p->done = false;
    p->error = 0;
    p->why = NULL;
    p->message = (struct http_message){ .kind = p->kind };
}

struct http_parser *http_parser_new(enum http_kind kind, const struct http_limits *limits)
{
    struct http_parser *p = calloc(1, sizeof *p);
    const struct http_limits usual = HTTP_LIMITS_DEFAULT;

    if (p == NULL)
        return NULL;
    p->kind = kind;
    p->limits = limits != NULL ? *limits : usual;
    if (p->limits.target_bytes == 0)
        p->limits.target_bytes = usual.target_bytes;
    if (p->limits.head_bytes == 0)
        p->limits.head_bytes = usual.head_bytes;
    if (p->limits.n_headers == 0)
        p->limits.n_headers = usual.n_headers;
    if (p->limits.body_bytes == 0)
        p->limits.body_bytes = usual.body_bytes;
    http_parser_next(p);
    return p;
}

void http_parser_free(struct http_parser *p)
{
    if (p == NULL)
        return;
    arena_clear(&p->arena);
    free(p->part.text);
    free(p->body);
    free(p);
}

void http_parser_no_body(struct http_parser *p)
{
    p->no_body = true;
}

static enum http_progress bad(struct http_parser *p)
{
    if (p->error == 0)
        (void)refuse(p, 400, llhttp_get_error_reason(&p->llhttp));
    return HTTP_BAD;
}

enum http_progress http_parser_feed(struct http_parser *p, const void *data, size_t n, size_t *used)
{
    llhttp_errno_t rc;

    *used = 0;
    if (p->error != 0)
        return HTTP_BAD;
    if (p->done)
        return HTTP_DONE;
    if (n == 0)
        return HTTP_MORE;
    rc = llhttp_execute(&p->llhttp, data, n);
    if (p->done && p->error == 0) {
        const char *end = llhttp_get_error_pos(&p->llhttp);

        *used = end == NULL ? n : (size_t)(end - (const char *)data);
        return HTTP_DONE;
    }
    if (rc != HPE_OK)
        return bad(p);
    *used = n;
    return HTTP_MORE;
}

enum http_progress http_parser_eof(struct http_parser *p)
{
    if (p->error != 0)
        return HTTP_BAD;
    if (p->done)
        return HTTP_DONE;
    if (!p->begun)
        return HTTP_MORE;
    if (llhttp_finish(&p->llhttp) != HPE_OK && !p->done)
        return bad(p);
    if (!p->done)
        (void)refuse(p, 400, "the connection ended inside the message");
    return p->done ? HTTP_DONE : HTTP_BAD;
}

const struct http_message *http_parser_message(const struct http_parser *p)
{
    return &p->message;
}

unsigned http_parser_error(const struct http_parser *p, const char **why)
{
    *why = p->why == NULL ? "" : p->why;
    return p->error;
}

bool http_parser_begun(const struct http_parser *p)
{
    return p->begun;
}

const char *http_header(const struct http_message *m, const char *name)
{
    for (size_t i = 0; i < m->n_headers; i++) {
        if (strcasecmp(m->headers[i].name, name) == 0)
            return m->headers[i].value;
    }
    return NULL;
}
