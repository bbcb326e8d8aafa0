/* SPDX-License-Identifier: Apache-2.0
 * A flow's event (docs/events.md) as facts. Events are foreign bytes: nothing in one can do more
 * than be no fact. */
#ifndef DIAGNOSE_EVENT_FACTS_H
#define DIAGNOSE_EVENT_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "diagnose/chain.h"
#include "diagnose/facts.h"

/* What a security policy has: its "versions", "ciphers" or "groups", comma-separated, into `out`;
 * false when the policy is not known. This room does not know policies. */
typedef bool diagnose_policy_cb(const char *policy, const char *what, char *out, size_t size);

/* Everything that the event tells. `policy` may be NULL. What `f` knows already from a call of API
 * Gateway stays (view=call is set before). */
void event_facts(struct facts *f, const json_t *event, diagnose_policy_cb *policy);

/* The chain that the client of this flow was presented: the listener's, or, through a TCP listener,
 * the target's; NULL when the event does not have it. */
struct chain *event_chain(const json_t *event);
/* "[listener https]" or "target 10.0.0.1:443", whose chain that is; into `out`; returns `out`. */
const char *event_chain_owner(const json_t *event, char *out, size_t size);
/* A part of an event by its path, "front.offer.sni"; NULL when it is not there. */
const json_t *event_field(const json_t *event, const char *path);

#endif
