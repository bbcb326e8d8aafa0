/* SPDX-License-Identifier: Apache-2.0
 * Calls for those who have no event loop. */
#include "vpclink/link.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/loop.h"
#include "vpclink/client.h"

struct gateway_link {
    const struct gateway_task *task;
    struct event_base *base;
    struct gateway_client *client;
    unsigned calls; /* in progress, or to come by themselves */
};

static int link_init(struct gateway_link *link, const struct gateway_task *task, struct err *err)
{
    link->task = task;
    link->base = loop_new(err);
    if (link->base != NULL)
        link->client = gateway_client_new(link->base, task, err);
    return link->client == NULL ? -1 : 0;
}

static void link_clear(struct gateway_link *link)
{
    gateway_client_free(link->client);
    if (link->base != NULL)
        event_base_free(link->base);
}

/* Until no call is left, and what was said last in a broken handshake is read. */
static void run_link(struct gateway_link *link)
{
    while (link->calls > 0 || !gateway_client_quiet(link->client)) {
        if (event_base_loop(link->base, EVLOOP_ONCE) != 0)
            return; /* not while there is a call: it waits for something */
    }
}

struct gateway_link *gateway_link_new(const struct gateway_task *task, struct err *err)
{
    struct gateway_link *link = calloc(1, sizeof *link);

    if (link == NULL)
        err_set(err, ERR_NOMEM, "the client of %s", task->uri.text);
    else if (link_init(link, task, err) == 0)
        return link;
    gateway_link_free(link);
    return NULL;
}

void gateway_link_free(struct gateway_link *link)
{
    if (link == NULL)
        return;
    link_clear(link);
    free(link);
}

static void link_done_cb(void *arg, struct gateway_result *out)
{
    struct gateway_link *link = arg;

    (void)out;
    link->calls--;
}

void gateway_link_call(struct gateway_link *link, struct gateway_result *out)
{
    if (gateway_call_start(link->client, link->task, out, link_done_cb, link) == NULL) {
        out->broke = BREAK_NO_MEMORY;
        out->ended_us = out->started_us;
        return;
    }
    link->calls++;
    run_link(link);
}

void gateway_link_close(struct gateway_link *link)
{
    gateway_client_close_kept(link->client);
}

/* --- many --- */
struct caller {
    struct gateway_link *link;
    const struct gateway_many *many;
    unsigned next; /* its calls are first, first + at_once, … */
    struct event pause;
};

static void call_next(struct caller *c);

static void caller_done_cb(void *arg, struct gateway_result *out)
{
    struct caller *c = arg;
    const struct timeval pause = clock_timeval(c->many->pause_ms * 1000);

    (void)out;
    c->next += c->many->at_once;
    if (c->next >= c->many->count)
        c->link->calls--;
    else if (c->many->pause_ms == 0 || evtimer_add(&c->pause, &pause) != 0)
        call_next(c);
}

static void pause_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    call_next(arg);
}

static void call_next(struct caller *c)
{
    while (c->next < c->many->count) {
        struct gateway_result *out = c->many->result(c->many->arg, c->next);

        if (gateway_call_start(c->link->client, c->many->task, out, caller_done_cb, c) != NULL)
            return;
        out->broke = BREAK_NO_MEMORY;
        out->ended_us = out->started_us;
        c->next += c->many->at_once;
    }
    c->link->calls--;
}

int gateway_call_many(const struct gateway_many *many, struct err *err)
{
    struct caller *callers = calloc(many->at_once, sizeof *callers);
    struct gateway_link link = { 0 };
    int rc = -1;

    if (callers == NULL) {
        err_set(err, ERR_NOMEM, "%u clients", many->at_once);
        return -1;
    }
    if (link_init(&link, many->task, err) != 0)
        goto out;
    link.calls = many->at_once;
    for (unsigned i = 0; i < many->at_once; i++) {
        callers[i] = (struct caller){ .link = &link, .many = many, .next = i };
        evtimer_assign(&callers[i].pause, link.base, pause_cb, &callers[i]);
        call_next(&callers[i]);
    }
    run_link(&link);
    rc = 0;
out:
    link_clear(&link);
    free(callers);
    return rc;
}
