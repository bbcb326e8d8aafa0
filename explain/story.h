/* SPDX-License-Identifier: Apache-2.0
 * One story: how flows failed, as often as they did so in the same way. */
#ifndef EXPLAIN_STORY_H
#define EXPLAIN_STORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "diagnose/diagnose.h"

#define EXPLAIN_CLIENTS 5 /* addresses kept per story */

/* One way to fail, as often as it happened. */
struct story {
    char *code, *listener;
    char *who;                /* ended it */
    const char *cause;        /* row of diagnose/causes.def */
    const char *hop;          /* who has to change something; NULL: not known */
    char *section, *key;      /* where; may be "" */
    char *places;             /* that, and where else */
    char *what, *todo, *next; /* sentences */
    char *chain;              /* the presented chain, drawn; NULL: none to show */
    char *owner;              /* who presented it */
    char *metric;             /* CloudWatch's name, or NULL */
    char *access_log;         /* what AWS's access log shows */
    char *first, *last;       /* times of the events */
    char *clients[EXPLAIN_CLIENTS];
    size_t n_clients; /* kept */
    uint64_t more;    /* flows of clients that are not kept */
    uint64_t count;
    int64_t flow; /* number of the first one */
    bool odd;     /* the load balancer saw it end in order */
};
/* One story as text, or as one line of JSON (allocated). */
void story_print(const struct story *s, FILE *out);
char *story_json(const struct story *s);

/* --- for explain.c: what a story is made from --- */
struct story_source {
    const json_t *event;
    const struct diagnosis *diagnosis; /* at least one cause */
    const char *code, *who;
    bool odd;
};
/* What happened, in words (allocated; NULL without memory): equal stories have equal words. */
char *story_what(const struct diagnosis *d);
/* Takes `what`, in case of failure too. 0, or -1 without memory. */
int story_begin(struct story *s, const struct story_source *from, char *what);
/* One more flow of it. */
void story_count(struct story *s, const json_t *event);
void story_clear(struct story *s);
json_t *story_document(const struct story *s);

#endif
