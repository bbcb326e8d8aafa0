/* SPDX-License-Identifier: Apache-2.0
 * The HTTP server of the read-only pages: one thread, few connections, all of it bounded. */
#include "nlb/admin.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/http.h"
#include "core/loop.h"
#include "core/sock.h"
#include "core/thread.h"
#include "core/watch.h"
#include "listeners/listener.h"

/* For the whole of the next request, and for taking the whole of an answer: not per octet. */
#define REQUEST_S 10
#define ANSWER_S  30
#define RETRY_MS  100

struct conn {
    TAILQ_ENTRY(conn) all;
    struct admin *admin;
    struct event deadline;
    struct bufferevent *bev;
    struct http_parser *parser;
    bool closing; /* once the answer is out */
};

struct admin {
    struct admin_calls calls;
    struct addr addr;
    pthread_t thread;
    struct watch watch;
    struct event_base *base;
    struct event accept_event, retry_event, stop_event;
    int fd, lock_fd, stop_fd;
    TAILQ_HEAD(conns, conn) conns; /* who was answered last stands first */
    size_t n_conns;
};

/* --- one connection --- */
static void conn_free(struct conn *c)
{
    TAILQ_REMOVE(&c->admin->conns, c, all);
    c->admin->n_conns--;
    evtimer_del(&c->deadline);
    bufferevent_free(c->bev); /* closes the socket */
    http_parser_free(c->parser);
    free(c);
}

static void give_time(struct conn *c, time_t seconds)
{
    evtimer_add(&c->deadline, &(struct timeval){ .tv_sec = seconds });
}

static int respond(struct conn *c, const struct http_response *r)
{
    struct http_response safe = *r;
    char extra[256];

    snprintf(extra, sizeof extra, "X-Content-Type-Options: nosniff\r\n%s",
             r->extra == NULL ? "" : r->extra);
    safe.extra = extra;
    give_time(c, ANSWER_S);
    TAILQ_REMOVE(&c->admin->conns, c, all);
    TAILQ_INSERT_HEAD(&c->admin->conns, c, all);
    return http_write_response(bufferevent_get_output(c->bev), &safe);
}

static void answer_error(struct conn *c, unsigned status, const char *why, const char *extra)
{
    const struct http_response r = {
        .status = status,
        .content_type = "text/plain; charset=utf-8",
        .extra = extra,
        .body = why,
        .n = strlen(why),
        .close = true,
    };

    c->closing = true;
    if (respond(c, &r) != 0)
        bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR, BEV_OPT_DEFER_CALLBACKS);
}

static size_t unread(const struct conn *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

/* `n` bytes more for `c`: who has not read its own answer for longest goes where that is too much.
 */
static void make_room(struct conn *c, size_t n)
{
    struct admin *a = c->admin;
    struct conn *other, *next;

    TAILQ_FOREACH(other, &a->conns, all)
    n += unread(other);
    for (other = TAILQ_LAST(&a->conns, conns); other != NULL && n > a->calls.bytes; other = next) {
        next = TAILQ_PREV(other, conns, all);
        if (other == c || unread(other) == 0)
            continue;
        n -= unread(other);
        ceiling_reached(a->calls.ceilings, CEILING_METRICS_BYTES, a->calls.bytes, "");
        conn_free(other);
    }
}

static void answer_request(struct conn *c)
{
    const struct http_message *m = http_parser_message(c->parser);
    bool head = strcmp(m->method, "HEAD") == 0;
    struct admin_page page;
    struct http_response r;

    if (!head && strcmp(m->method, "GET") != 0) {
        answer_error(c, 405, "GET and HEAD only\n", "Allow: GET, HEAD\r\n");
        return;
    }
    page = c->admin->calls.page(c->admin->calls.arg, m);
    if (page.body == NULL) {
        answer_error(c, 500, "out of memory\n", NULL);
        return;
    }
    make_room(c, strlen(page.body));
    c->closing = !m->keep_alive;
    r = (struct http_response){
        .status = page.status,
        .content_type = page.content_type,
        .extra = page.extra[0] == '\0' ? NULL : page.extra,
        .body = page.body,
        .n = strlen(page.body),
        .close = c->closing,
        .keep = !c->closing && m->minor == 0,
        .head_only = head,
    };
    if (respond(c, &r) != 0)
        answer_error(c, 500, "out of memory\n", NULL);
    free(page.body);
}

/* One request at a time: the next is read once the answer is out, so that a client that sends many
 * cannot make us hold many answers. */
static void read_cb(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);

    while (!c->closing && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
        size_t n = evbuffer_get_contiguous_space(in), used = 0;
        const char *why;
        unsigned status;

        if (n == 0)
            return;
        switch (http_parser_feed(c->parser, evbuffer_pullup(in, (ssize_t)n), n, &used)) {
        case HTTP_MORE:
            evbuffer_drain(in, used);
            break;
        case HTTP_DONE:
            evbuffer_drain(in, used);
            answer_request(c);
            http_parser_next(c->parser);
            break;
        case HTTP_BAD:
            status = http_parser_error(c->parser, &why); /* sets `why`: not in one call with it */
            answer_error(c, status, why, NULL);
            break;
        }
    }
}

static void write_cb(struct bufferevent *bev, void *arg)
{
    struct conn *c = arg;

    if (c->closing) {
        conn_free(c);
    } else {
        give_time(c, REQUEST_S);
        read_cb(bev, c); /* what came meanwhile */
    }
}

static void event_cb(struct bufferevent *bev, short what, void *arg)
{
    struct conn *c = arg;

    /* Who ends its own direction still reads: the answer goes out whole. */
    if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        c->closing = true;
    else
        conn_free(c); /* nobody waits for an answer */
}

static void deadline_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    conn_free(arg);
}

static void conn_start(struct admin *a, int fd)
{
    const struct http_limits limits = { .body_bytes = 4096 };
    struct conn *c = calloc(1, sizeof *c);

    if (c != NULL) {
        c->admin = a;
        c->bev = bufferevent_socket_new(a->base, fd, BEV_OPT_CLOSE_ON_FREE);
        c->parser = http_parser_new(HTTP_KIND_REQUEST, &limits);
    }
    if (c == NULL || c->bev == NULL || c->parser == NULL) {
        if (c != NULL && c->bev != NULL)
            bufferevent_free(c->bev);
        else
            close(fd);
        if (c != NULL)
            http_parser_free(c->parser);
        free(c);
        return;
    }
    TAILQ_INSERT_HEAD(&a->conns, c, all);
    a->n_conns++;
    bufferevent_setcb(c->bev, read_cb, write_cb, event_cb, c);
    evtimer_assign(&c->deadline, a->base, deadline_cb, c);
    give_time(c, REQUEST_S);
    bufferevent_setwatermark(c->bev, EV_READ, 0, 65536);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* --- the thread --- */
static void accept_cb(evutil_socket_t fd, short what, void *arg)
{
    struct admin *a = arg;
    int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (conn < 0 && sock_out_of_resources(errno)) {
        a->calls.starved(a->calls.arg);
        event_del(&a->accept_event); /* look again later */
        evtimer_add(&a->retry_event, &(struct timeval){ .tv_usec = RETRY_MS * 1000 });
    }
    if (conn < 0)
        return;
    if (a->n_conns >= a->calls.connections) {
        ceiling_reached(a->calls.ceilings, CEILING_METRICS_CONNECTIONS, a->calls.connections, "");
        conn_free(TAILQ_LAST(&a->conns, conns)); /* who was not answered for longest */
    }
    conn_start(a, conn);
}

static void accept_again_cb(evutil_socket_t fd, short what, void *arg)
{
    struct admin *a = arg;

    (void)fd, (void)what;
    event_add(&a->accept_event, NULL);
}

static void stop_cb(evutil_socket_t fd, short what, void *arg)
{
    struct admin *a = arg;

    (void)fd, (void)what;
    event_base_loopbreak(a->base);
}

static void *admin_run(void *arg)
{
    struct admin *a = arg;

    watch_begin(&a->watch, a->base, "the thread of the pages");
    event_base_dispatch(a->base);
    watch_end(&a->watch);
    while (!TAILQ_EMPTY(&a->conns))
        conn_free(TAILQ_FIRST(&a->conns));
    return NULL;
}

static void admin_release(struct admin *a)
{
    if (a->fd >= 0) {
        event_del(&a->accept_event);
        evtimer_del(&a->retry_event);
        event_del(&a->stop_event);
        close(a->fd);
    }
    if (a->lock_fd >= 0)
        close(a->lock_fd);
    if (a->stop_fd >= 0)
        close(a->stop_fd);
    if (a->base != NULL)
        event_base_free(a->base);
    free(a);
}

/* A port that was asked for belongs to one process: SO_REUSEPORT would share it silently. */
static int open_socket(struct admin *a, struct err *err)
{
    if (addr_port(&a->addr) != 0 && (a->lock_fd = listener_lock(&a->addr, err)) < 0)
        return -1;
    a->fd = listener_open(&a->addr, err);
    return a->fd < 0 ? -1 : 0;
}

struct admin *admin_start(const struct admin_calls *calls, const struct addr *addr, struct err *err)
{
    struct admin *a = calloc(1, sizeof *a);

    if (a == NULL) {
        err_set(err, ERR_NOMEM, "metrics");
        return NULL;
    }
    a->calls = *calls;
    a->addr = *addr;
    TAILQ_INIT(&a->conns);
    a->fd = a->lock_fd = -1;
    a->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (a->stop_fd < 0)
        err_set(err, ERR_ENVIRONMENT, "eventfd: %s", err_why(errno));
    if (a->stop_fd < 0 || (a->base = loop_new(err)) == NULL || open_socket(a, err) != 0)
        goto fail;
    event_assign(&a->accept_event, a->base, a->fd, EV_READ | EV_PERSIST, accept_cb, a);
    evtimer_assign(&a->retry_event, a->base, accept_again_cb, a);
    event_assign(&a->stop_event, a->base, a->stop_fd, EV_READ, stop_cb, a);
    event_add(&a->accept_event, NULL);
    event_add(&a->stop_event, NULL);
    if (thread_start(&a->thread, "pages", admin_run, a) == 0)
        return a;
    err_set(err, ERR_ENVIRONMENT, "cannot start the thread");
fail:
    err_prefix(err, "metrics");
    admin_release(a);
    return NULL;
}

void admin_stop(struct admin *a)
{
    const uint64_t one = 1;

    if (a == NULL)
        return;
    if (write(a->stop_fd, &one, sizeof one) < 0)
        event_base_loopbreak(a->base);
    pthread_join(a->thread, NULL);
    admin_release(a);
}

const struct addr *admin_address(const struct admin *a)
{
    return &a->addr;
}
