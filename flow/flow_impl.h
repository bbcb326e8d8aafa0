/* SPDX-License-Identifier: Apache-2.0
 * A flow from the inside; for the files of flow/ and their tests. */
#ifndef FLOW_FLOW_IMPL_H
#define FLOW_FLOW_IMPL_H

#include "flow/flow.h"

enum flow_event {
    ON_NOTHING,
    ON_START,
    ON_HELD,      /* the ClientHello is read; the target comes first */
    ON_SECURED,   /* the hop in question may carry bytes */
    ON_RESUME,    /* the target is ready, the front handshake goes on */
    ON_READY,     /* both hops may carry bytes */
    ON_CONNECTED, /* the target's socket is */
    ON_EOF,       /* one direction has ended */
    ON_DRAINED,   /* both have, and all is flushed */
    ON_IDLE,
    ON_LOST, /* the target turned unhealthy */
    ON_FAILED,
    ON_TIMEOUT,
    FLOW_N_EVENTS
};
const char *flow_event_name(enum flow_event e);

struct flow_side {
    struct flow *flow;
    struct hop *hop; /* NULL: not made yet, or closed */
    struct event event;
    bool armed;
    bool can_read, can_write;
    bool read_wants_write; /* the last read asked for writability */
    bool may_hide_error;   /* the last edge was one behind which a RST may be (flow_side_error) */
};

/* Bytes from one side to the other. */
struct flow_dir {
    uint8_t *hold; /* owned: read, but not yet taken by the other side; reading rests meanwhile */
    size_t hold_at, hold_len;
    bool hold_waits; /* what is held goes out only in front of the source's first payload */
    int *pipe;       /* borrowed from the pool while bytes are inside, or while spliced */
    size_t in_pipe;
    bool splicing;
    bool eof_in, eof_out;
    uint64_t bytes;
};

struct asker;

struct flow {
    LIST_ENTRY(flow) all;
    STAILQ_ENTRY(flow) dying;
    struct flow_env *env;
    const struct flow_plan *plan;
    struct flow_keeper keeper;
    const struct target *target;          /* NULL before one was picked */
    const struct target_group_cfg *group; /* the target's */
    const struct target_group *members;   /* the same group, running */
    enum flow_state state;
    bool front_secured, held, reported;
    bool expired; /* counted as such */
    struct crowd_place place;
    struct flow_side front, back;
    struct asker *asker; /* owned; a question to the target that the end of the flow depends on */
    struct flow_dir up, down; /* client to target, target to client */
    struct event timer;
    bool watching;                  /* the handshake that passes is being looked at */
    struct flow_observer *observer; /* owned; NULL: nothing was seen */
    uint64_t active_us;             /* last time bytes moved */
    uint64_t counted_bytes;         /* of both directions, already in the metrics */
    uint64_t looked_us;             /* last time the idle clock was looked at */
    uint32_t segments;              /* incoming TCP segments of both sockets at that time */
    struct flow_record record;
};

/* flow/roster.c: a flow more, or less, in the env's list. roster_init() needs env->base. */
void roster_init(struct flow_env *env);
void roster_add(struct flow_env *env, struct flow *f);
void roster_remove(struct flow_env *env, struct flow *f);
/* End it now, whatever it does. */
void flow_abort(struct flow *f, enum flow_end end);

typedef enum flow_event (*flow_action)(struct flow *f);
struct flow_rule {
    enum flow_state next;
    flow_action action;
};
extern const struct flow_rule flow_rules[FLOW_N_STATES][FLOW_N_EVENTS];
void flow_step(struct flow *f, enum flow_event e);
/* Note who and why, and answer ON_FAILED. The first note stays. */
enum flow_event flow_fail(struct flow *f, enum flow_end end);
enum flow_event flow_fail_hop(struct flow *f, struct flow_side *side);
void flow_timer(struct flow *f, uint64_t us);
/* The error of its socket, 0 when there is none. Asks the kernel only when the last edge may have
 * been one: libevent shows EPOLLERR as exactly EV_READ|EV_WRITE (docs/libraries.md). */
int flow_side_error(const struct flow_side *side);
void flow_side_close(struct flow_side *side, enum flow_close how);

#endif
