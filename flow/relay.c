/* SPDX-License-Identifier: Apache-2.0
 * Bytes in two directions with back-pressure.
 *
 * A direction reads into the worker's scratch buffer and writes from there. What the other side
 * does not take at once is held by the direction, and until it is gone nothing more is read: the
 * high mark is one read, the low mark is empty, and an idle flow owns no buffer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/turn.h"
#include "flow/actions.h"
#include "flow/observe_tls.h"
#include "flow/splice.h"
#include "tls/hop_tls.h"

static void wait_for(struct flow_side *side, enum hop_status st, bool reading)
{
    if (reading) {
        side->can_read = false;
        side->read_wants_write = st == HOP_WANT_WRITE;
    }
    if (st == HOP_WANT_WRITE)
        side->can_write = false;
}

static int hold(struct flow_dir *dir, const uint8_t *data, size_t n)
{
    dir->hold = malloc(n);
    if (dir->hold == NULL)
        return -1;
    memcpy(dir->hold, data, n);
    dir->hold_at = 0;
    dir->hold_len = n;
    return 0;
}

/* Write until all is taken or the side blocks. HOP_OK: `*put` says how much went. */
static enum hop_status write_some(struct flow_side *to, const uint8_t *data, size_t n, size_t *put)
{
    size_t total = 0;
    enum hop_status st = HOP_OK;

    while (total < n && to->can_write) {
        size_t once = 0;

        st = hop_write(to->hop, data + total, n - total, &once);
        if (st != HOP_OK)
            break;
        total += once;
    }
    *put = total;
    if (st == HOP_WANT_READ || st == HOP_WANT_WRITE) {
        wait_for(to, st, false);
        to->can_write = false;
        st = HOP_OK;
    }
    return st;
}

/* A PROXY header goes out together with the client's first payload, and not at all without any. */
static bool must_wait(struct flow_dir *dir, struct flow_side *from)
{
    uint8_t byte;
    ssize_t n = recv(from->hop->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        from->can_read = false;
        return true;
    }
    dir->hold_waits = false;
    if (n <= 0)
        dir->hold_len = 0; /* an end or an error, which the relay meets next */
    return false;
}

static enum relay_result write_held(struct flow_dir *dir, struct flow_side *from,
                                    struct flow_side *to)
{
    size_t put;

    if (dir->hold_waits && must_wait(dir, from))
        return RELAY_BLOCKED;
    if (write_some(to, dir->hold + dir->hold_at, dir->hold_len, &put) == HOP_FAILED)
        return RELAY_TO_FAILED;
    dir->hold_at += put;
    dir->hold_len -= put;
    if (dir->hold_len > 0)
        return RELAY_BLOCKED;
    free(dir->hold);
    dir->hold = NULL;
    return RELAY_MOVED;
}

static enum relay_result copy_once(struct flow *f, struct flow_dir *dir, struct flow_side *from,
                                   struct flow_side *to)
{
    uint8_t *buf = f->env->scratch;
    size_t got = 0, put = 0;
    enum hop_status st = hop_read(from->hop, buf, FLOW_SCRATCH, &got);

    switch (st) {
    case HOP_OK:
        break;
    case HOP_EOF:
        dir->eof_in = true;
        if (f->record.closed_first == NULL)
            f->record.closed_first = dir == &f->up ? "client" : "target";
        from->can_read = false;
        return RELAY_ENDED;
    case HOP_WANT_READ:
    case HOP_WANT_WRITE:
        wait_for(from, st, true);
        return RELAY_BLOCKED;
    case HOP_HELD:
    case HOP_FAILED:
        return RELAY_FROM_FAILED;
    }
    dir->bytes += got;
    /* A short read does not say that the edge is used up: a RST may have come with the bytes, and
     * libevent shows EPOLLERR as nothing but "readable and writable". Only EAGAIN says it. */
    if (got == FLOW_SCRATCH && f->plan->relay == FLOW_RELAY_AUTO)
        dir->splicing = splice_possible(from->hop, to->hop);
    st = write_some(to, buf, got, &put);
    if (flow_env_wants_chain(f->env))
        first_bytes_take(dir == &f->up ? &f->record.first_client : &f->record.first_target, buf,
                         got);
    if (f->watching) { /* the bytes have gone on; an alert counts even when nobody took it */
        observer_see(f, dir == &f->up, buf, got);
        if (dir->splicing && f->watching)
            observer_end(f);
    }
    if (st == HOP_FAILED)
        return RELAY_TO_FAILED;
    if (put < got && hold(dir, buf + put, got - put) != 0) {
        f->record.end = END_ELB_INTERNAL;
        return RELAY_TO_FAILED;
    }
    return RELAY_MOVED;
}

static enum relay_result pass_end(struct flow *f, struct flow_dir *dir, struct flow_side *to)
{
    const struct flow_dir *other = dir == &f->up ? &f->down : &f->up;
    enum hop_status st;

    if (dir->eof_out)
        return RELAY_BLOCKED;
    /* The last end of the flow needs no FIN of its own: closing the socket sends it. */
    st = other->eof_out ? hop_flush(to->hop) : hop_send_eof(to->hop);
    if (st == HOP_FAILED)
        return RELAY_TO_FAILED;
    if (st != HOP_OK) {
        wait_for(to, st, false);
        return RELAY_BLOCKED;
    }
    dir->eof_out = true;
    return RELAY_BLOCKED;
}

/* Move what can be moved in one direction, each with a budget of its own, or a busy one would
 * starve the other. RELAY_AGAIN: the turn is spent, not the work. */
static enum relay_result move(struct flow *f, struct flow_dir *dir, struct flow_side *from,
                              struct flow_side *to)
{
    turn_begin("relay", f->record.id, flow_state_name(f->state));
    for (;;) {
        enum relay_result r;

        if (to->can_write && hop_flush(to->hop) == HOP_WANT_WRITE)
            to->can_write = false;
        if (dir->hold_len > 0) {
            r = write_held(dir, from, to);
            if (r != RELAY_MOVED)
                return r;
        }
        if (dir->eof_in && dir->in_pipe == 0)
            return pass_end(f, dir, to);
        if (!from->can_read && dir->in_pipe == 0)
            return RELAY_BLOCKED;
        r = dir->splicing ? splice_once(f, dir, from, to) : copy_once(f, dir, from, to);
        if (r == RELAY_BLOCKED && turn_spent()) {
            from->can_read = true; /* no edge will tell */
            return RELAY_AGAIN;
        }
        if (r == RELAY_ENDED)
            continue; /* the loop passes it on once everything before it has gone */
        if (r != RELAY_MOVED)
            return r;
    }
}

/* A client that closes without a byte and without close_notify right after the handshake has most
 * likely refused the certificate, as some clients do that judge afterwards. */
static bool silent_refusal(const struct flow *f)
{
    const struct tls_facts *front = hop_tls_facts(f->front.hop);

    return front != NULL && f->up.eof_in && f->up.bytes == 0 && f->down.bytes == 0 &&
           !front->closed_in_order && !front->resumed;
}

/* A RST behind the end of a TLS side: its close_notify came in the same edge, or before. What it
 * had sent by then is delivered first; a kernel makes such a RST of a close with bytes unread. */
static bool reset_behind_end(const struct flow_dir *dir, const struct flow_side *from)
{
    return dir->eof_out && hop_tls_facts(from->hop) != NULL && flow_side_error(from) != 0;
}

static enum flow_event reset_by(struct flow *f, const struct flow_side *side)
{
    f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_RESET, .sys_errno = ECONNRESET };
    return flow_fail(f, side == &f->front ? END_CLIENT_RESET : END_TARGET_RESET);
}

static enum flow_event relay_failed(struct flow *f, struct flow_side *side)
{
    if (f->record.end != END_N)
        return ON_FAILED;
    return flow_fail_hop(f, side);
}

static enum flow_event pump(struct flow *f)
{
    uint64_t before = f->up.bytes + f->down.bytes;
    enum relay_result up = move(f, &f->up, &f->front, &f->back);
    enum relay_result down;

    if (up == RELAY_FROM_FAILED)
        return relay_failed(f, &f->front);
    if (up == RELAY_TO_FAILED)
        return relay_failed(f, &f->back);
    down = move(f, &f->down, &f->back, &f->front);
    if (down == RELAY_FROM_FAILED)
        return relay_failed(f, &f->back);
    if (down == RELAY_TO_FAILED)
        return relay_failed(f, &f->front);
    if (f->up.bytes + f->down.bytes != before) {
        f->active_us = clock_mono_us();
        flow_count_bytes(f);
    }
    if (silent_refusal(f))
        return flow_fail(f, END_CLIENT_TLS_SILENT);
    if (f->state == FLOW_RELAYING && (f->up.eof_in || f->down.eof_in))
        return ON_EOF;
    if (f->plan->close_on_eof && (f->up.eof_out || f->down.eof_out))
        return ON_DRAINED;
    if (f->up.eof_out && f->down.eof_out && hop_flush(f->front.hop) == HOP_OK &&
        hop_flush(f->back.hop) == HOP_OK)
        return ON_DRAINED;
    if (reset_behind_end(&f->up, &f->front))
        return reset_by(f, &f->front);
    if (reset_behind_end(&f->down, &f->back))
        return reset_by(f, &f->back);
    /* The turn was used up: come back after the others. */
    if (up == RELAY_AGAIN)
        event_active(&f->front.event, EV_READ, 0);
    if (down == RELAY_AGAIN)
        event_active(&f->back.event, EV_READ, 0);
    return ON_NOTHING;
}

enum flow_event flow_begin_relay(struct flow *f)
{
    flow_idle_begin(f);
    if (registration_flows(f->target->reg) == TARGET_FLOWS_LOST)
        return ON_LOST;
    observer_begin(f);
    if (f->plan->relay == FLOW_RELAY_SPLICE && !f->watching)
        f->up.splicing = f->down.splicing = splice_possible(f->front.hop, f->back.hop);
    /* TLS hops may hold bytes of which no edge will tell. */
    if (f->front.hop->ops->pending(f->front.hop) > 0 || hop_tls_facts(f->front.hop) != NULL)
        f->front.can_read = true;
    if (f->back.hop->ops->pending(f->back.hop) > 0 || hop_tls_facts(f->back.hop) != NULL)
        f->back.can_read = true;
    return pump(f);
}

enum flow_event flow_pass_eof(struct flow *f)
{
    return pump(f);
}

/* A RST must be told, although nothing is read from that side: its bytes wait for the other side,
 * or it has ended already. */
static bool reset_behind(const struct flow_dir *dir, const struct flow_side *from)
{
    if (dir->eof_in ? hop_tls_facts(from->hop) != NULL : dir->hold_len == 0 && dir->in_pipe == 0)
        return false;
    return flow_side_error(from) != 0;
}

enum flow_event flow_drive_relay(struct flow *f, struct flow_side *ready)
{
    if (ready->can_read && reset_behind(ready == &f->front ? &f->up : &f->down, ready))
        return reset_by(f, ready);
    return pump(f);
}
