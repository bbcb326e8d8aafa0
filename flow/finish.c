/* SPDX-License-Identifier: Apache-2.0
 * The only exit of a flow: what a failure is noted as, the record handed over, both hops closed. */
#include <stdlib.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "flow/actions.h"
#include "flow/ask_target.h"
#include "flow/observe_tls.h"
#include "flow/splice.h"
#include "targets/validating_client.h"
#include "tls/hop_tls.h"

void flow_timer(struct flow *f, uint64_t us)
{
    const struct timeval tv = clock_timeval(us);

    evtimer_add(&f->timer, &tv);
}

enum flow_event flow_fail(struct flow *f, enum flow_end end)
{
    if (f->record.end == END_N)
        f->record.end = end;
    return ON_FAILED;
}

int flow_side_error(const struct flow_side *side)
{
    return side->may_hide_error ? back_connected(side->hop) : 0;
}

enum flow_event flow_fail_hop(struct flow *f, struct flow_side *side)
{
    side->hop->ops->failure(side->hop, &f->record.failure);
    f->record.end = flow_failure_end(f, side, &f->record.failure);
    return ON_FAILED;
}

/* A RST that is passed on is the peer's, whose count the end's row names; any other is ours. A
 * socket that never was connected closes without a word. */
static void count_reset(const struct flow_side *side)
{
    struct flow *f = side->flow;
    enum metric passed = flow_end_row(f->record.end)->metric;

    if (passed != METRIC_TCP_CLIENT_RESETS && passed != METRIC_TCP_TARGET_RESETS &&
        (side == &f->front || f->record.connected_us != 0))
        metric_add(&f->env->metrics, METRIC_TCP_ELB_RESETS, 1);
}

/* --- the only exit --- */
void flow_side_close(struct flow_side *side, enum flow_close how)
{
    int fd;

    if (side->armed) {
        event_del(&side->event);
        side->armed = false;
    }
    if (side->hop == NULL)
        return;
    if (how == CLOSE_DRAIN) {
        (void)hop_flush(side->hop);
        fd = side->hop->fd;
        side->hop->fd = -1;
        linger_start(&side->flow->env->lingers, fd);
    } else if (how == CLOSE_FIN && hop_tls_facts(side->hop) != NULL) {
        (void)hop_send_eof(side->hop);
    } else if (how == CLOSE_RST) {
        count_reset(side);
    }
    hop_free(side->hop, how == CLOSE_RST);
    side->hop = NULL;
}

static void describe_target(struct flow *f)
{
    const struct tls_facts *front = f->record.front;
    const struct tls_chain *chain = &f->record.back->peer_chain;

    back_describe_chain(chain, &f->record.back_chain);
    if (f->plan->judge != NULL)
        validating_client(f->plan->judge, chain,
                          front != NULL && front->has_offer ? front->offer.sni : NULL,
                          &f->record.validating_client_opinion);
}

/* The certificates that were presented to a client that then went away, or said nothing. */
static void describe_served(struct flow *f)
{
    if (f->record.choice.cert_chain != NULL && (f->record.end != END_COMPLETED || f->up.bytes == 0))
        back_describe_list(f->record.choice.cert_chain, &f->record.front_chain);
}

/* The targets of a group that fails open, as far as some are known to be unhealthy. */
static void describe_health(struct flow *f)
{
    struct record_health *h;
    bool unhealthy = false;

    if (!f->record.fails_open || f->record.end == END_COMPLETED ||
        (h = calloc(1, sizeof *h)) == NULL)
        return;
    for (size_t i = 0; i < f->members->n_targets && h->n < RECORD_TARGETS; i++) {
        const struct target *t = &f->members->targets[i];
        struct record_target *out = &h->at[h->n++];
        enum health_state state = registration_state(t->reg);

        out->addr = t->cfg->addr;
        out->state = health_state_name(state);
        registration_seen(t->reg, out->seen);
        unhealthy = unhealthy || health_is_unhealthy(state);
    }
    f->record.health = h;
    f->record.fails_open = unhealthy; /* a group whose first checks are not over is no news */
}

/* A target that answered our ClientHello in clear. */
static void note_clear_answer(struct flow *f)
{
    const struct tls_facts *back = f->record.back;

    if (back != NULL && !back->secured && back->version == 0 && back->n_first_bytes > 0 &&
        f->record.first_target.kind == FIRST_NONE)
        first_bytes_take(&f->record.first_target, back->first_bytes, back->n_first_bytes);
}

void flow_count_bytes(struct flow *f)
{
    uint64_t bytes = f->up.bytes + f->down.bytes;

    metric_add(&f->env->metrics,
               f->plan->protocol == PROTOCOL_TLS ? METRIC_PROCESSED_BYTES_TLS
                                                 : METRIC_PROCESSED_BYTES_TCP,
               bytes - f->counted_bytes);
    f->counted_bytes = bytes;
}

void flow_report(struct flow *f)
{
    const struct flow_end_row *row;
    struct metrics *m = &f->env->metrics;

    if (f->reported)
        return;
    f->reported = true;
    f->record.end_us = clock_mono_us();
    f->record.end_wall_us = clock_wall_us();
    f->record.received_bytes = f->up.bytes;
    f->record.sent_bytes = f->down.bytes;
    if (f->record.end == END_N)
        f->record.end = END_COMPLETED;
    row = flow_end_row(f->record.end);
    f->record.front = hop_tls_take_facts(f->front.hop);
    f->record.back = hop_tls_take_facts(f->back.hop);
    if (flow_env_wants_chain(f->env)) {
        if (f->record.back != NULL)
            describe_target(f);
        describe_served(f);
        describe_health(f);
        note_clear_answer(f);
    }
    observer_report(f);
    if (row->metric != METRIC_TCP_ELB_RESETS) /* those are counted as they are sent */
        metric_add(m, row->metric, 1);
    if (row->metric == METRIC_REJECTED_FLOWS && f->plan->protocol == PROTOCOL_TCP)
        metric_add(m, METRIC_REJECTED_FLOWS_TCP, 1);
    metric_sub(
        m, f->plan->protocol == PROTOCOL_TLS ? METRIC_ACTIVE_FLOWS_TLS : METRIC_ACTIVE_FLOWS_TCP,
        1);
    crowd_leave(f->env->crowd, &f->place);
    flow_count_bytes(f);
    if (f->env->ended_cb != NULL)
        f->env->ended_cb(f->env->ended_arg, &f->record);
    flow_record_clear(&f->record);
}

static void clear_direction(struct flow *f, struct flow_dir *dir)
{
    free(dir->hold);
    dir->hold = NULL;
    dir->hold_len = 0;
    splice_release(f, dir);
}

/* What a TLS peer ended in order, all of it delivered, is not taken back by a RST of that peer:
 * it would cost what the other side has not read yet. */
static enum flow_close close_of(const struct flow *f, const struct flow_side *side)
{
    const struct flow_end_row *row = flow_end_row(f->record.end);
    enum flow_close how = side == &f->front ? row->front : row->back;
    const struct flow_side *peer = side == &f->front ? &f->back : &f->front;
    bool by_peer = f->record.end == (side == &f->front ? END_TARGET_RESET : END_CLIENT_RESET);
    bool delivered = side == &f->front ? f->down.eof_out : f->up.eof_out;

    return how == CLOSE_RST && by_peer && delivered && hop_tls_facts(peer->hop) != NULL ? CLOSE_FIN
                                                                                        : how;
}

enum flow_event flow_finish(struct flow *f)
{
    enum flow_close front, back;

    if (f->record.end == END_N)
        f->record.end = END_COMPLETED;
    front = close_of(f, &f->front);
    back = close_of(f, &f->back);
    evtimer_del(&f->timer);
    ask_target_end(f);
    clear_direction(f, &f->up);
    clear_direction(f, &f->down);
    if (!f->reported) {
        /* The peers first: a close_notify belongs into the record too. */
        if (front == CLOSE_FIN && f->front.hop != NULL && hop_tls_facts(f->front.hop) != NULL)
            (void)hop_send_eof(f->front.hop);
        if (back == CLOSE_FIN && f->back.hop != NULL && hop_tls_facts(f->back.hop) != NULL)
            (void)hop_send_eof(f->back.hop);
        flow_report(f);
    }
    flow_side_close(&f->front, front);
    flow_side_close(&f->back, back);
    roster_remove(f->env, f);
    if (STAILQ_EMPTY(&f->env->dead))
        event_active(&f->env->reap, EV_TIMEOUT, 0);
    STAILQ_INSERT_TAIL(&f->env->dead, f, dying);
    return ON_NOTHING;
}

void flow_abort(struct flow *f, enum flow_end end)
{
    if (f->state == FLOW_CLOSED)
        return;
    (void)flow_fail(f, end);
    f->state = FLOW_CLOSED;
    (void)flow_finish(f);
}
