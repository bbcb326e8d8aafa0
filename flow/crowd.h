/* SPDX-License-Identifier: Apache-2.0
 * How many flows there are in the whole process, against what the configuration allows. Shared by
 * all workers; any thread. A NULL crowd admits everybody. */
#ifndef FLOW_CROWD_H
#define FLOW_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "observe/ceilings.h"

struct crowd;
struct source;

struct flow_limits {
    uint64_t connections, per_source;
    uint64_t handshakes; /* of clients, not done yet */
    uint64_t hello_bytes;
};

/* What one flow is counted as. Zeroed: as nothing. */
struct crowd_place {
    bool connection, handshake;
    struct source *source;
};

/* `starved_cb` asks every worker for flow_env_give_up(); it calls nothing of here. NULL without
 * memory. */
struct crowd *crowd_new(void (*starved_cb)(void *arg), void *arg);
void crowd_free(struct crowd *c);
struct ceilings *crowd_ceilings(struct crowd *c);

/* Admit a client; `handshake`: it has to make one. False, counted and told: a ceiling is reached,
 * and the connection is to be reset. */
bool crowd_enter(struct crowd *c, const struct flow_limits *limits, const struct addr *client,
                 bool handshake, struct crowd_place *place);
void crowd_handshake_done(struct crowd *c, struct crowd_place *place);
void crowd_leave(struct crowd *c, struct crowd_place *place); /* more than once is fine */

/* Flows that are over for AWS and hold descriptors only to answer with RST. False: there are as
 * many already as there may be connections, do not keep this one. */
bool crowd_keep_expired(struct crowd *c, const struct flow_limits *limits);
void crowd_drop_expired(struct crowd *c);
bool crowd_has_expired(const struct crowd *c);
/* Are there any? Then their workers are asked to give them up. */
bool crowd_starved(struct crowd *c);
/* The workers are about to end. */
void crowd_ask_nobody(struct crowd *c);

#endif
