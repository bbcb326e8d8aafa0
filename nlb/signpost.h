/* SPDX-License-Identifier: Apache-2.0
 * A signpost beside each listening address: who listens there, for a probe on the same machine.
 *
 * An abstract socket "nlbsim-about-ADDRESS:PORT" answers every connection with one JSON object and
 * ends it: {"pid","listener","protocol","events","stores":{"lab:public":PEM,...}}. Only
 * certificates, never a key. Somebody of the same user (or root) gets a file in memory with it
 * (SCM_RIGHTS), to which events are added until that connection is closed. */
#ifndef NLB_SIGNPOST_H
#define NLB_SIGNPOST_H

#include <stddef.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/protocol.h"
#include "nlb/config.h"

struct event_watch;
struct signposts;

struct signpost {
    const char *listener; /* copied */
    enum protocol protocol;
    struct addr address;
};

/* One thread for all of them; NULL with the reason in `err`: the load balancer works without.
 * `events`: the event file of the process; NULL: there is none. `watch` is borrowed. */
struct signposts *signposts_start(const char *events, struct event_watch *watch, struct err *err);
/* From now on these, and no others; a post whose address stays keeps its socket. Takes a reference
 * of `config`. 0; -1 with the reason in `err` when one of them cannot be put up (the others are).
 */
int signposts_set(struct signposts *s, const struct signpost *posts, size_t n,
                  const struct nlb_config *config, struct err *err);
void signposts_stop(struct signposts *s); /* NULL is fine */

#endif
