/* SPDX-License-Identifier: Apache-2.0
 * Life of a flow: begin, step, handshakes, the connection to the target, and the only exit. */
#include "flow/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/turn.h"
#include "flow/actions.h"
#include "flow/linger.h"
#include "flow/observe_tls.h"
#include "flow/splice.h"
#include "targets/validating_client.h"
#include "tls/hop_tls.h"

static void side_cb(evutil_socket_t fd, short what, void *arg);
static void timer_cb(evutil_socket_t fd, short what, void *arg);
static void reap_cb(evutil_socket_t fd, short what, void *arg);

/* --- the worker's share --- */
int flow_env_init(struct flow_env *env, struct event_base *base, uint64_t first_id,
                  uint64_t id_step)
{
    env->base = base;
    env->next_id = first_id;
    env->id_step = id_step;
    LIST_INIT(&env->flows);
    STAILQ_INIT(&env->dead);
    LIST_INIT(&env->lingers);
    env->n_flows = 0;
    event_assign(&env->reap, base, -1, 0, reap_cb, env);
    env->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    env->scratch = malloc(FLOW_SCRATCH);
    env->pipes = pipe_pool_new();
    if (env->scratch != NULL && env->pipes != NULL)
        return 0;
    pipe_pool_free(env->pipes);
    free(env->scratch);
    return -1;
}

void flow_env_drop_expired(struct flow_env *env)
{
    struct flow *f = LIST_FIRST(&env->flows);

    while (f != NULL) {
        struct flow *next = LIST_NEXT(f, all);

        if (f->state == FLOW_EXPIRED)
            flow_abort(f, END_IDLE_TIMEOUT);
        f = next;
    }
}

void flow_env_clear(struct flow_env *env)
{
    while (!LIST_EMPTY(&env->flows))
        flow_abort(LIST_FIRST(&env->flows), END_STOPPED);
    linger_clear(env);
    event_del(&env->reap);
    reap_cb(-1, 0, env);
    pipe_pool_free(env->pipes);
    if (env->spare_fd >= 0)
        close(env->spare_fd);
    free(env->scratch);
}

/* A flow is freed after the callback that ended it has returned, never under its own feet. */
static void reap_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow_env *env = arg;
    struct flow *f;

    (void)fd, (void)what;
    while ((f = STAILQ_FIRST(&env->dead)) != NULL) {
        STAILQ_REMOVE_HEAD(&env->dead, dying);
        if (f->keeper.unref != NULL)
            f->keeper.unref(f->keeper.arg);
        free(f);
    }
}

/* --- begin --- */
int flow_side_arm(struct flow_side *side)
{
    /* Edge-triggered in both directions: one registration per socket for its whole life, and a RST
     * is told even while nothing is being read (docs/libraries.md). */
    event_assign(&side->event, side->flow->env->base, side->hop->fd,
                 EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, side_cb, side);
    side->armed = event_add(&side->event, NULL) == 0;
    return side->armed ? 0 : -1;
}

struct flow *flow_begin(struct flow_env *env, const struct flow_plan *plan,
                        const struct flow_keeper *keeper, struct hop *front,
                        const struct flow_record *record)
{
    struct flow *f = calloc(1, sizeof *f);

    if (f == NULL) {
        hop_free(front, true);
        return NULL;
    }
    f->env = env;
    f->plan = plan;
    f->keeper = *keeper;
    if (f->keeper.ref != NULL)
        f->keeper.ref(f->keeper.arg);
    f->record = *record;
    f->record.id = env->next_id;
    env->next_id += env->id_step;
    f->record.listener = plan->listener;
    f->record.origin = plan->origin;
    f->record.protocol = plan->protocol;
    f->record.end = END_N;
    f->state = FLOW_ACCEPTED;
    f->front.flow = f->back.flow = f;
    f->front.hop = front;
    f->front.can_write = f->back.can_write = true;
    evtimer_assign(&f->timer, env->base, timer_cb, f);
    LIST_INSERT_HEAD(&env->flows, f, all);
    env->n_flows++;
    metric_add(&env->metrics,
               plan->protocol == PROTOCOL_TLS ? METRIC_ACTIVE_FLOWS_TLS : METRIC_ACTIVE_FLOWS_TCP,
               1);
    metric_add(&env->metrics,
               plan->protocol == PROTOCOL_TLS ? METRIC_NEW_FLOWS_TLS : METRIC_NEW_FLOWS_TCP, 1);
    return f;
}

void flow_go(struct flow *f)
{
    turn_begin("a new connection", f->record.id, flow_state_name(f->state));
    if (flow_side_arm(&f->front) != 0)
        flow_abort(f, END_NO_RESOURCES);
    else
        flow_step(f, ON_START);
    turn_end();
}

/* --- stepping --- */
void flow_step(struct flow *f, enum flow_event e)
{
    while (e != ON_NOTHING) {
        const struct flow_rule *rule = &flow_rules[f->state][e];

        if (rule->action == NULL) {
            log_err("flow_bug", "flow=%llu state=%s event=%s", (unsigned long long)f->record.id,
                    flow_state_name(f->state), flow_event_name(e));
            if (f->state == FLOW_CLOSED)
                return;
            (void)flow_fail(f, END_ELB_INTERNAL);
            e = ON_FAILED;
            continue;
        }
        log_debug("flow", "flow=%llu %s -> %s on=%s", (unsigned long long)f->record.id,
                  flow_state_name(f->state), flow_state_name(rule->next), flow_event_name(e));
        f->state = rule->next;
        turn_state(flow_state_name(f->state));
        e = rule->action(f);
    }
}

void flow_timer(struct flow *f, uint64_t us)
{
    const struct timeval tv = { .tv_sec = (time_t)(us / 1000000),
                                .tv_usec = (suseconds_t)(us % 1000000) };

    evtimer_add(&f->timer, &tv);
}

enum flow_event flow_fail(struct flow *f, enum flow_end end)
{
    if (f->record.end == END_N)
        f->record.end = end;
    return ON_FAILED;
}

enum flow_event flow_fail_hop(struct flow *f, struct flow_side *side)
{
    side->hop->ops->failure(side->hop, &f->record.failure);
    f->record.end = flow_failure_end(f, side, &f->record.failure);
    return ON_FAILED;
}

static void timer_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow *f = arg;

    (void)fd, (void)what;
    turn_begin("a flow's timer", f->record.id, flow_state_name(f->state));
    switch (f->state) {
    case FLOW_FRONT_HANDSHAKE:
        (void)flow_fail(f, END_CLIENT_TLS_TIMEOUT);
        flow_step(f, ON_TIMEOUT);
        break;
    case FLOW_CONNECTING:
        (void)flow_fail(f, END_TARGET_CONNECT_TIMEOUT);
        flow_step(f, ON_TIMEOUT);
        break;
    case FLOW_BACK_HANDSHAKE:
        (void)flow_fail(f, END_TARGET_TLS_TIMEOUT);
        flow_step(f, ON_TIMEOUT);
        break;
    case FLOW_RELAYING:
    case FLOW_HALF_CLOSED:
        flow_step(f, flow_idle_check(f));
        break;
    case FLOW_ACCEPTED:
    case FLOW_EXPIRED:
    case FLOW_CLOSED:
    case FLOW_N_STATES:
        break;
    }
    turn_end();
}

/* The turn is spent, the socket perhaps not empty: no edge will tell. */
static enum flow_event wait_in(struct flow_side *side)
{
    if (turn_spent() && side->armed)
        event_active(&side->event, EV_READ, 0);
    return ON_NOTHING;
}

/* --- front --- */
static enum flow_event drive_front(struct flow *f)
{
    enum hop_status st = hop_secure(f->front.hop);

    switch (st) {
    case HOP_OK:
        f->front_secured = true;
        f->record.secured_us = clock_mono_us();
        return f->back.hop != NULL ? ON_READY : ON_SECURED;
    case HOP_HELD:
        f->held = true;
        return ON_HELD;
    case HOP_WANT_READ:
    case HOP_WANT_WRITE:
        return wait_in(&f->front);
    case HOP_EOF:
    case HOP_FAILED:
        break;
    }
    return flow_fail_hop(f, &f->front);
}

enum flow_event flow_begin_front(struct flow *f)
{
    if (f->plan->protocol == PROTOCOL_TLS)
        flow_timer(f, f->plan->handshake_us);
    return drive_front(f);
}

enum flow_event flow_resume_front(struct flow *f)
{
    flow_timer(f, f->plan->handshake_us);
    return drive_front(f);
}

/* --- the target --- */
static enum flow_event drive_connecting(struct flow *f, struct flow_side *ready)
{
    int error;

    if (ready == &f->front) {
        /* Only a RST matters now; bytes and FIN wait for the relay. */
        error = back_connected(f->front.hop);
        if (error == 0)
            return ON_NOTHING;
        f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_RESET, .sys_errno = error };
        return flow_fail(f, END_CLIENT_RESET);
    }
    error = back_connected(f->back.hop);
    if (error == 0)
        return ON_CONNECTED;
    f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_ERRNO, .sys_errno = error };
    /* Only an established connection can be reset: that target accepted first. */
    return flow_fail(f, error == ECONNREFUSED ? END_TARGET_REFUSED
                        : error == ECONNRESET ? END_TARGET_RESET
                        : error == ETIMEDOUT  ? END_TARGET_CONNECT_TIMEOUT
                                              : END_TARGET_UNREACHABLE);
}

static enum flow_event drive_back(struct flow *f, struct flow_side *ready)
{
    enum hop_status st;

    if (ready == &f->front)
        return drive_connecting(f, ready);
    st = hop_secure(f->back.hop);
    switch (st) {
    case HOP_OK:
        f->record.back_secured_us = clock_mono_us();
        return f->front_secured ? ON_READY : ON_RESUME;
    case HOP_WANT_READ:
    case HOP_WANT_WRITE:
    case HOP_HELD:
        return wait_in(&f->back);
    case HOP_EOF:
    case HOP_FAILED:
        break;
    }
    return flow_fail_hop(f, &f->back);
}

enum flow_event flow_begin_back(struct flow *f)
{
    f->record.connected_us = clock_mono_us();
    if (f->env->ended_cb != NULL)
        f->record.source = addr_local(f->back.hop->fd);
    if (f->record.back_protocol == PROTOCOL_TLS)
        flow_timer(f, f->plan->handshake_us);
    if (flow_send_header(f) != 0)
        return flow_fail(f, END_TARGET_RESET);
    return drive_back(f, &f->back);
}

/* --- a socket of the flow became ready --- */
static void side_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow_side *side = arg;
    struct flow *f = side->flow;

    (void)fd;
    turn_begin("a flow's socket", f->record.id, flow_state_name(f->state));
    if (what & (EV_READ | EV_CLOSED))
        side->can_read = true;
    if (what & EV_WRITE) {
        side->can_write = true;
        if (side->read_wants_write)
            side->can_read = true;
    }
    switch (f->state) {
    case FLOW_FRONT_HANDSHAKE:
        if (side == &f->front)
            flow_step(f, drive_front(f));
        break;
    case FLOW_CONNECTING:
        flow_step(f, drive_connecting(f, side));
        break;
    case FLOW_BACK_HANDSHAKE:
        flow_step(f, drive_back(f, side));
        break;
    case FLOW_RELAYING:
    case FLOW_HALF_CLOSED:
        flow_step(f, flow_drive_relay(f, side));
        break;
    case FLOW_EXPIRED:
        flow_step(f, flow_drive_expired(f, side));
        break;
    case FLOW_ACCEPTED:
    case FLOW_CLOSED:
    case FLOW_N_STATES:
        break;
    }
    turn_end();
}

/* --- the only exit --- */
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
        linger_start(side->flow->env, fd);
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
    if (f->env->wants_chain && f->record.back != NULL)
        describe_target(f);
    observer_report(f);
    if (row->metric != METRIC_TCP_ELB_RESETS) /* those are counted as they are sent */
        metric_add(m, row->metric, 1);
    if (row->metric == METRIC_REJECTED_FLOWS && f->plan->protocol == PROTOCOL_TCP)
        metric_add(m, METRIC_REJECTED_FLOWS_TCP, 1);
    metric_sub(
        m, f->plan->protocol == PROTOCOL_TLS ? METRIC_ACTIVE_FLOWS_TLS : METRIC_ACTIVE_FLOWS_TCP,
        1);
    flow_count_bytes(f);
    if (f->env->ended_cb != NULL)
        f->env->ended_cb(f->env->ended_arg, &f->record);
    flow_record_clear(&f->record);
}

enum flow_event flow_finish(struct flow *f)
{
    const struct flow_end_row *row;

    if (f->record.end == END_N)
        f->record.end = END_COMPLETED;
    row = flow_end_row(f->record.end);
    evtimer_del(&f->timer);
    flow_dir_clear(f, &f->up);
    flow_dir_clear(f, &f->down);
    if (!f->reported) {
        /* The peers first: a close_notify belongs into the record too. */
        if (row->front == CLOSE_FIN && f->front.hop != NULL && hop_tls_facts(f->front.hop) != NULL)
            (void)hop_send_eof(f->front.hop);
        if (row->back == CLOSE_FIN && f->back.hop != NULL && hop_tls_facts(f->back.hop) != NULL)
            (void)hop_send_eof(f->back.hop);
        flow_report(f);
    }
    flow_side_close(&f->front, row->front);
    flow_side_close(&f->back, row->back);
    LIST_REMOVE(f, all);
    f->env->n_flows--;
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
