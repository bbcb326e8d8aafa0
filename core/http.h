/* SPDX-License-Identifier: Apache-2.0
 * HTTP/1.x messages: read piece by piece with bounds (llhttp does the grammar), and written. No
 * socket, no loop: whoever has a hop feeds what it read and sends what was written. Serves both
 * sides, a server of requests and a client of responses. */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;

enum http_kind { HTTP_KIND_REQUEST, HTTP_KIND_RESPONSE };

struct http_header {
    const char *name, *value; /* as sent; the value without white space around it */
};

/* One message, as far as it has been read. All texts belong to the parser and live until the next
 * http_parser_next() or http_parser_free(). A NUL byte cannot be in any of them. */
struct http_message {
    enum http_kind kind;
    unsigned major, minor;
    const char *method; /* request: "GET"; else NULL */
    const char *target; /* request: what stands after the method, as sent; else NULL */
    unsigned status;    /* response, else 0 */
    const char *reason; /* response: may be empty; else NULL */
    const struct http_header *headers; /* in the order sent; repeated names stay apart */
    size_t n_headers;
    bool head_complete;  /* all of the above is known */
    bool keep_alive;     /* once the message is complete: the connection may carry another */
    bool expects;        /* "Expect: 100-continue", and the head is complete */
    uint64_t body_bytes; /* body octets read so far, without chunk framing */
    const uint8_t *body; /* the first limits.keep_body of them */
    size_t body_kept;
};

/* Bounds; 0 in any field means what HTTP_LIMITS_DEFAULT says. */
struct http_limits {
    size_t target_bytes; /* of the request target */
    size_t head_bytes;   /* of start line and headers together */
    size_t n_headers;
    uint64_t body_bytes;
    size_t keep_body; /* how much of the body is kept for the caller; 0: nothing */
};
#define HTTP_LIMITS_DEFAULT                                                                        \
    (struct http_limits)                                                                           \
    {                                                                                              \
        .target_bytes = 8192, .head_bytes = 32768, .n_headers = 128,                               \
        .body_bytes = UINT64_C(1) << 30                                                            \
    }

/* How many interim answers (1xx) a client passes over before it gives up on the real one. */
#define HTTP_INTERIM_MAX 8

enum http_progress {
    HTTP_MORE, /* everything was taken; the message goes on */
    HTTP_DONE, /* the message is complete; `used` may be less than n */
    HTTP_BAD,  /* it is none: http_parser_error() */
};

struct http_parser;

/* NULL when out of memory. `limits` may be NULL. */
struct http_parser *http_parser_new(enum http_kind kind, const struct http_limits *limits);
void http_parser_free(struct http_parser *p); /* NULL is fine */
/* Response parsers: the request was HEAD, so no body follows whatever the headers say. */
void http_parser_no_body(struct http_parser *p);
/* Feed up to `n` bytes; *used is how many belong to this message. After HTTP_DONE or HTTP_BAD
 * nothing more is taken until http_parser_next(). */
enum http_progress http_parser_feed(struct http_parser *p, const void *data, size_t n,
                                    size_t *used);
/* The peer has ended its direction: HTTP_DONE for a response that lasts until the end, HTTP_MORE
 * when no message had begun, HTTP_BAD inside one. */
enum http_progress http_parser_eof(struct http_parser *p);
/* Forget the message and wait for the next one. */
void http_parser_next(struct http_parser *p);
const struct http_message *http_parser_message(const struct http_parser *p);
/* After HTTP_BAD: the status that a server answers with (400, 413, 414, 431, 505) and why, for
 * people. */
unsigned http_parser_error(const struct http_parser *p, const char **why);
/* Has any byte of a message been read? */
bool http_parser_begun(const struct http_parser *p);

/* The first header of that name (case does not count); NULL when there is none. */
const char *http_header(const struct http_message *m, const char *name);
/* "Not Found" for 404; "" for a number without a name. */
const char *http_status_text(unsigned status);

struct http_response {
    unsigned status;
    const char *content_type; /* NULL: no such header, for a response without body */
    const char *extra;        /* further header lines, each ending in CRLF; may be NULL */
    const void *body;
    size_t n;
    bool close;     /* "Connection: close" */
    bool keep;      /* "Connection: keep-alive", for a client of HTTP/1.0 */
    bool head_only; /* the request was HEAD: the body is announced, not sent */
};
/* Append the whole response. 0, or -1 when memory is out. */
int http_write_response(struct evbuffer *out, const struct http_response *r);

#endif
