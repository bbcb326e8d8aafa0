/* SPDX-License-Identifier: Apache-2.0
 * One flow, start to end: a client connection, and the target connection that belongs to it.
 * A flow lives on one worker thread and is only touched there. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/linger.h"
#include "flow/crowd.h"
#include "observe/event_watch.h"
#include "observe/metrics.h"
#include "observe/record.h"
#include "targets/back.h"
#include "targets/target_group.h"
#include "tls/hop.h"

struct flow;
struct flow_observer;
struct pipe_pool;
struct tls_offer;
struct hop_tls_answer;

enum flow_relay { FLOW_RELAY_AUTO, FLOW_RELAY_COPY, FLOW_RELAY_SPLICE };

/* What a listener wants done with its flows: constant, shared by all of them. */
struct validating_client;
struct flow_plan {
    /* What answers the ClientHello of a TLS front hop (see hop_tls_hello_cb), with the record of
     * its flow to write to; NULL for plain hops. */
    void (*hello_cb)(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out,
                     struct flow_record *record);
    void *hello_arg;
    const char *listener; /* name */
    const struct record_origin *origin;
    enum protocol protocol;
    const struct forward *forward;
    const struct back_tls *back_tls; /* toward TLS groups; NULL when there is none */
    struct validating_client *judge; /* what would a client say of the target? NULL: nobody asks */
    uint64_t idle_us;                /* of the relay */
    uint64_t handshake_us, connect_us;
    struct flow_limits limits;
    enum flow_relay relay;
    bool observe_tls;         /* TCP: look at the TLS handshake that passes */
    bool close_on_eof;        /* the end of one direction is the end of both */
    const char *zone;         /* the listener's; NULL: none */
    const char *vpc_endpoint; /* for PROXY headers; NULL: none */
    bool hold_for_target;     /* the target is connected before the front handshake goes on */
};

/* Keeps what a plan points to alive while flows use it: a configuration generation. */
struct flow_keeper {
    void (*ref)(void *arg);
    void (*unref)(void *arg);
    void *arg;
};

/* What flows of one worker share. Owned by the worker. */
#define FLOW_SCRATCH (64 * 1024)
struct flow_env {
    struct event_base *base;
    uint8_t *scratch; /* FLOW_SCRATCH bytes; valid only inside one call */
    struct pipe_pool *pipes;
    struct metrics metrics;
    /* Called once per flow with its complete record; the texts in it are valid during the call. */
    void (*ended_cb)(void *arg, const struct flow_record *record);
    void *ended_arg;
    bool wants_chain;                /* ended_cb speaks of the target's certificates … */
    const struct event_watch *watch; /* … while somebody watches; borrowed, NULL: nobody can */
    int spare_fd; /* given up for a moment to turn a connection away when no other is left; -1: gone
                   */
    uint64_t next_id, id_step; /* unique over all workers: each begins with its number and leaves
                                  room for the others */
    LIST_HEAD(, flow) flows;
    STAILQ_HEAD(, flow) dead;
    struct lingerers lingers;
    struct event reap; /* frees what is in `dead` after the callback that put it there */
    struct event trim; /* gives memory back to the system after many flows have ended */
    size_t n_flows, n_expired;
    size_t most_flows;   /* since that was done last */
    struct crowd *crowd; /* of all workers; borrowed; NULL: nobody counts */
};
/* Does ended_cb speak of the target's certificates, as things are now? */
static inline bool flow_env_wants_chain(const struct flow_env *env)
{
    return env->wants_chain || event_watched(env->watch);
}
/* 0, or -1 without memory. */
int flow_env_init(struct flow_env *env, struct event_base *base, uint64_t first_id,
                  uint64_t id_step);
/* Let go of flows past their idle timeout: they are reported already, and to AWS no flows any more.
 */
void flow_env_drop_expired(struct flow_env *env);
/* No descriptor is left: let go of those, or else of connections that only wait for their peer's
 * FIN. True when there was one. */
bool flow_env_give_up(struct flow_env *env);
/* Few descriptors are left, as far as `fd`, a fresh one, tells: do so in time. */
void flow_env_spare(struct flow_env *env, int fd);
/* Some target has lost its flows (registration_flows()): find those of this worker. */
void flow_env_sweep(struct flow_env *env);
/* Ends every flow that is left (END_STOPPED). */
void flow_env_clear(struct flow_env *env);

enum flow_state {
    FLOW_ACCEPTED,
    FLOW_FRONT_HANDSHAKE,
    FLOW_CONNECTING,
    FLOW_BACK_HANDSHAKE,
    FLOW_RELAYING,
    FLOW_HALF_CLOSED,
    FLOW_EXPIRED, /* past the idle timeout, or the target was lost: nothing is sent, the next
                     segment of a peer gets RST */
    FLOW_CLOSED,
    FLOW_N_STATES
};
const char *flow_state_name(enum flow_state s);

/*
 * Begin a flow on an accepted connection.
 *   front    taken in every case; freed when the flow cannot be made
 *   record   client, local, start times are set by the caller; copied
 *   place    what the flow was admitted as (crowd_enter()); taken in every case
 *   returns  NULL when memory is out. Does not step yet: call flow_go() once everything is in
 * place.
 */
struct flow *flow_begin(struct flow_env *env, const struct flow_plan *plan,
                        const struct flow_keeper *keeper, struct hop *front,
                        const struct flow_record *record, struct crowd_place *place);
void flow_go(struct flow *f);
/* For hop_tls_server_new(): asks the plan. flow_begin() sets the argument. */
void flow_hello_cb(void *flow, const struct tls_offer *offer, struct hop_tls_answer *out);

#endif
