/* SPDX-License-Identifier: Apache-2.0
 * Until both hops may carry bytes: the front handshake, the connection to the target, the back
 * handshake. */
#include <errno.h>

#include "core/clock.h"
#include "core/turn.h"
#include "flow/actions.h"
#include "flow/ask_target.h"
#include "tls/hop_tls.h"
#include "tls/tls_error.h"

/* The turn is spent, the socket perhaps not empty: no edge will tell. */
static enum flow_event wait_in(struct flow_side *side)
{
    if (turn_spent() && side->armed)
        event_active(&side->event, EV_READ, 0);
    return ON_NOTHING;
}

/* --- front --- */
static enum flow_event front_failed(struct flow *f)
{
    const struct tls_facts *facts = hop_tls_facts(f->front.hop);
    const char *lacking;

    (void)flow_fail_hop(f, &f->front);
    if (facts != NULL && facts->first == TLS_FIRST_TOO_LARGE && facts->has_offer)
        f->record.choice.lacking = "a ClientHello over 16 KiB";
    else if (facts != NULL && facts->first == TLS_FIRST_TOO_LARGE)
        ceiling_reached(crowd_ceilings(f->env->crowd), CEILING_HELLO, f->plan->limits.hello_bytes,
                        "");
    lacking = tls_error_server_lacking(f->record.failure.tls_error);
    if (lacking != NULL) {
        f->record.end = END_SIMULATOR_LIMIT;
        f->record.choice.lacking = lacking;
    }
    return ON_FAILED;
}

enum flow_event flow_drive_front(struct flow *f)
{
    enum hop_status st = hop_secure(f->front.hop);

    switch (st) {
    case HOP_OK:
        f->front_secured = true;
        crowd_handshake_done(f->env->crowd, &f->place);
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
    return front_failed(f);
}

enum flow_event flow_begin_front(struct flow *f)
{
    if (f->plan->protocol == PROTOCOL_TLS)
        flow_timer(f, f->plan->handshake_us);
    return flow_drive_front(f);
}

enum flow_event flow_resume_front(struct flow *f)
{
    flow_timer(f, f->plan->handshake_us);
    return flow_drive_front(f);
}

/* --- the target --- */
enum flow_event flow_drive_connecting(struct flow *f, struct flow_side *ready)
{
    int error;

    if (ready == &f->front) {
        /* Only a RST matters now; bytes and FIN wait for the relay. */
        error = flow_side_error(&f->front);
        if (error == 0)
            return ON_NOTHING;
        f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_RESET, .sys_errno = error };
        return flow_fail(f, END_CLIENT_RESET);
    }
    error = flow_side_error(&f->back);
    if (error == 0)
        return ON_CONNECTED;
    f->record.failure = (struct hop_failure){ .cause = HOP_CAUSE_ERRNO, .sys_errno = error };
    /* Only an established connection can be reset: that target accepted first. */
    return flow_fail(f, error == ECONNREFUSED ? END_TARGET_REFUSED
                        : error == ECONNRESET ? END_TARGET_RESET
                        : error == ETIMEDOUT  ? END_TARGET_CONNECT_TIMEOUT
                                              : END_TARGET_UNREACHABLE);
}

enum flow_event flow_drive_back(struct flow *f, struct flow_side *ready)
{
    enum hop_status st;

    if (ready == &f->front)
        return flow_drive_connecting(f, ready);
    if (f->asker != NULL)
        return ask_target_waits(f) ? ON_NOTHING : ON_FAILED;
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
    (void)flow_fail_hop(f, &f->back);
    if (!ask_target(f))
        return ON_FAILED;
    flow_timer(f, ASK_TARGET_WAIT_US);
    return ON_NOTHING;
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
    return flow_drive_back(f, &f->back);
}
