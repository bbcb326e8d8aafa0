/* SPDX-License-Identifier: Apache-2.0
 * Events to stories, told once and counted. */
#include "explain/explain.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"
#include "core/screen.h"
struct explain {
    explain_policy_cb *policy;
    struct story *stories; /* in the order of their first flow */
    size_t n_stories, room;
    uint64_t flows, failed, untold; /* untold: of stories beyond EXPLAIN_STORIES_MAX */
};

enum log_kind { LOG_ALERT, LOG_FAILED, LOG_NO_HELLO, LOG_PLAIN, LOG_TARGET, LOG_NONE };
static const struct row {
    const char *code;
    enum log_kind log;
    const char *what, *todo;
} rows[] = {
#define STORY(code, log, what, todo) { code, LOG_##log, what, todo },
#include "explain/explain.def"
#undef STORY
};

static const char *const log_texts[] = {
    [LOG_ALERT] = "a line with incoming_tls_alert (field 12) = the alert's number, and - in "
                  "tls_handshake_time, tls_cipher, tls_protocol_version and tls_keyexchange (9, "
                  "15-17), unless the client had completed the handshake before it refused",
    [LOG_FAILED] = "a line with - in tls_handshake_time, tls_cipher, tls_protocol_version and "
                   "tls_keyexchange (9, 15-17) and no alert (12)",
    [LOG_NO_HELLO] = "a line with - for certificate and server name too (9, 12-13, 15-18)",
    [LOG_PLAIN] = "the line of a connection whose handshake succeeded; why it ended is not said",
    [LOG_TARGET] = "NOT shown: the access log says nothing about targets. The connection has a "
                   "line like any other, with few or no bytes (10, 11); only the metric tells",
    [LOG_NONE] = "no line",
};
#define LOG_TCP "no line: flows of TCP listeners are not logged"

/* --- one event --- */
static const char *text_of(const json_t *object, const char *name, const char *missing)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : missing;
}

static bool fatal(const json_t *alert)
{
    return json_is_object(alert) && strcmp(text_of(alert, "level", ""), "fatal") == 0;
}

/* The code of the end, or, for a flow that passed through, of the alert that did. */
static const char *code_of(const json_t *event)
{
    const json_t *observed = json_object_get(event, "observed");

    if (fatal(json_object_get(observed, "alert_from_client")))
        return "pass_client_alert";
    if (fatal(json_object_get(observed, "alert_from_target")))
        return "pass_target_alert";
    return text_of(json_object_get(event, "end"), "code", "");
}

static const struct row *row_of(const char *code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].code, code) == 0)
            return &rows[i];
    }
    return NULL;
}

static const char *log_of(const struct row *row, const json_t *event)
{
    return strcmp(text_of(event, "protocol", ""), "TCP") == 0 ? LOG_TCP : log_texts[row->log];
}

static const char *who_of(const struct row *row, const json_t *event)
{
    if (strcmp(row->code, "pass_client_alert") == 0)
        return "client";
    if (strcmp(row->code, "pass_target_alert") == 0)
        return "target";
    return text_of(json_object_get(event, "end"), "party", "none");
}

/* --- stories --- */
static void story_clear(struct story *s)
{
    char **const texts[] = { &s->code,   &s->listener,   &s->who,   &s->what, &s->todo,
                             &s->metric, &s->access_log, &s->first, &s->last };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(*texts[i]);
    for (size_t i = 0; i < s->n_clients; i++)
        free(s->clients[i]);
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : strndup(text, 256);
}

static int begin(struct explain *x, const struct row *row, const json_t *event, char *what,
                 struct story *s)
{
    *s = (struct story){
        .code = copy(row->code),
        .listener = copy(text_of(event, "listener", "?")),
        .who = copy(who_of(row, event)),
        .what = what,
        .todo = explain_fill(row->todo, event, x->policy),
        .metric = copy(text_of(json_object_get(event, "end"), "metric", NULL)),
        .access_log = copy(log_of(row, event)),
        .first = copy(text_of(event, "time", "?")),
        .last = copy(text_of(event, "time", "?")),
        .flow = json_integer_value(json_object_get(event, "flow")),
    };
    if (s->code != NULL && s->listener != NULL && s->who != NULL && s->todo != NULL &&
        s->access_log != NULL && s->first != NULL && s->last != NULL)
        return 0;
    story_clear(s);
    return -1;
}

static void add_client(struct story *s, const char *client)
{
    size_t n = strlen(client);

    while (n > 0 && client[n - 1] != ':')
        n--; /* the port differs each time and tells nothing */
    if (n > 0)
        n--;
    for (size_t i = 0; i < s->n_clients; i++) {
        if (strlen(s->clients[i]) == n && strncmp(s->clients[i], client, n) == 0)
            return;
    }
    if (s->n_clients == EXPLAIN_CLIENTS || n > 64)
        s->more++;
    else if ((s->clients[s->n_clients] = strndup(client, n)) != NULL)
        s->n_clients++;
}

static void count(struct story *s, const json_t *event)
{
    char *last = copy(text_of(event, "time", NULL));

    s->count++;
    add_client(s, text_of(event, "client", ""));
    if (last != NULL) {
        free(s->last);
        s->last = last;
    }
}

/* Takes `what`. NULL: too many, or no memory. */
static struct story *find_or_begin(struct explain *x, const struct row *row, const json_t *event,
                                   char *what)
{
    const char *listener = text_of(event, "listener", "?");

    for (size_t i = 0; i < x->n_stories; i++) {
        struct story *s = &x->stories[i];

        if (strcmp(s->code, row->code) == 0 && strcmp(s->listener, listener) == 0 &&
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
        if (begin(x, row, event, what, &x->stories[x->n_stories]) == 0)
            return &x->stories[x->n_stories++];
        return NULL; /* `what` went with it */
    }
    free(what);
    return NULL;
}

static enum explained take(struct explain *x, const json_t *event, const struct story **story)
{
    const struct row *row = row_of(code_of(event));
    struct story *s;
    char *what;

    x->flows++;
    if (row == NULL)
        return EXPLAIN_FINE;
    x->failed++;
    what = explain_fill(row->what, event, x->policy);
    s = what == NULL ? NULL : find_or_begin(x, row, event, what);
    if (s == NULL)
        x->untold++;
    else
        count(s, event);
    *story = s;
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
struct explain *explain_new(explain_policy_cb *policy)
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
    free(x->stories);
    free(x);
}

void explain_print(const struct explain *x, FILE *out)
{
    fprintf(out, "%llu flow%s, %llu failed", (unsigned long long)x->flows, x->flows == 1 ? "" : "s",
            (unsigned long long)x->failed);
    if (x->failed > 0)
        fprintf(out, " in %zu way%s", x->n_stories, x->n_stories == 1 ? "" : "s");
    fputs(".\n", out);
    for (size_t i = 0; i < x->n_stories; i++) {
        fputc('\n', out);
        story_print(&x->stories[i], out);
    }
    if (x->untold > 0)
        fprintf(out, "\n%llu more flows failed in still other ways.\n",
                (unsigned long long)x->untold);
}

void story_print(const struct story *s, FILE *out)
{
    foreign_printf(out, "%llux %s, listener %s, %s", (unsigned long long)s->count, s->code,
                   s->listener, s->first);
    if (s->count > 1)
        foreign_printf(out, " to %s", s->last);
    fputc('\n', out);
    screen_sentence(out, "  What happened: ", s->what);
    screen_sentence(out, "  What to do:    ", s->todo);
    if (s->metric != NULL)
        foreign_printf(out, "  Metric on AWS: %s +%llu\n", s->metric, (unsigned long long)s->count);
    else
        fputs("  Metric on AWS: none\n", out);
    screen_sentence(out, "  Access log:    ", s->access_log);
    fputs("  Clients:       ", out);
    for (size_t i = 0; i < s->n_clients; i++)
        foreign_printf(out, "%s%s", i > 0 ? ", " : "", s->clients[i]);
    fputs(s->more > 0 ? " and others\n" : "\n", out);
}

static json_t *story_document(const struct story *s)
{
    json_t *clients = json_array();
    json_t *j = json_object();
    const struct {
        const char *name, *text;
    } texts[] = {
        { "code", s->code },
        { "listener", s->listener },
        { "who", s->who },
        { "what", s->what },
        { "todo", s->todo },
        { "metric", s->metric },
        { "access_log", s->access_log },
        { "first", s->first },
        { "last", s->last },
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_object_set_new(j, texts[i].name, foreign_json(texts[i].text));
    }
    for (size_t i = 0; i < s->n_clients; i++)
        json_array_append_new(clients, foreign_json(s->clients[i]));
    json_object_set_new(j, "clients", clients);
    json_object_set_new(j, "count", json_integer((json_int_t)s->count));
    json_object_set_new(j, "flow", json_integer(s->flow));
    return j;
}

char *story_json(const struct story *s)
{
    json_t *doc = story_document(s);
    char *text = foreign_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(doc);
    return text;
}

char *explain_json(const struct explain *x)
{
    json_t *stories = json_array();
    json_t *doc;
    char *text;

    for (size_t i = 0; i < x->n_stories; i++)
        json_array_append_new(stories, story_document(&x->stories[i]));
    doc = json_pack("{s:I, s:I, s:I, s:o}", "flows", (json_int_t)x->flows, "failed",
                    (json_int_t)x->failed, "untold", (json_int_t)x->untold, "stories", stories);
    text = foreign_dumps(doc, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(doc);
    return text;
}
