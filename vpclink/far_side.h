/* SPDX-License-Identifier: Apache-2.0
 * What is known of the far side of the link: which kind of listener, and, when it is this program's
 * load balancer, what its event says about our flow. */
#ifndef VPCLINK_FAR_SIDE_H
#define VPCLINK_FAR_SIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/addr.h"
#include "core/ends.h"
#include "core/protocol.h"

#define FAR_TEXT_MAX 320

struct far_side {
    enum protocol protocol; /* of the listener; 0: not known */
    char listener[64];      /* its name; empty: not known */
    bool ours;              /* it is nlbsim: it said so itself */
    char events[4096];      /* where its events go; empty: not known */

    /* From our flow's event (docs/events.md): */
    bool joined;
    long long flow;
    enum flow_end end; /* END_N: an event of another version */
    char end_text[FAR_TEXT_MAX];
    char target[64];                /* empty: none was picked */
    char lacking[FAR_TEXT_MAX];     /* what the simulator would need to go on as AWS does */
    char served_file[FAR_TEXT_MAX]; /* the listener's certificate, as it is configured */
    json_t *event;                  /* all of it; owned */
};
void far_side_clear(struct far_side *f); /* what it owns */

/* Where the events of flows are read from. */
struct far_events {
    int post;         /* the signpost, while we watch; -1 */
    int fd;           /* a file in memory; owned; -1: `path` */
    const char *path; /* borrowed; NULL: there are none */
    off_t from;       /* what stands before was there already */
};
#define FAR_EVENTS_NONE ((struct far_events){ .post = -1, .fd = -1 })
/* Those that will be added to the file `path`. */
void far_events_file(struct far_events *e, const char *path);
/* Is there a file that we may read? */
bool far_events_readable(const char *path);
/* Close what is open; watching is over. */
void far_events_clear(struct far_events *e);

/* Ask the signpost of a load balancer of this program on this machine, and watch its events in
 * memory from now on, where it lets us.
 *   pem     gets the PEM text of `store` ("lab:public"), allocated, or NULL
 *   events  FAR_EVENTS_NONE before
 *   returns  false: nobody of ours listens there */
bool far_side_ask(const struct addr *to, struct far_side *out, const char *store, char **pem,
                  struct far_events *events);
/* Take its answer (JSON) in; false when it is none. `*pem` is set only when it is one. */
bool far_side_take_answer(const char *text, size_t n, struct far_side *out, const char *store,
                          char **pem);

/* Find the event of the flow whose client is `local`, waiting for it at most `wait_ms`. False when
 * it does not come. */
bool far_side_join(const struct far_events *events, const struct addr *local, unsigned wait_ms,
                   struct far_side *out);
/* Take one event (a line of JSON) in. False when it is none of `client` ("127.0.0.1:40000"). */
bool far_side_take_event(const char *line, const char *client, struct far_side *out);

#endif
