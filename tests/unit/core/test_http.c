/* SPDX-License-Identifier: Apache-2.0
 * HTTP messages: any chunking, bounds, keep-alive, bodies, what is refused and how it is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "core/clock.h"
#include "core/http.h"

/* Feed in pieces of `step` bytes until the message ends; *used counts all. */
static enum http_progress feed(struct http_parser *p, const char *text, size_t n, size_t step,
                               size_t *used)
{
    enum http_progress progress = HTTP_MORE;
    size_t at = 0;

    while (at < n && progress == HTTP_MORE) {
        size_t took, piece = n - at < step ? n - at : step;
        /* A copy of its own: the sanitizer then sees any read beyond the piece. */
        char *copy = malloc(piece);

        memcpy(copy, text + at, piece);
        progress = http_parser_feed(p, copy, piece, &took);
        free(copy);
        at += took;
    }
    *used = at;
    return progress;
}

static void any_chunking(void **state)
{
    static const char text[] =
        "POST /a/b?c=d HTTP/1.1\r\nHost: api.example.com\r\nX-One:  two \t\r\n"
        "X-One: three\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\nGET ";
    (void)state;
    for (size_t step = 1; step < sizeof text; step++) {
        struct http_parser *p =
            http_parser_new(HTTP_KIND_REQUEST, &(struct http_limits){ .keep_body = 8 });
        const struct http_message *m = http_parser_message(p);
        size_t used;

        assert_int_equal(feed(p, text, sizeof text - 1, step, &used), HTTP_DONE);
        assert_int_equal(used, sizeof text - 1 - strlen("GET "));
        assert_string_equal(m->method, "POST");
        assert_string_equal(m->target, "/a/b?c=d");
        assert_int_equal(m->n_headers, 4);
        assert_string_equal(m->headers[1].value, "two");
        assert_string_equal(m->headers[2].value, "three");
        assert_string_equal(http_header(m, "HOST"), "api.example.com");
        assert_null(http_header(m, "trailer"));
        assert_int_equal(m->body_bytes, 11);
        assert_int_equal(m->body_kept, 8);
        assert_memory_equal(m->body, "hello wo", 8);
        assert_true(m->keep_alive);
        assert_int_equal(m->minor, 1);
        http_parser_free(p);
    }
}

static void one_after_another(void **state)
{
    static const char text[] =
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: b\r\n\r\n"
        "PUT /3 HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, NULL);
    const struct http_message *m = http_parser_message(p);
    size_t at = 0, used;

    (void)state;
    assert_int_equal(feed(p, text + at, sizeof text - 1 - at, 1000, &used), HTTP_DONE);
    assert_string_equal(m->target, "/1");
    at += used;
    http_parser_next(p);
    assert_false(http_parser_begun(p));
    assert_int_equal(http_parser_eof(p), HTTP_MORE);
    assert_int_equal(feed(p, text + at, sizeof text - 1 - at, 1000, &used), HTTP_DONE);
    assert_string_equal(m->method, "HEAD");
    assert_string_equal(http_header(m, "host"), "b");
    at += used;
    http_parser_next(p);
    assert_int_equal(feed(p, text + at, sizeof text - 1 - at, 1000, &used), HTTP_DONE);
    assert_int_equal(m->body_bytes, 3);
    assert_false(m->keep_alive);
    assert_int_equal(at + used, sizeof text - 1);
    http_parser_free(p);
}

static void keep_alive_by_version(void **state)
{
    static const struct {
        const char *text;
        bool keep;
    } cases[] = {
        { "GET / HTTP/1.1\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, NULL);
        size_t used;

        assert_int_equal(feed(p, cases[i].text, strlen(cases[i].text), 7, &used), HTTP_DONE);
        assert_int_equal(http_parser_message(p)->keep_alive, cases[i].keep);
        http_parser_free(p);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
    } cases[] = {
        { "\x16\x03\x01\x02", 400 },
        { "GET / HTTP/1.1\nHost : x\r\n\r\n", 400 },
        { "GET / HTTP/2.0\r\n\r\n", 505 },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
        { "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413 },
        { "POST / HTTP/1.1\r\nTransfer-Encoding: "
          "chunked\r\n\r\n64\r\n0123456789012345678901234567890"
          "123456789012345678901234567890123456789012345678901234567890123456789\r\n1\r\nx\r\n",
          413 },
        { "GET /01234567890123456789012345678901234567890 HTTP/1.1\r\n\r\n", 414 },
        { "GET / HTTP/1.1\r\nA: 0\r\nB: 1\r\nC: 2\r\nD: 3\r\n\r\n", 431 },
        { "GET / HTTP/1.1\r\nA: "
          "01234567890123456789012345678901234567890123456789012345678901234567"
          "8901234567890123456789012345678901234567890\r\n\r\n",
          431 },
    };
    const struct http_limits limits = {
        .target_bytes = 40, .head_bytes = 100, .n_headers = 3, .body_bytes = 100
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step < 200; step += 13) {
            struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, &limits);
            const char *why;
            size_t used;

            if (feed(p, cases[i].text, strlen(cases[i].text), step, &used) != HTTP_BAD)
                fail_msg("case %zu was not refused", i);
            assert_int_equal(http_parser_error(p, &why), cases[i].status);
            assert_true(strlen(why) > 0);
            assert_int_equal(http_parser_feed(p, "x", 1, &used), HTTP_BAD);
            http_parser_free(p);
        }
    }
}

static void cut_off(void **state)
{
    struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, NULL);
    size_t used;

    (void)state;
    assert_int_equal(feed(p, "POST / HTTP/1.1\r\nContent-Le", 27, 5, &used), HTTP_MORE);
    assert_int_equal(http_parser_eof(p), HTTP_BAD);
    http_parser_free(p);
}

static void expects_continue(void **state)
{
    struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, NULL);
    const char *text = "PUT / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    size_t used;

    (void)state;
    assert_int_equal(feed(p, text, strlen(text) - 1, 9, &used), HTTP_MORE);
    assert_false(http_parser_message(p)->expects);
    assert_int_equal(feed(p, "\n", 1, 9, &used), HTTP_MORE);
    assert_true(http_parser_message(p)->expects);
    assert_int_equal(feed(p, "ok", 2, 9, &used), HTTP_DONE);
    http_parser_free(p);
}

static void upgrade_is_only_a_header(void **state)
{
    struct http_parser *p = http_parser_new(HTTP_KIND_REQUEST, NULL);
    const char *text = "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nGET / ";
    const char *connect = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    size_t used;

    (void)state;
    assert_int_equal(feed(p, text, strlen(text), 500, &used), HTTP_DONE);
    assert_int_equal(used, strlen(text) - 6);
    http_parser_next(p);
    assert_int_equal(feed(p, connect, strlen(connect), 500, &used), HTTP_DONE);
    assert_string_equal(http_parser_message(p)->target, "a:443");
    http_parser_free(p);
}

static void responses(void **state)
{
    struct http_parser *p =
        http_parser_new(HTTP_KIND_RESPONSE, &(struct http_limits){ .keep_body = 100 });
    const struct http_message *m = http_parser_message(p);
    const char *to_eof = "HTTP/1.1 200 Very Fine\r\nX: y\r\n\r\nuntil the end";
    const char *to_head = "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n";
    size_t used;

    (void)state;
    assert_int_equal(feed(p, to_eof, strlen(to_eof), 4, &used), HTTP_MORE);
    assert_int_equal(http_parser_eof(p), HTTP_DONE);
    assert_int_equal(m->status, 200);
    assert_string_equal(m->reason, "Very Fine");
    assert_memory_equal(m->body, "until the end", 13);
    assert_false(m->keep_alive);
    http_parser_next(p);
    http_parser_no_body(p);
    assert_int_equal(feed(p, to_head, strlen(to_head), 4, &used), HTTP_DONE);
    assert_int_equal(m->status, 404);
    assert_int_equal(m->body_bytes, 0);
    http_parser_free(p);
}

static char *written(const struct http_response *r)
{
    struct evbuffer *out = evbuffer_new();
    char *text;
    size_t n;

    assert_int_equal(http_write_response(out, r), 0);
    n = evbuffer_get_length(out);
    text = malloc(n + 1);
    evbuffer_remove(out, text, n);
    text[n] = '\0';
    evbuffer_free(out);
    return text;
}

static void written_responses(void **state)
{
    char *text;

    (void)state;
    clock_fake_set(0, 784111777LL * 1000000);
    text = written(&(struct http_response){
        .status = 404, .content_type = "text/plain", .body = "gone", .n = 4, .close = true });
    assert_string_equal(text, "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                              "Content-Type: text/plain\r\nContent-Length: 4\r\n"
                              "Connection: close\r\n\r\ngone");
    free(text);
    text = written(&(struct http_response){
        .status = 200, .body = "{}", .n = 2, .head_only = true, .extra = "X: y\r\n" });
    assert_string_equal(text, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                              "Content-Length: 2\r\nX: y\r\n\r\n");
    free(text);
    text = written(&(struct http_response){ .status = 204, .body = "no", .n = 2 });
    assert_null(strstr(text, "Content-Length"));
    assert_null(strstr(text, "no\n"));
    free(text);
    clock_fake_off();
    assert_string_equal(http_status_text(777), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chunking),
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(keep_alive_by_version),
        cmocka_unit_test(refused),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(expects_continue),
        cmocka_unit_test(upgrade_is_only_a_header),
        cmocka_unit_test(responses),
        cmocka_unit_test(written_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
