/* SPDX-License-Identifier: Apache-2.0
 * The answer to a call, from its first byte to what is kept of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vpclink/call.h"

/* API Gateway's payload limit (API Gateway guide, "Quotas for configuring and running a REST API").
 */
#define BODY_MAX (10u * 1024 * 1024)
/* A first line longer than this is none. */
#define GARBLED_MAX 8192

bool answer_begin(struct gateway_call *call)
{
    const struct http_limits limits = { .body_bytes = BODY_MAX, .keep_body = BODY_MAX };

    call->parser = http_parser_new(HTTP_KIND_RESPONSE, &limits);
    if (call->parser != NULL && strcmp(call->task->method, "HEAD") == 0)
        http_parser_no_body(call->parser);
    return call->parser != NULL;
}

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

static void keep_answer(struct gateway_call *call)
{
    const struct http_message *m = http_parser_message(call->parser);
    struct gateway_result *r = call->now;

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
static bool give_up_on(struct gateway_call *call, const char *data, size_t n)
{
    const char *why;

    call->garbled += n;
    call->now->stage = GATEWAY_REQUEST; /* that was no answer */
    if (memchr(data, '\n', n) == NULL && call->garbled < GARBLED_MAX)
        return false;
    (void)http_parser_error(call->parser, &why);
    snprintf(call->now->why, sizeof call->now->why, "%s", why);
    call->now->broke = BREAK_BAD_ANSWER;
    return true;
}

bool answer_take(struct gateway_call *call, const char *data, size_t n)
{
    while (n > 0) {
        size_t used = 0;
        enum http_progress at = http_parser_feed(call->parser, data, n, &used);

        if (at == HTTP_BAD && !http_parser_message(call->parser)->head_complete)
            return give_up_on(call, data, n);
        if (at == HTTP_BAD)
            return give_up_on(call, "\n", 1);
        data += used;
        n -= used;
        if (at == HTTP_MORE)
            continue;
        if (http_parser_message(call->parser)->status / 100 != 1) {
            keep_answer(call);
            call->clean = n == 0 && http_parser_message(call->parser)->keep_alive;
            return true;
        }
        if (++call->interim > HTTP_INTERIM_MAX) {
            snprintf(call->now->why, sizeof call->now->why, "more than %d interim answers (1xx)",
                     HTTP_INTERIM_MAX);
            call->now->broke = BREAK_BAD_ANSWER;
            return true;
        }
        http_parser_next(call->parser); /* 100 Continue and its like: the answer is still to come */
    }
    return false;
}

void answer_ended(struct gateway_call *call, enum hop_status st)
{
    struct gateway_result *r = call->now;
    struct hop_failure failure;

    if (st == HOP_EOF && call->garbled == 0 && http_parser_eof(call->parser) == HTTP_DONE) {
        keep_answer(call);
        return;
    }
    r->broke = BREAK_CLOSED;
    call_tls_note(call);
    if (st == HOP_EOF && call->send_reset)
        r->broke = BREAK_RESET; /* sending has taken the error away, reading finds the end */
    if (st == HOP_EOF)
        return;
    call->hop->ops->failure(call->hop, &failure);
    if (failure.cause == HOP_CAUSE_ALERT_IN)
        r->broke = call_tls_alert(call, r->reused || http_parser_begun(call->parser));
    else if (failure.cause == HOP_CAUSE_RESET)
        r->broke = BREAK_RESET;
    else if (failure.cause == HOP_CAUSE_ERRNO)
        snprintf(r->why, sizeof r->why, "%s", strerror(failure.sys_errno));
}
