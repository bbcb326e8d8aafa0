/* SPDX-License-Identifier: Apache-2.0
 * Flows whose target is lost: it turned unhealthy, or its deregistration delay is over.
 * Source: NLB guide, "Edit target group attributes" (unhealthy: RST on the next packet, unless the
 * load balancer fails open; deregistered: closed shortly after the delay). */
#include "flow/actions.h"

enum flow_event flow_target_lost(struct flow *f)
{
    f->record.end = END_TARGET_UNHEALTHY;
    f->front.can_read = f->back.can_read = false;
    evtimer_del(&f->timer);
    flow_report(f);
    return ON_NOTHING;
}

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
