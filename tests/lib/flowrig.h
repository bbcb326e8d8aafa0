/* SPDX-License-Identifier: Apache-2.0
 * One worker's share of the world, without the worker: an event base, a flow environment, a target
 * that listens on loopback, and flows between test sockets. */
#ifndef TESTS_LIB_FLOWRIG_H
#define TESTS_LIB_FLOWRIG_H

#include "flow/flow_impl.h"

struct rig {
    struct event_base *base;
    struct flow_env env;
    struct flow_plan plan;
    struct target_cfg target_cfg;
    struct target_group_cfg group_cfg;
    struct registry *registry;
    struct target_group *group;
    struct forward_member member;
    struct forward forward;
    int listening;     /* the target */
    int refs;          /* what the keeper counts */
    int ended;         /* flows reported */
    int buffer;        /* of new connections' sockets; 0: the system's */
    enum flow_end end; /* of the last one, and more of its record: */
    struct hop_failure failure;
    uint64_t received_bytes, sent_bytes;
    bool spliced;
};

/* A TCP listener's plan, one TCP target, idle timeout 350 s. */
void rig_init(struct rig *r, enum flow_relay relay);
/* Ends what is left; fails the test when a flow or a reference stays. */
void rig_clear(struct rig *r);
/* A flow on `front` (taken). It has not been stepped yet. */
struct flow *rig_flow(struct rig *r, struct hop *front);
/* A flow with a plain client; stepped until the target has accepted. Returns it with the two ends
 * in `*client` and `*target`. */
struct flow *rig_connect(struct rig *r, int *client, int *target);
/* Run the loop until `done(arg)`, at most two seconds; false when it did not come. */
bool rig_until(struct rig *r, bool (*done)(void *arg), void *arg);
/* Run what is ready. */
void rig_turn(struct rig *r);
/* Run until the last flow has been reported. */
bool rig_until_ended(struct rig *r);
/* Open descriptors of this process. */
int open_files(void);

#endif
