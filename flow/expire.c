/* SPDX-License-Identifier: Apache-2.0
 * The idle timeout: nothing is sent when it passes; the flow is no longer tracked, and whoever
 * sends next gets RST. Source: NLB guide, "Connection idle timeout" (TCP: 60-6000 s, TLS: 350 s).
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "flow/actions.h"

/* Keepalives carry no data and cannot be read, but the kernel counts segments. */
static uint32_t segments_in(const struct flow_side *side)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (side->hop == NULL || getsockopt(side->hop->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_segs_in;
}

/* Looked at four times per timeout: segments that came in an interval without data can only have
 * been keepalives (or answers to data sent before it, one interval ago at most). */
#define LOOKS 4

static void next_look(struct flow *f, uint64_t idle_us)
{
    uint64_t step = f->plan->idle_us / LOOKS, left = f->plan->idle_us - idle_us;

    flow_timer(f, left < step ? left : step);
}

void flow_idle_begin(struct flow *f)
{
    f->active_us = clock_mono_us();
    f->looked_us = 0; /* nothing to compare with yet: most flows end before the first look */
    next_look(f, 0);
}

enum flow_event flow_idle_check(struct flow *f)
{
    uint64_t now = clock_mono_us();
    uint32_t segments = segments_in(&f->front) + segments_in(&f->back);

    /* TCP keepalives restart the timer (NLB guide, "Connection idle timeout"). */
    if (f->active_us < f->looked_us && segments != f->segments)
        f->active_us = now;
    f->segments = segments;
    f->looked_us = now;
    if (now - f->active_us >= f->plan->idle_us)
        return ON_IDLE;
    next_look(f, now - f->active_us);
    return ON_NOTHING;
}

/* It is reported, and kept to answer with RST; as many of them as there may be flows. */
enum flow_event flow_keep_expired(struct flow *f)
{
    f->front.can_read = f->back.can_read = false;
    flow_report(f);
    f->expired = crowd_keep_expired(f->env->crowd, &f->plan->limits);
    f->env->n_expired += f->expired;
    return f->expired ? ON_NOTHING : ON_TIMEOUT;
}

enum flow_event flow_expire(struct flow *f)
{
    f->record.end = END_IDLE_TIMEOUT;
    return flow_keep_expired(f);
}

enum flow_event flow_drive_expired(struct flow *f, struct flow_side *ready)
{
    /* FIN counts as well: every segment of an untracked connection is answered with RST. A mere
     * writability edge is none of the peer's doing. */
    if (!ready->can_read)
        return ON_NOTHING;
    flow_side_close(ready, CLOSE_RST);
    /* A lost target may never speak again. */
    if (f->record.end == END_TARGET_UNHEALTHY)
        flow_side_close(ready == &f->front ? &f->back : &f->front, CLOSE_RST);
    return f->front.hop == NULL && f->back.hop == NULL ? ON_DRAINED : ON_NOTHING;
}
