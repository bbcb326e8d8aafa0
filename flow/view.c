/* SPDX-License-Identifier: Apache-2.0
 * A live flow as plain data. */
#include "flow/view.h"

#include <stdio.h>

#include "core/clock.h"
#include "flow/flow_impl.h"
#include "flow/observe_tls.h"

static void view(const struct flow *f, uint64_t now, struct flow_view *out)
{
    const struct flow_record *r = &f->record;
    const struct tls_facts *front = f->front.hop == NULL ? NULL : hop_tls_facts(f->front.hop);
    const char *name = observer_server_name(f);
    uint64_t active = f->active_us != 0 ? f->active_us : r->start_us;

    *out = (struct flow_view){
        .id = r->id,
        .age_ms = (now - r->start_us) / 1000,
        .idle_ms = (now - active) / 1000,
        .received_bytes = f->up.bytes,
        .sent_bytes = f->down.bytes,
        .protocol = r->protocol,
        .state = f->state,
        .client = r->client,
        .local = r->local,
        .target = r->target,
        .spliced = r->spliced,
    };
    snprintf(out->listener, sizeof out->listener, "%s", r->listener);
    if (r->target_group != NULL)
        snprintf(out->target_group, sizeof out->target_group, "%s", r->target_group);
    if (front != NULL && front->has_offer)
        name = front->offer.sni;
    if (name != NULL)
        snprintf(out->server_name, sizeof out->server_name, "%s", name);
}

size_t flow_views(const struct flow_env *env, struct flow_view *out, size_t max)
{
    const uint64_t now = clock_mono_us();
    const struct flow *f;
    size_t n = 0;

    LIST_FOREACH(f, &env->flows, all)
    {
        if (n == max)
            break;
        view(f, now, &out[n++]);
    }
    return n;
}
