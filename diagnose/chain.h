/* SPDX-License-Identifier: Apache-2.0
 * A chain of certificates as it was presented: what is odd about its shape, and the chain drawn in
 * a few lines that end where trust ends. Shapes are looked at by names and key identifiers; whether
 * a client accepts the chain is for certs/judge/trust.h to say. */
#ifndef DIAGNOSE_CHAIN_H
#define DIAGNOSE_CHAIN_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "certs/judge/trust.h"
#include "certs/x509/parse.h"
#include "diagnose/facts.h"

struct chain;
/* `anchors`: what the client trusts; NULL: not known here. `store`: its name, or NULL. Everything
 * is copied. NULL without memory. */
struct chain *chain_of_list(const struct cert_list *presented, const struct cert_list *anchors,
                            const char *store, int64_t at_utc);
/* The array "certificates" of an event (docs/events.md). */
struct chain *chain_of_json(const json_t *certificates, int64_t at_utc);
void chain_free(struct chain *c);
size_t chain_length(const struct chain *c); /* of NULL: 0 */

/* The facts chain.* */
void chain_facts(const struct chain *c, struct facts *f);
/* The fact chain.unfit: the leaf does not name `host` (NULL: nobody asked for one). */
void chain_name_fact(struct facts *f, const char *host);
/* The facts refusal.*: what the judge found wrong with which certificate. */
void verdict_facts(const struct verdict *v, const struct cert_list *presented, struct facts *f);
/* Draw it: a line or two per certificate, each beginning with `margin`, then where trust ends.
 * `v`: what the judge found; NULL: nothing is known of that. */
void chain_draw(const struct chain *c, const struct verdict *v, const char *margin, FILE *out);

#endif
