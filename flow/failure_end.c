/* SPDX-License-Identifier: Apache-2.0
 * Which end a failed hop makes: from what the hop knows to who ended the flow, and where. */
#include "flow/actions.h"

static bool before_data(const struct flow *f, const struct flow_side *side)
{
    /* A TLS 1.3 peer may judge after our handshake is over: what comes as its first record is still
     * a refusal of the handshake. */
    return side == &f->front ? f->up.bytes == 0 : f->down.bytes == 0;
}

static enum flow_end plain_failure_end(const struct flow *f, const struct flow_side *side)
{
    return side == &f->front ? END_CLIENT_RESET : END_TARGET_RESET;
}

/* What the hello callback noted stands in the record; this only maps its verdict. */
static enum flow_end hello_failure_end(const struct flow *f, const struct hop_failure *failure)
{
    const struct tls_facts *facts = hop_tls_facts(f->front.hop);

    if (failure->cause == HOP_CAUSE_NOT_TLS && facts->first == TLS_FIRST_TOO_LARGE &&
        facts->has_offer)
        return END_SIMULATOR_LIMIT; /* read, but too large for the library */
    if (failure->cause == HOP_CAUSE_NOT_TLS)
        return facts->first == TLS_FIRST_MALFORMED || facts->first == TLS_FIRST_TOO_LARGE
                   ? END_CLIENT_HELLO_MALFORMED
                   : END_CLIENT_NOT_TLS;
    if (failure->cause == HOP_CAUSE_REFUSED)
        return f->record.end != END_N ? f->record.end : END_CLIENT_TLS_FAILED;
    if (failure->cause == HOP_CAUSE_TLS)
        return END_ELB_INTERNAL; /* no memory for what was peeked: not the client's doing */
    return END_CLIENT_NO_HELLO;  /* closed or reset before a hello was whole */
}

static enum flow_end front_failure_end(const struct flow *f, const struct hop_failure *failure)
{
    const struct tls_facts *facts = hop_tls_facts(f->front.hop);
    bool refusal = failure->in_handshake || before_data(f, &f->front);

    if (!facts->has_offer && failure->cause != HOP_CAUSE_ALERT_IN)
        return hello_failure_end(f, failure);
    switch (failure->cause) {
    case HOP_CAUSE_ALERT_IN:
        return refusal ? END_CLIENT_TLS_REFUSED : END_CLIENT_TLS_BROKEN;
    case HOP_CAUSE_REFUSED:
    case HOP_CAUSE_NOT_TLS:
        return hello_failure_end(f, failure);
    case HOP_CAUSE_RESET:
    case HOP_CAUSE_CLOSED:
    case HOP_CAUSE_ERRNO:
        if (failure->in_handshake)
            return END_CLIENT_TLS_CLOSED;
        return refusal && f->down.bytes == 0 ? END_CLIENT_TLS_SILENT : END_CLIENT_RESET;
    case HOP_CAUSE_ALERT_OUT:
    case HOP_CAUSE_TLS:
    case HOP_CAUSE_NONE:
        break;
    }
    return failure->in_handshake ? END_CLIENT_TLS_FAILED : END_CLIENT_TLS_BROKEN;
}

static enum flow_end back_failure_end(const struct flow *f, const struct hop_failure *failure)
{
    bool refusal = failure->in_handshake || before_data(f, &f->back);

    switch (failure->cause) {
    case HOP_CAUSE_ALERT_IN:
        return refusal ? END_TARGET_TLS_REFUSED : END_TARGET_TLS_BROKEN;
    case HOP_CAUSE_RESET:
    case HOP_CAUSE_CLOSED:
    case HOP_CAUSE_ERRNO:
        return failure->in_handshake ? END_TARGET_TLS_CLOSED : END_TARGET_RESET;
    case HOP_CAUSE_REFUSED:
    case HOP_CAUSE_NOT_TLS:
    case HOP_CAUSE_ALERT_OUT:
    case HOP_CAUSE_TLS:
    case HOP_CAUSE_NONE:
        break;
    }
    return failure->in_handshake ? END_TARGET_TLS_FAILED : END_TARGET_TLS_BROKEN;
}

enum flow_end flow_failure_end(const struct flow *f, const struct flow_side *side,
                               const struct hop_failure *failure)
{
    if (hop_tls_facts(side->hop) == NULL)
        return plain_failure_end(f, side);
    return side == &f->front ? front_failure_end(f, failure) : back_failure_end(f, failure);
}
