/* SPDX-License-Identifier: Apache-2.0
 * Events to stories, told once and counted; and which target had which outcome. */
#include "explain/explain.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"
#include "diagnose/diagnose.h"
#include "explain/story.h"

struct tally {
    char *group, *target;
    uint64_t fine, failed, odd;
};

struct explain {
    diagnose_policy_cb *policy;
    struct story *stories; /* in the order of their first flow */
    size_t n_stories, room;
    uint64_t flows, failed, odd;
    uint64_t untold; /* of stories beyond EXPLAIN_STORIES_MAX */
    struct tally targets[EXPLAIN_TARGETS];
    size_t n_targets;
};

/* --- one event --- */
static const char *text_in(const json_t *object, const char *name, const char *missing)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : missing;
}

static bool fatal(const json_t *alert)
{
    return json_is_object(alert) && strcmp(text_in(alert, "level", ""), "fatal") == 0;
}

/* The code of the end, or, for a flow that passed through, of the alert that did. */
static const char *code_of(const json_t *event, const char **who)
{
    const json_t *observed = json_object_get(event, "observed"),
                 *end = json_object_get(event, "end");

    *who = "client";
    if (fatal(json_object_get(observed, "alert_from_client")))
        return "pass_client_alert";
    *who = "target";
    if (fatal(json_object_get(observed, "alert_from_target")))
        return "pass_target_alert";
    *who = text_in(end, "party", "none");
    return text_in(end, "code", "");
}

/* Ended in order, as the load balancer sees it. */
static bool in_order(const char *code)
{
    return strcmp(code, "completed") == 0;
}

/* Nothing failed: nobody spoke, or we stopped. */
static bool never_a_story(const char *code)
{
    return strcmp(code, "stopped") == 0 || strcmp(code, "client_no_hello") == 0 || code[0] == '\0';
}

/* --- targets --- */
static struct tally *tally_of(struct explain *x, const json_t *event)
{
    const json_t *back = json_object_get(event, "back");
    const char *group = text_in(back, "target_group", NULL),
               *target = text_in(back, "target", NULL);
    struct tally *t;

    if (group == NULL || target == NULL)
        return NULL;
    for (size_t i = 0; i < x->n_targets; i++) {
        if (strcmp(x->targets[i].group, group) == 0 && strcmp(x->targets[i].target, target) == 0)
            return &x->targets[i];
    }
    if (x->n_targets == EXPLAIN_TARGETS)
        return NULL;
    t = &x->targets[x->n_targets];
    *t = (struct tally){ .group = strndup(group, 256), .target = strndup(target, 256) };
    if (t->group == NULL || t->target == NULL) {
        free(t->group);
        free(t->target);
        return NULL;
    }
    x->n_targets++;
    return t;
}

/* --- stories --- */
/* Takes `what`. NULL: too many, or no memory. */
static struct story *find_or_begin(struct explain *x, const struct story_source *from, char *what)
{
    const char *listener = text_in(from->event, "listener", "?");

    for (size_t i = 0; i < x->n_stories; i++) {
        struct story *s = &x->stories[i];

        if (strcmp(s->code, from->code) == 0 && strcmp(s->listener, listener) == 0 &&
            strcmp(s->what, what) == 0) {
            free(what);
            return s;
        }
    }
    if (x->n_stories == x->room && x->room < EXPLAIN_STORIES_MAX) {
        size_t room = x->room == 0 ? 16 : x->room * 2;
        struct story *grown = realloc(x->stories, room * sizeof *grown);

        if (grown != NULL) {
            x->stories = grown;
            x->room = room;
        }
    }
    if (x->n_stories < x->room && x->n_stories < EXPLAIN_STORIES_MAX) {
        if (story_begin(&x->stories[x->n_stories], from, what) == 0)
            return &x->stories[x->n_stories++];
        return NULL; /* `what` went with it */
    }
    free(what);
    return NULL;
}

static const struct story *tell_event(struct explain *x, const struct story_source *from)
{
    char *what = story_what(from->diagnosis);
    struct story *s = what == NULL ? NULL : find_or_begin(x, from, what);

    if (s == NULL)
        x->untold++;
    else
        story_count(s, from->event);
    return s;
}

static enum explained take(struct explain *x, const json_t *event, const struct story **story)
{
    struct diagnosis d = { NULL, 0 };
    struct facts *f = facts_new();
    struct story_source from = { .event = event, .diagnosis = &d };
    struct tally *t = tally_of(x, event);

    x->flows++;
    from.code = code_of(event, &from.who);
    if (f != NULL && !never_a_story(from.code)) {
        event_facts(f, event, x->policy);
        (void)diagnose(f, &d);
    }
    from.odd = in_order(from.code);
    if (d.n > 0)
        *story = tell_event(x, &from);
    x->odd += d.n > 0 && from.odd;
    x->failed += d.n > 0 && !from.odd;
    if (t != NULL) {
        t->fine += d.n == 0;
        t->odd += d.n > 0 && from.odd;
        t->failed += d.n > 0 && !from.odd;
    }
    facts_free(f);
    if (d.n == 0)
        return EXPLAIN_FINE;
    diagnosis_clear(&d);
    return EXPLAIN_STORY;
}

enum explained explain_line(struct explain *x, const char *line, size_t n,
                            const struct story **story)
{
    json_t *event = json_loadb(line, n, 0, NULL);
    enum explained result = EXPLAIN_UNREADABLE;

    *story = NULL;
    if (json_is_object(event) && json_is_object(json_object_get(event, "end")))
        result = take(x, event, story);
    json_decref(event);
    return result;
}

/* --- all of them --- */
struct explain *explain_new(diagnose_policy_cb *policy)
{
    struct explain *x = calloc(1, sizeof *x);

    if (x != NULL)
        x->policy = policy;
    return x;
}

void explain_free(struct explain *x)
{
    if (x == NULL)
        return;
    for (size_t i = 0; i < x->n_stories; i++)
        story_clear(&x->stories[i]);
    for (size_t i = 0; i < x->n_targets; i++) {
        free(x->targets[i].group);
        free(x->targets[i].target);
    }
    free(x->stories);
    free(x);
}

static void print_tally(const struct tally *t, FILE *out)
{
    foreign_printf(out, "  %s of group %s: %llu in order", t->target, t->group,
                   (unsigned long long)t->fine);
    if (t->odd > 0)
        fprintf(out, ", %llu odd", (unsigned long long)t->odd);
    if (t->failed > 0)
        fprintf(out, ", %llu failed", (unsigned long long)t->failed);
    fputc('\n', out);
}

static size_t stories_of(const struct explain *x, bool odd)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n_stories; i++)
        n += x->stories[i].odd == odd;
    return n;
}

static void print_ways(size_t n, FILE *out)
{
    fprintf(out, " in %zu way%s", n, n == 1 ? "" : "s");
}

void explain_print(const struct explain *x, FILE *out)
{
    fprintf(out, "%llu flow%s, %llu failed", (unsigned long long)x->flows, x->flows == 1 ? "" : "s",
            (unsigned long long)x->failed);
    if (x->failed > 0)
        print_ways(stories_of(x, false), out);
    if (x->odd > 0) {
        fprintf(out, ", %llu odd", (unsigned long long)x->odd);
        print_ways(stories_of(x, true), out);
    }
    fputs(".\n", out);
    for (size_t i = 0; i < x->n_stories; i++) {
        fputc('\n', out);
        story_print(&x->stories[i], out);
    }
    if (x->failed + x->odd > 0 && x->n_targets > 1) {
        fputs("\nFlows by target:\n", out);
        for (size_t i = 0; i < x->n_targets; i++)
            print_tally(&x->targets[i], out);
    }
    if (x->untold > 0)
        fprintf(out, "\n%llu more flows failed in still other ways.\n",
                (unsigned long long)x->untold);
}

char *explain_json(const struct explain *x)
{
    json_t *stories = json_array(), *targets = json_array();
    json_t *doc;
    char *text;

    for (size_t i = 0; i < x->n_stories; i++)
        json_array_append_new(stories, story_document(&x->stories[i]));
    for (size_t i = 0; i < x->n_targets; i++) {
        const struct tally *t = &x->targets[i];

        json_array_append_new(targets, json_pack("{s:o, s:o, s:I, s:I, s:I}", "target",
                                                 foreign_json(t->target), "target_group",
                                                 foreign_json(t->group), "in_order",
                                                 (json_int_t)t->fine, "odd", (json_int_t)t->odd,
                                                 "failed", (json_int_t)t->failed));
    }
    doc = json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "flows", (json_int_t)x->flows, "failed",
                    (json_int_t)x->failed, "odd", (json_int_t)x->odd, "untold",
                    (json_int_t)x->untold, "stories", stories, "targets", targets);
    text = foreign_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(doc);
    return text;
}
