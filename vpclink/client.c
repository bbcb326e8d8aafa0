/* SPDX-License-Identifier: Apache-2.0
 * API Gateway's HTTP client: one call from connecting to the answer, on a kept connection if there
 * is one. It waits with poll(2); a link belongs to one thread. */
#include "vpclink/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/turn.h"
#include "tls/tls_conf.h"
#include "vpclink/link.h"

/* API Gateway's payload limit (API Gateway guide, "Quotas for configuring and running a REST API").
 */
#define BODY_MAX (10u * 1024 * 1024)
/* How long a refused peer may take to read the alert before the socket is closed. */
#define LINGER_MS 100
/* A first line longer than this is none. */
#define GARBLED_MAX 8192

void gateway_result_clear(struct gateway_result *r)
{
    cert_list_clear(&r->chain);
    for (size_t i = 0; i < r->n_headers; i++) {
        free(r->headers[i].name);
        free(r->headers[i].value);
    }
    free(r->headers);
    free(r->reason);
    free(r->body);
    memset(r, 0, sizeof *r);
}

struct gateway_link *gateway_link_new(const struct gateway_task *task, struct err *err)
{
    const struct http_limits limits = { .body_bytes = BODY_MAX, .keep_body = BODY_MAX };
    struct gateway_link *link = calloc(1, sizeof *link);

    if (link == NULL)
        goto nomem;
    link->task = task;
    link->parser = http_parser_new(HTTP_KIND_RESPONSE, &limits);
    link->head = gateway_request_head(task);
    if (link->parser == NULL || link->head == NULL)
        goto nomem;
    if (task->uri.tls && (link->conf = link_tls_conf(task, err)) == NULL) {
        gateway_link_free(link);
        return NULL;
    }
    return link;
nomem:
    err_set(err, ERR_NOMEM, "the client of %s", task->uri.text);
    gateway_link_free(link);
    return NULL;
}

void gateway_link_close(struct gateway_link *link)
{
    if (link->hop == NULL)
        return;
    (void)hop_send_eof(link->hop);
    hop_free(link->hop, false);
    link->hop = NULL;
}

void gateway_link_free(struct gateway_link *link)
{
    if (link == NULL)
        return;
    gateway_link_close(link);
    tls_conf_free(link->conf);
    http_parser_free(link->parser);
    free(link->head);
    free(link);
}

static bool in_time(const struct gateway_link *link)
{
    return clock_mono_us() < link->deadline_us;
}

static bool wait_for(struct gateway_link *link, enum hop_status status)
{
    if (turn_spent()) { /* there may be more at once; but the time is looked at first */
        turn_begin("a call", 0, NULL);
        return in_time(link);
    }
    return link_wait_fd(link->hop->fd, status == HOP_WANT_WRITE ? POLLOUT : POLLIN,
                        link->deadline_us) == 1;
}

/* Close after a failure: what was said last (an alert) must not be overtaken by a RST of the
 * kernel, so read what the peer still sends, until it closes, for a moment. */
static void close_slowly(struct gateway_link *link)
{
    uint64_t until = clock_mono_us() + LINGER_MS * 1000;
    char sink[4096];

    if (link->hop == NULL)
        return;
    (void)hop_send_eof(link->hop);
    while (link_wait_fd(link->hop->fd, POLLIN, until) == 1 &&
           recv(link->hop->fd, sink, sizeof sink, 0) > 0)
        ;
    hop_free(link->hop, false);
    link->hop = NULL;
}

static bool secure(struct gateway_link *link)
{
    struct gateway_result *r = link->now;
    enum hop_status st;

    if (!link->task->uri.tls)
        return true;
    r->stage = GATEWAY_HANDSHAKE;
    for (;;) {
        st = hop_secure(link->hop);
        if (st == HOP_FAILED || link_tls_warned(link)) {
            link_tls_failed(link);
            return false;
        }
        if (st == HOP_OK) {
            r->secured_us = clock_mono_us();
            return link_tls_secured(link);
        }
        if (!wait_for(link, st)) {
            link_tls_note(link);
            r->broke = BREAK_HANDSHAKE_TIMEOUT;
            return false;
        }
    }
}

/* --- the request --- */
/* True also when the peer no longer listens: it may have answered, or said why, before. */
static bool send_bytes(struct gateway_link *link, const char *data, size_t n)
{
    while (n > 0) {
        size_t put = 0;
        enum hop_status st = hop_write(link->hop, data, n, &put);

        if (st == HOP_FAILED) {
            struct hop_failure failure;

            link->hop->ops->failure(link->hop, &failure);
            link->send_reset = failure.sys_errno == ECONNRESET;
            return true;
        }
        if (st == HOP_OK) {
            data += put;
            n -= put;
        } else if (!wait_for(link, st)) {
            link->now->broke = BREAK_ANSWER_TIMEOUT;
            return false;
        }
    }
    while (hop_flush(link->hop) == HOP_WANT_WRITE) {
        if (!wait_for(link, HOP_WANT_WRITE)) {
            link->now->broke = BREAK_ANSWER_TIMEOUT;
            return false;
        }
    }
    return true;
}

/* --- the answer --- */
static bool keep_headers(struct gateway_result *r, const struct http_message *m)
{
    r->headers = calloc(m->n_headers + 1, sizeof *r->headers);
    if (r->headers == NULL)
        return false;
    for (size_t i = 0; i < m->n_headers; i++) {
        r->headers[i].name = strdup(m->headers[i].name);
        r->headers[i].value = strdup(m->headers[i].value);
        r->n_headers++;
        if (r->headers[i].name == NULL || r->headers[i].value == NULL)
            return false;
    }
    return true;
}

static void keep_answer(struct gateway_link *link)
{
    const struct http_message *m = http_parser_message(link->parser);
    struct gateway_result *r = link->now;

    r->status = m->status;
    r->reason = strdup(m->reason != NULL ? m->reason : "");
    r->body = malloc(m->body_kept + 1);
    if (r->reason == NULL || r->body == NULL || !keep_headers(r, m)) {
        r->broke = BREAK_NO_MEMORY;
        return;
    }
    if (m->body_kept > 0)
        memcpy(r->body, m->body, m->body_kept);
    r->body[m->body_kept] = '\0';
    r->n_body = m->body_kept;
    r->stage = GATEWAY_DONE;
    r->broke = BREAK_NONE;
}

/* Bytes that are no HTTP. API Gateway's client (HttpCore) looks at them when a line is whole: a few
 * bytes without one, then a close, count as a close (a TLS listener answers plain HTTP so). */
static bool give_up_on(struct gateway_link *link, const char *data, size_t n)
{
    const char *why;

    link->garbled += n;
    link->now->stage = GATEWAY_REQUEST; /* that was no answer */
    if (memchr(data, '\n', n) == NULL && link->garbled < GARBLED_MAX)
        return false;
    (void)http_parser_error(link->parser, &why);
    snprintf(link->now->why, sizeof link->now->why, "%s", why);
    link->now->broke = BREAK_BAD_ANSWER;
    return true;
}

/* Take `n` bytes. True when the answer is whole, or cannot become whole; `*clean`: the connection
 * holds nothing beyond it and may be kept. */
static bool take_bytes(struct gateway_link *link, const char *data, size_t n, bool *clean)
{
    while (n > 0) {
        size_t used = 0;
        enum http_progress at = http_parser_feed(link->parser, data, n, &used);

        if (at == HTTP_BAD && !http_parser_message(link->parser)->head_complete)
            return give_up_on(link, data, n);
        if (at == HTTP_BAD)
            return give_up_on(link, "\n", 1);
        data += used;
        n -= used;
        if (at == HTTP_MORE)
            continue;
        if (http_parser_message(link->parser)->status / 100 != 1) {
            keep_answer(link);
            *clean = n == 0 && http_parser_message(link->parser)->keep_alive;
            return true;
        }
        if (++link->interim > HTTP_INTERIM_MAX) {
            snprintf(link->now->why, sizeof link->now->why, "more than %d interim answers (1xx)",
                     HTTP_INTERIM_MAX);
            link->now->broke = BREAK_BAD_ANSWER;
            return true;
        }
        http_parser_next(link->parser); /* 100 Continue and its like: the answer is still to come */
    }
    return false;
}

/* The connection ended, in order or not, before the answer was whole. */
static void read_ended(struct gateway_link *link, enum hop_status st)
{
    struct gateway_result *r = link->now;
    struct hop_failure failure;

    if (st == HOP_EOF && link->garbled == 0 && http_parser_eof(link->parser) == HTTP_DONE) {
        keep_answer(link);
        return;
    }
    r->broke = BREAK_CLOSED;
    link_tls_note(link);
    if (st == HOP_EOF && link->send_reset)
        r->broke = BREAK_RESET; /* sending has taken the error away, reading finds the end */
    if (st == HOP_EOF)
        return;
    link->hop->ops->failure(link->hop, &failure);
    if (failure.cause == HOP_CAUSE_ALERT_IN)
        r->broke = link_tls_alert(link, r->reused || http_parser_begun(link->parser));
    else if (failure.cause == HOP_CAUSE_RESET)
        r->broke = BREAK_RESET;
    else if (failure.cause == HOP_CAUSE_ERRNO)
        snprintf(r->why, sizeof r->why, "%s", strerror(failure.sys_errno));
}

/* True when the connection can serve another call. */
static bool read_answer(struct gateway_link *link)
{
    struct gateway_result *r = link->now;
    char buf[16384];
    bool clean = false;

    link->garbled = 0;
    link->interim = 0;
    http_parser_next(link->parser);
    if (strcmp(link->task->method, "HEAD") == 0)
        http_parser_no_body(link->parser);
    for (;;) {
        size_t got = 0;
        enum hop_status st = hop_read(link->hop, buf, sizeof buf, &got);

        if (st == HOP_OK) {
            if (r->answered_us == 0)
                r->answered_us = clock_mono_us();
            r->stage = GATEWAY_ANSWER;
            if (take_bytes(link, buf, got, &clean))
                return clean;
            if (!in_time(link)) {
                r->broke = BREAK_ANSWER_TIMEOUT;
                return false;
            }
        } else if (st == HOP_EOF || st == HOP_FAILED) {
            read_ended(link, st);
            return false;
        } else if (!wait_for(link, st)) {
            r->broke = BREAK_ANSWER_TIMEOUT;
            return false;
        }
    }
}

/* --- one call --- */
static void make_call(struct gateway_link *link)
{
    const struct gateway_task *task = link->task;
    struct gateway_result *r = link->now;

    if (!task->uri.valid) {
        r->broke = BREAK_BAD_ENDPOINT;
        snprintf(r->why, sizeof r->why, "%s", task->uri.fault);
        return;
    }
    if (link->hop != NULL) {
        r->reused = true;
        r->connection = link->connections;
        r->local = addr_local(link->hop->fd);
        r->peer = addr_peer(link->hop->fd);
        link_tls_note(link);
    } else if (!link_open(link) || !secure(link)) {
        close_slowly(link);
        return;
    }
    r->stage = GATEWAY_REQUEST;
    link->send_reset = false;
    if (!send_bytes(link, link->head, strlen(link->head)) ||
        !send_bytes(link, task->data, task->data == NULL ? 0 : task->n_data)) {
        gateway_link_close(link);
        return;
    }
    r->sent_us = clock_mono_us();
    if (!read_answer(link))
        gateway_link_close(link);
}

void gateway_call(struct gateway_link *link, struct gateway_result *out)
{
    gateway_result_clear(out);
    link->now = out;
    out->started_wall_us = clock_wall_us();
    out->started_us = clock_mono_us();
    link->deadline_us = out->started_us + link->task->timeout_ms * 1000;
    turn_begin("a call", 0, NULL);
    make_call(link);
    turn_end();
    out->ended_us = clock_mono_us();
    link->now = NULL;
}
