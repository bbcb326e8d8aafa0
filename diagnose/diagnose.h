/* SPDX-License-Identifier: Apache-2.0
 * Facts in, ranked causes out: which hop, what is the case, who has to change what, what to expect
 * after that. Everything that speaks of causes (probe, matrix, explain, validate, audit, check, the
 * pages) speaks through here. */
#ifndef DIAGNOSE_DIAGNOSE_H
#define DIAGNOSE_DIAGNOSE_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "diagnose/facts.h"

enum cause_rank { CAUSE_SURE, CAUSE_LIKELY, CAUSE_GENERAL, CAUSE_ALSO };

struct cause {
    const char *id; /* "LEAF_TWICE"; a row of diagnose/causes.def */
    enum cause_rank rank;
    const char *hop;     /* listener, target, caller, network, gateway, none; NULL: not known */
    char *section, *key; /* where to change something; "": nowhere in a file */
    char *what, *change, *next; /* sentences; `change` and `next` may be "" */
    const char *evidence, *source;
};

struct diagnosis {
    struct cause *at; /* the best first, then others that may be (LIKELY), then what goes with it */
    size_t n;
};

/* Find the causes. 0; -1 without memory. No cause is found for what is in order. */
int diagnose(const struct facts *f, struct diagnosis *out);
void diagnosis_clear(struct diagnosis *d);
/* The best cause; NULL when there is none. */
const struct cause *diagnosis_first(const struct diagnosis *d);
/* All of it in one line of sentences (allocated; NULL without memory). */
char *diagnosis_text(const struct diagnosis *d);
/* {"cause","hop","section","key","what","change","next","evidence","source"} of each. */
json_t *diagnosis_json(const struct diagnosis *d);
/* "[listener https] certificate", for people; "" when there is nothing to change in a file. */
const char *cause_place(const struct cause *c, char *out, size_t size);

/* For tests and documentation: every row. */
struct cause_row {
    const char *id;
    enum cause_rank rank;
    const char *hop, *section, *key, *evidence, *source, *condition, *what, *change, *next;
};
extern const struct cause_row cause_rows[];
extern const size_t cause_n_rows;

#endif
