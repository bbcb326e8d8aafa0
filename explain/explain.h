/* SPDX-License-Identifier: Apache-2.0
 * Events to stories: what happened to each flow that failed, or that ended in order although
 * something was wrong, said for people; the same story told once with a count. Lines are foreign
 * bytes: nothing in one can do more than be unreadable. The causes are diagnose/'s. */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "diagnose/event_facts.h"
#include "explain/story.h"

#define EXPLAIN_STORIES_MAX 1000 /* different ones; further ones are only counted */
#define EXPLAIN_TARGETS     64   /* targets whose flows are counted */

struct explain;
struct explain *
explain_new(diagnose_policy_cb *policy); /* `policy` may be NULL; NULL without memory */
void explain_free(struct explain *x);

enum explained { EXPLAIN_FINE, EXPLAIN_STORY, EXPLAIN_UNREADABLE };
/* Take one line (without line break, need not be terminated). `*story`: the story it belongs to,
 * borrowed; NULL when too many were told already. */
enum explained explain_line(struct explain *x, const char *line, size_t n,
                            const struct story **story);

/* All of it as text, or as one JSON document (allocated; NULL without memory). */
void explain_print(const struct explain *x, FILE *out);
char *explain_json(const struct explain *x);

#endif
