/* SPDX-License-Identifier: Apache-2.0
 * Events to stories: what happened to each failed flow, said for people, the same story told once
 * with a count. Lines are foreign bytes: nothing in one can do more than be unreadable. */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a security policy has, for "wanted": "versions", "ciphers" or "groups" of the policy of that
 * name into `out`; false when it is not known. observe/ does not know policies. */
typedef bool explain_policy_cb(const char *policy, const char *what, char *out, size_t size);

#define EXPLAIN_STORIES_MAX 1000 /* different ones; further ones are only counted */
#define EXPLAIN_CLIENTS     5    /* addresses kept per story */

/* One way to fail, as often as it happened. */
struct story {
    char *code, *listener, *who;
    char *what, *todo;  /* sentences */
    char *metric;       /* CloudWatch's name, or NULL */
    char *access_log;   /* what AWS's access log shows */
    char *first, *last; /* times of the events */
    char *clients[EXPLAIN_CLIENTS];
    size_t n_clients; /* kept */
    uint64_t more;    /* flows of clients that are not kept */
    uint64_t count;
    int64_t flow; /* number of the first one */
};

struct explain;
struct explain *
explain_new(explain_policy_cb *policy); /* `policy` may be NULL; NULL without memory */
void explain_free(struct explain *x);

enum explained { EXPLAIN_FINE, EXPLAIN_STORY, EXPLAIN_UNREADABLE };
/* Take one line (without line break, need not be terminated). `*story`: the story it belongs to,
 * borrowed; NULL when too many were told already. */
enum explained explain_line(struct explain *x, const char *line, size_t n,
                            const struct story **story);

/* All of it as text, or as one JSON document (allocated; NULL without memory). */
void explain_print(const struct explain *x, FILE *out);
char *explain_json(const struct explain *x);
/* One story as text, or as one line of JSON (allocated). */
void story_print(const struct story *s, FILE *out);
char *story_json(const struct story *s);

/* --- explain/explain_words.c --- */
struct json_t;
/* Fill the {words} of `text` in from an event. Allocated; NULL without memory. */
char *explain_fill(const char *text, const struct json_t *event, explain_policy_cb *policy);

#endif
