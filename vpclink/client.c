/* SPDX-License-Identifier: Apache-2.0
 * One call of API Gateway's HTTP client, from its start to its end: a state machine over a hop. */
#include "vpclink/client.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/turn.h"
#include "tls/tls_conf.h"
#include "tls/tls_question.h"
#include "vpclink/call.h"
#include "vpclink/lookup.h"
#include "vpclink/pool.h"
#include "vpclink/request.h"

/* How long a refused peer may take to read the alert before the socket is closed. */
#define LINGER_US 100000
/* How long a server may take to answer a question of ours. */
#define ASK_US 2000000

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

/* --- what calls share --- */
struct gateway_client *gateway_client_new(struct event_base *base, const struct gateway_task *task,
                                          struct err *err)
{
    struct gateway_client *c = calloc(1, sizeof *c);

    if (c != NULL)
        c->pool = pool_new(base, task->keep_idle_ms);
    if (c == NULL || c->pool == NULL) {
        free(c);
        err_set(err, ERR_NOMEM, "the client of %s", task->uri.text);
        return NULL;
    }
    c->base = base;
    lingerers_init(&c->lingers, base, LINGER_US);
    if (task->uri.tls && (c->conf = call_tls_conf(task, err)) == NULL) {
        gateway_client_free(c);
        return NULL;
    }
    return c;
}

void gateway_client_close_kept(struct gateway_client *c)
{
    pool_close(c->pool);
}

bool gateway_client_quiet(const struct gateway_client *c)
{
    return linger_over(&c->lingers);
}

void gateway_client_free(struct gateway_client *c)
{
    if (c == NULL)
        return;
    pool_free(c->pool);
    linger_clear(&c->lingers);
    tls_conf_free(c->conf);
    free(c);
}

/* --- the states; each step answers as hop_secure() does --- */
static enum hop_status secure(struct gateway_call *call)
{
    struct gateway_result *r = call->now;
    enum hop_status st;

    if (!call->task->uri.tls)
        return HOP_OK;
    r->stage = GATEWAY_HANDSHAKE;
    st = hop_secure(call->hop);
    if (st == HOP_FAILED || call_tls_warned(call)) {
        call_tls_failed(call);
        return HOP_FAILED;
    }
    if (st != HOP_OK)
        return st;
    r->secured_us = clock_mono_us();
    return call_tls_secured(call) ? HOP_OK : HOP_FAILED;
}

/* The head, then the body. A peer that no longer listens may have answered, or said why, before. */
static enum hop_status send_request(struct gateway_call *call)
{
    const size_t n_head = strlen(call->head);
    const size_t n_data = call->task->data == NULL ? 0 : call->task->n_data;

    call->now->stage = GATEWAY_REQUEST;
    while (call->sent < n_head + n_data) {
        bool head = call->sent < n_head;
        const char *at = head ? call->head + call->sent : call->task->data + (call->sent - n_head);
        size_t n = head ? n_head - call->sent : n_head + n_data - call->sent, put = 0;
        enum hop_status st = hop_write(call->hop, at, n, &put);

        if (st == HOP_FAILED) {
            struct hop_failure failure;

            call->hop->ops->failure(call->hop, &failure);
            call->send_reset = failure.sys_errno == ECONNRESET;
            break;
        }
        if (st != HOP_OK)
            return st;
        call->sent += put;
    }
    if (hop_flush(call->hop) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    call->now->sent_us = clock_mono_us();
    return HOP_OK;
}

static enum hop_status read_answer(struct gateway_call *call)
{
    struct gateway_result *r = call->now;
    char buf[16384];

    for (;;) {
        size_t got = 0;
        enum hop_status st = hop_read(call->hop, buf, sizeof buf, &got);

        if (st == HOP_EOF || st == HOP_FAILED) {
            answer_ended(call, st);
            return HOP_OK;
        }
        if (st != HOP_OK)
            return st;
        if (r->answered_us == 0)
            r->answered_us = clock_mono_us();
        r->stage = GATEWAY_ANSWER;
        if (answer_take(call, buf, got))
            return HOP_OK;
    }
}

static const struct rule {
    enum hop_status (*step)(struct gateway_call *call);
    enum call_state next;    /* after HOP_OK; HOP_FAILED: the call is over */
    enum gateway_break late; /* when its time is up; BREAK_N: what it was before */
} rules[] = {
    [CALL_RESOLVING] = { call_resolve, CALL_CONNECTING, BREAK_UNREACHABLE },
    [CALL_CONNECTING] = { call_connect, CALL_SECURING, BREAK_UNREACHABLE },
    [CALL_SECURING] = { secure, CALL_SENDING, BREAK_HANDSHAKE_TIMEOUT },
    [CALL_ASKING] = { call_tls_ask, CALL_OVER, BREAK_N },
    [CALL_SENDING] = { send_request, CALL_READING, BREAK_ANSWER_TIMEOUT },
    [CALL_READING] = { read_answer, CALL_OVER, BREAK_ANSWER_TIMEOUT },
    [CALL_OVER] = { NULL, CALL_OVER, BREAK_N },
};

/* --- the end --- */
/* `slowly`: what was said last (an alert) must not be overtaken by a RST of the kernel. */
static void close_hop(struct gateway_call *call, bool slowly)
{
    if (call->hop == NULL)
        return;
    (void)hop_send_eof(call->hop);
    if (slowly) {
        linger_start(&call->client->lingers, call->hop->fd);
        call->hop->fd = -1;
    }
    hop_free(call->hop, false);
}

static void call_free(struct gateway_call *call)
{
    event_del(&call->io);
    event_del(&call->timer);
    close_hop(call, call->state <= CALL_ASKING);
    if (call->fd >= 0)
        close(call->fd);
    lookup_free(call->lookup);
    tls_question_free(call->question);
    http_parser_free(call->parser);
    free(call->head);
    free(call);
}

void gateway_call_cancel(struct gateway_call *call)
{
    if (call != NULL)
        call_free(call);
}

/* `call->state` is the one that it ended in. */
static void call_end(struct gateway_call *call)
{
    gateway_done_cb done = call->done;
    void *arg = call->arg;
    struct gateway_result *r = call->now;

    r->ended_us = clock_mono_us();
    if (call->clean) {
        event_del(&call->io);
        pool_keep(call->client->pool, call->hop, r->connection);
        call->hop = NULL;
    }
    call_free(call);
    done(arg, r);
}

/* --- the loop --- */
static int descriptor(const struct gateway_call *call)
{
    switch (call->state) {
    case CALL_RESOLVING:
        return lookup_fd(call->lookup);
    case CALL_CONNECTING:
        return call->fd;
    case CALL_ASKING:
        return tls_question_fd(call->question);
    case CALL_SECURING:
    case CALL_SENDING:
    case CALL_READING:
        return call->hop->fd;
    case CALL_OVER:
        break;
    }
    return -1;
}

static void io_cb(evutil_socket_t fd, short what, void *arg);

/* Before the hop has it, a descriptor may be closed by the next step: it is waited for once. */
static void wait_for(struct gateway_call *call, enum hop_status st)
{
    const short what = st == HOP_WANT_WRITE ? EV_WRITE : EV_READ;
    const bool stays = call->hop != NULL && call->state != CALL_ASKING;

    if (!stays || call->armed != what) {
        event_del(&call->io);
        event_assign(&call->io, call->client->base, descriptor(call),
                     (short)(what | (stays ? EV_PERSIST : 0)), io_cb, call);
        call->armed = stays ? what : 0;
        if (event_add(&call->io, NULL) != 0) {
            call->now->broke = BREAK_NO_MEMORY;
            call_end(call);
            return;
        }
    }
    if (turn_spent())
        event_active(&call->io, what, 0); /* what a TLS hop holds makes no socket readable */
}

/* libevent counts by a coarse clock: a timer may come some milliseconds early. */
static int set_deadline(struct gateway_call *call, uint64_t deadline_us)
{
    const uint64_t now = clock_mono_us();
    const struct timeval left = clock_timeval(deadline_us > now ? deadline_us - now : 0);

    call->deadline_us = deadline_us;
    return evtimer_add(&call->timer, &left);
}

static void begin_asking(struct gateway_call *call)
{
    event_del(&call->io);
    call->armed = 0;
    call->state = CALL_ASKING;
    if (set_deadline(call, clock_mono_us() + ASK_US) != 0)
        call_end(call);
    else
        wait_for(call, HOP_WANT_WRITE);
}

static void call_step(struct gateway_call *call)
{
    enum hop_status st = HOP_OK;

    while (st == HOP_OK) {
        st = rules[call->state].step(call);
        if (st == HOP_OK && rules[call->state].next == CALL_OVER)
            break;
        if (st == HOP_OK)
            call->state = rules[call->state].next;
    }
    if (st == HOP_WANT_READ || st == HOP_WANT_WRITE)
        wait_for(call, st);
    else if (st == HOP_FAILED && call->state == CALL_SECURING && call->question != NULL)
        begin_asking(call);
    else
        call_end(call);
}

static void io_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    turn_begin("a call", 0, NULL);
    call_step(arg);
    turn_end();
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
    struct gateway_call *call = arg;
    const enum gateway_break late = rules[call->state].late;

    (void)fd, (void)what;
    if (clock_mono_us() < call->deadline_us && set_deadline(call, call->deadline_us) == 0)
        return;
    if (call->state == CALL_SECURING)
        call_tls_note(call);
    if (late == BREAK_UNREACHABLE)
        snprintf(call->now->why, sizeof call->now->why, "%s", strerror(ETIMEDOUT));
    if (late != BREAK_N)
        call->now->broke = late;
    call_end(call);
}

/* --- the start --- */
static void refused_cb(evutil_socket_t fd, short what, void *arg)
{
    struct gateway_call *call = arg;
    struct gateway_result *r = call->now;

    (void)fd, (void)what;
    r->broke = BREAK_BAD_ENDPOINT;
    snprintf(r->why, sizeof r->why, "%s", call->task->uri.fault);
    call_end(call);
}

static void use_kept(struct gateway_call *call)
{
    struct gateway_result *r = call->now;

    call->hop = pool_take(call->client->pool, &r->connection);
    if (call->hop == NULL)
        return;
    call->state = CALL_SENDING;
    r->reused = true;
    r->local = addr_local(call->hop->fd);
    r->peer = addr_peer(call->hop->fd);
    call_tls_note(call);
}

struct gateway_call *gateway_call_start(struct gateway_client *client,
                                        const struct gateway_task *task, struct gateway_result *out,
                                        gateway_done_cb done, void *arg)
{
    struct gateway_call *call = calloc(1, sizeof *call);

    gateway_result_clear(out);
    out->started_wall_us = clock_wall_us();
    out->started_us = clock_mono_us();
    if (call == NULL)
        return NULL;
    *call = (struct gateway_call){
        .client = client, .task = task, .now = out, .done = done, .arg = arg, .fd = -1
    };
    event_assign(&call->io, client->base, -1, 0, task->uri.valid ? io_cb : refused_cb, call);
    evtimer_assign(&call->timer, client->base, timer_cb, call);
    call->head = gateway_request_head(task);
    if (call->head == NULL || !answer_begin(call) ||
        set_deadline(call, out->started_us + task->timeout_ms * 1000) != 0) {
        call_free(call);
        return NULL;
    }
    if (task->uri.valid)
        use_kept(call);
    event_active(&call->io, EV_READ, 0);
    return call;
}
