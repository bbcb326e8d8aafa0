/* SPDX-License-Identifier: Apache-2.0
 * A signpost beside each listening address: who listens there, for a probe on the same machine.
 *
 * An abstract socket "nlbsim-about-ADDRESS:PORT" answers every connection with one JSON object and
 * closes: {"pid","listener","protocol","events","stores":{"lab:public":PEM,...}}. Only
 * certificates, never a key. */
#ifndef NLB_SIGNPOST_H
#define NLB_SIGNPOST_H

#include <stddef.h>

#include "core/addr.h"
#include "core/protocol.h"
#include "nlb/config.h"

struct signposts;

struct signpost {
    const char *listener; /* copied */
    enum protocol protocol;
    struct addr address;
};

/* One thread for all of them; NULL when it cannot start: the load balancer works without. */
struct signposts *signposts_start(void);
/* From now on these, and no others. Takes a reference of `config`. */
void signposts_set(struct signposts *s, const struct signpost *posts, size_t n,
                   const struct nlb_config *config);
void signposts_stop(struct signposts *s); /* NULL is fine */

#endif
