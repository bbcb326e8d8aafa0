/* SPDX-License-Identifier: Apache-2.0
 * A flow's life, step by step: begun, then from state to state by the table (flow/rules.c) whenever
 * a socket or the timer of it says something. */
#include <stdlib.h>

#include "core/log.h"
#include "core/turn.h"
#include "flow/actions.h"
#include "targets/registry.h"
#include "tls/hop_tls.h"

static void side_cb(evutil_socket_t fd, short what, void *arg);
static void timer_cb(evutil_socket_t fd, short what, void *arg);

/* --- begin --- */
static int arm(struct flow_side *side)
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
                        const struct flow_record *record, struct crowd_place *place)
{
    struct flow *f = calloc(1, sizeof *f);

    if (f == NULL) {
        crowd_leave(env->crowd, place);
        hop_free(front, true);
        return NULL;
    }
    f->env = env;
    f->plan = plan;
    f->keeper = *keeper;
    if (f->keeper.ref != NULL)
        f->keeper.ref(f->keeper.arg);
    f->place = *place;
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
    if (plan->hello_cb != NULL)
        hop_tls_set_arg(front, f);
    f->front.can_write = f->back.can_write = true;
    evtimer_assign(&f->timer, env->base, timer_cb, f);
    roster_add(env, f);
    metric_add(&env->metrics,
               plan->protocol == PROTOCOL_TLS ? METRIC_ACTIVE_FLOWS_TLS : METRIC_ACTIVE_FLOWS_TCP,
               1);
    metric_add(&env->metrics,
               plan->protocol == PROTOCOL_TLS ? METRIC_NEW_FLOWS_TLS : METRIC_NEW_FLOWS_TCP, 1);
    return f;
}

void flow_hello_cb(void *flow, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    struct flow *f = flow;

    f->plan->hello_cb(f->plan->hello_arg, offer, out, &f->record);
}

void flow_go(struct flow *f)
{
    turn_begin("a new connection", f->record.id, flow_state_name(f->state));
    if (arm(&f->front) != 0)
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
        if (f->back.hop != NULL && !f->back.armed && arm(&f->back) != 0)
            e = flow_fail(f, END_NO_RESOURCES);
    }
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

/* --- a socket of the flow became ready --- */
static void side_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow_side *side = arg;
    struct flow *f = side->flow;

    (void)fd;
    turn_begin("a flow's socket", f->record.id, flow_state_name(f->state));
    side->may_hide_error = (what & (EV_READ | EV_CLOSED)) == EV_READ;
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
            flow_step(f, flow_drive_front(f));
        break;
    case FLOW_CONNECTING:
        flow_step(f, flow_drive_connecting(f, side));
        break;
    case FLOW_BACK_HANDSHAKE:
        flow_step(f, flow_drive_back(f, side));
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

/* --- targets that are lost --- */
void flow_env_sweep(struct flow_env *env)
{
    struct flow *next;

    for (struct flow *f = LIST_FIRST(&env->flows); f != NULL; f = next) {
        next = LIST_NEXT(f, all);
        if (f->target == NULL)
            continue;
        switch (registration_flows(f->target->reg)) {
        case TARGET_FLOWS_LIVE:
            break;
        case TARGET_FLOWS_LOST:
            /* Only established connections; one that is being made fails, or is found lost when
             * its relay begins. */
            if (f->state == FLOW_RELAYING || f->state == FLOW_HALF_CLOSED)
                flow_step(f, ON_LOST);
            break;
        case TARGET_FLOWS_END:
            flow_abort(f, END_TARGET_DEREGISTERED);
            break;
        }
    }
}
