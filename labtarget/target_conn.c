/* SPDX-License-Identifier: Apache-2.0
 * One connection to a lab target, from its first byte to its orderly (or faulty) end. */
#include <errno.h>
#include <event2/buffer.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/proxy_header.h"
#include "core/sock.h"
#include "core/turn.h"
#include "labtarget/target_impl.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

/* Longer than any idle timeout of an NLB (350 s, at most 6000 s): the load balancer ends first. */
#define PATIENCE_S      7200
#define DRAIN_S         1
#define DRAIN_BYTES_MAX (1024 * 1024)
/* Steps in one turn of the loop, so that other connections get theirs. */
#define TURN_STEPS 64

static void conn_step(struct conn *c);

/* The peer was silent for as long as was waited for. */
static void patience_over(struct conn *c)
{
    if (c->stage == CONN_READ && c->idle == ACT_CLOSE) {
        c->stage = CONN_END;
        conn_step(c);
    } else {
        conn_free(c, c->stage == CONN_READ && c->idle == ACT_RESET);
    }
}

static void event_cb(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;

    (void)fd;
    if ((what & EV_TIMEOUT) && c->wait_ms == 0) {
        patience_over(c);
        return;
    }
    c->wait_ms = 0;
    c->fault.may_send = true;
    conn_step(c);
}

void conn_free(struct conn *c, bool reset)
{
    event_del(&c->event);
    LIST_REMOVE(c, all);
    if (c->hop != NULL) {
        hop_free(c->hop, reset);
    } else {
        if (reset)
            sock_reset_on_close(c->fd);
        close(c->fd);
    }
    json_decref(c->proxy);
    http_parser_free(c->parser);
    if (c->out != NULL)
        evbuffer_free(c->out);
    free(c->left);
    lab_target_unref(c->target);
    free(c);
}

/* Wait for `what` (EV_READ, EV_WRITE with flags; 0: only for the time). */
static void arm(struct conn *c, short what, struct timeval limit)
{
    event_del(&c->event);
    c->watching = (what & EV_ET) != 0;
    event_assign(&c->event, c->set->base, what == 0 ? -1 : c->fd, what, event_cb, c);
    if (event_add(&c->event, &limit) != 0)
        conn_free(c, false);
    else if (what != 0 && turn_spent())
        event_active(&c->event, EV_READ, 0); /* more may be there than the socket tells of */
}

/* --- stages ---
 * Each answers HOP_OK (go on with c->stage), what to wait for, or HOP_FAILED (it is over). */

/* The hop on the socket: TLS, unless the target speaks plain HTTP. */
static enum hop_status begin_hop(struct conn *c)
{
    static const char *const no_address = "-";
    char text[ADDR_TEXT_MAX];

    if (c->target->cfg->protocol == LAB_HTTPS && !c->fault.plain)
        c->hop = hop_tls_server_new(c->fd, lab_target_tls_hello_cb, c, false);
    else
        c->hop = hop_tcp_new(c->fd);
    if (c->hop == NULL)
        return HOP_FAILED;
    if (fault_applies(c, FAULT_BYTES))
        c->hop->io = &c->io;
    fault_act_at(c, FAULT_BYTES, NULL);
    c->stage = CONN_SECURE;
    log_debug("target_accept", "target=%s connection=%llu peer=%s proxy=%s", c->target->info.name,
              (unsigned long long)c->number, addr_format(&c->peer, text),
              c->proxy == NULL ? no_address : "yes");
    return HOP_OK;
}

static bool peer_ended(const struct conn *c)
{
    struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

    return poll(&p, 1, 0) > 0;
}

static enum hop_status stage_first(struct conn *c)
{
    uint8_t *buf = c->set->scratch;
    struct proxy_header header;
    ssize_t n = recv(c->fd, buf, PROXY_HEADER_MAX, MSG_PEEK);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? HOP_WANT_READ : HOP_FAILED;
    if (n == 0)
        return HOP_FAILED; /* connected and closed: whoever checks a port does that */
    switch (proxy_header_read(&header, buf, (size_t)n)) {
    case PROXY_MORE:
        return peer_ended(c) ? begin_hop(c) : HOP_WANT_READ;
    case PROXY_NONE:
        return begin_hop(c);
    case PROXY_MALFORMED:
        log_debug("target_proxy", "target=%s connection=%llu PROXY header: %s",
                  c->target->info.name, (unsigned long long)c->number, header.why);
        c->act = ACT_CLOSE;
        return HOP_OK;
    case PROXY_HEADER:
        break;
    }
    c->proxy = target_describe_proxy(&header);
    if (recv(c->fd, buf, header.size, 0) != (ssize_t)header.size)
        return HOP_FAILED;
    return begin_hop(c);
}

/* The handshake broke. An alert may be on its way: close so that it arrives. */
static enum hop_status not_secured(struct conn *c)
{
    const struct tls_facts *facts = hop_tls_facts(c->hop);
    struct hop_failure f;

    c->hop->ops->failure(c->hop, &f);
    conn_log_end(c, "handshake");
    if (f.cause == HOP_CAUSE_RESET)
        return HOP_FAILED;
    /* mbedTLS says nothing when a required client certificate does not come in TLS 1.2. */
    if (c->target->cfg->client_auth == CLIENT_AUTH_REQUIRE && f.cause == HOP_CAUSE_TLS &&
        facts->peer_chain.presented == 0 && !facts->alert_out.seen)
        hop_tls_send_alert(c->hop, TLS_ALERT_handshake_failure);
    c->stage = CONN_END;
    return HOP_OK;
}

static enum hop_status stage_secure(struct conn *c)
{
    enum hop_status st = hop_secure(c->hop);
    uint8_t alert;

    if (st == HOP_FAILED)
        return c->act != ACT_NONE ? HOP_OK : not_secured(c);
    if (st != HOP_OK)
        return st == HOP_HELD ? HOP_OK : st;
    c->stage = CONN_READ;
    alert = target_tls_refusal(c);
    if (alert == 0)
        fault_act_at(c, FAULT_HANDSHAKE, NULL);
    else
        conn_refuse(c, alert);
    return HOP_OK;
}

static enum hop_status stage_end(struct conn *c)
{
    enum hop_status st = hop_send_eof(c->hop);

    if (st == HOP_OK) {
        conn_log_end(c, "closed");
        c->stage = CONN_DRAIN;
    }
    return st;
}

/* After a fatal alert: no close_notify, only the FIN. */
static enum hop_status stage_flush_end(struct conn *c)
{
    enum hop_status st = hop_flush(c->hop);

    if (st != HOP_OK)
        return st;
    shutdown(c->fd, SHUT_WR);
    c->stage = CONN_DRAIN;
    return HOP_OK;
}

static enum hop_status stage_drain(struct conn *c)
{
    ssize_t n = recv(c->fd, c->set->scratch, TARGET_SCRATCH, 0);

    if (n > 0)
        c->drained += (size_t)n;
    if (n > 0 && c->drained < DRAIN_BYTES_MAX)
        return HOP_OK;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? HOP_WANT_READ : HOP_FAILED;
}

/* Nothing is read and nothing said; only the peer's end is noticed. */
static enum hop_status stage_hung(struct conn *c)
{
    return peer_ended(c) ? HOP_FAILED : HOP_WANT_READ;
}

static enum hop_status (*const stages[])(struct conn *) = {
    [CONN_FIRST] = stage_first,    [CONN_SECURE] = stage_secure,
    [CONN_READ] = conn_stage_read, [CONN_WRITE] = conn_stage_write,
    [CONN_END] = stage_end,        [CONN_FLUSH_END] = stage_flush_end,
    [CONN_DRAIN] = stage_drain,    [CONN_HUNG] = stage_hung,
};

/* --- the loop --- */
/* Do what was asked for meanwhile. False: the connection waits, or is gone. */
static bool act(struct conn *c)
{
    enum conn_act what = c->act;

    c->act = ACT_NONE;
    switch (what) {
    case ACT_NONE:
        break;
    case ACT_CLOSE:
        conn_log_end(c, "close");
        shutdown(c->fd, SHUT_WR);
        c->stage = CONN_DRAIN;
        break;
    case ACT_RESET:
        conn_log_end(c, "reset");
        conn_free(c, true);
        return false;
    case ACT_HANG:
        conn_log_end(c, "hang");
        c->stage = CONN_HUNG;
        break;
    case ACT_WAIT:
        arm(c, 0, clock_timeval(c->wait_ms * 1000));
        return false;
    }
    return true;
}

static void wait_for(struct conn *c, enum hop_status st)
{
    struct timeval limit = { .tv_sec = c->stage == CONN_DRAIN ? DRAIN_S : PATIENCE_S };
    short what = st == HOP_WANT_WRITE ? EV_WRITE : EV_READ;

    if (st == HOP_WANT_WRITE && c->fault.throttled) {
        c->fault.throttled = false;
        c->wait_ms = c->fault.dribble_ms;
        arm(c, 0, clock_timeval(c->wait_ms * 1000));
        return;
    }
    /* Bytes that are looked at, or left alone, stay in the socket: wake for new ones only. */
    if (c->stage == CONN_FIRST || c->stage == CONN_HUNG) {
        if (!c->watching)
            arm(c, (short)(EV_READ | EV_ET | EV_PERSIST), limit);
        return;
    }
    if (c->stage == CONN_READ && c->idle != ACT_NONE)
        limit = clock_timeval(c->target->fault.number * 1000);
    arm(c, what, limit);
}

static void take_turn(struct conn *c)
{
    for (int i = 0; i < TURN_STEPS; i++) {
        enum hop_status st = stages[c->stage](c);

        if (c->act != ACT_NONE) {
            if (!act(c))
                return;
            continue;
        }
        if (st == HOP_OK)
            continue;
        if (st == HOP_WANT_READ || st == HOP_WANT_WRITE) {
            wait_for(c, st);
        } else {
            conn_log_end(c, "gone");
            conn_free(c, false);
        }
        return;
    }
    c->wait_ms = 1; /* others first */
    arm(c, 0, clock_timeval(0 * 1000));
}

static void conn_step(struct conn *c)
{
    turn_begin("a lab target's connection", 0, NULL);
    take_turn(c);
    turn_end();
}

void conn_start(struct target_socket *s, int fd, const struct addr *peer)
{
    struct conn *c = calloc(1, sizeof *c);

    if (c == NULL) {
        close(fd);
        return;
    }
    c->target = s->target;
    c->target->refs++;
    c->set = s->set;
    c->fd = fd;
    c->peer = *peer;
    c->number = ++s->connections;
    c->io = (struct hop_io){ fault_recv, fault_send, c };
    LIST_INSERT_HEAD(&c->set->conns, c, all);
    event_assign(&c->event, c->set->base, fd, EV_READ, event_cb, c);
    c->parser = http_parser_new(HTTP_KIND_REQUEST, NULL);
    c->out = evbuffer_new();
    if (c->parser == NULL || c->out == NULL) {
        conn_free(c, false);
        return;
    }
    fault_act_at(c, FAULT_ACCEPT, NULL);
    if (c->act == ACT_NONE || act(c))
        conn_step(c);
}
