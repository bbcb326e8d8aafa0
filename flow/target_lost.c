/* SPDX-License-Identifier: Apache-2.0
 * Flows whose target is lost: it turned unhealthy, or its deregistration delay is over.
 * Source: NLB guide, "Edit target group attributes" (unhealthy: RST on the next packet, unless the
 * load balancer fails open; deregistered: closed shortly after the delay). */
#include "flow/actions.h"

enum flow_event flow_target_lost(struct flow *f)
{
    f->record.end = END_TARGET_UNHEALTHY;
    evtimer_del(&f->timer);
    return flow_keep_expired(f);
}
