/* SPDX-License-Identifier: Apache-2.0
 * One story: from a diagnosed event, printed for people and as JSON. */
#include "explain/story.h"

#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"
#include "core/screen.h"
#include "diagnose/event_facts.h"

enum log_kind { LOG_PLAIN, LOG_ALERT, LOG_FAILED, LOG_NO_HELLO, LOG_TARGET, LOG_NONE };
static const struct log_line {
    const char *code;
    enum log_kind kind;
} log_lines[] = {
#define LOG(code, kind) { code, LOG_##kind },
#include "explain/log_lines.def"
#undef LOG
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

static const char *log_of(const char *code, const char *protocol)
{
    if (strcmp(protocol, "TCP") == 0)
        return LOG_TCP;
    for (size_t i = 0; i < sizeof log_lines / sizeof log_lines[0]; i++) {
        if (strcmp(log_lines[i].code, code) == 0)
            return log_texts[log_lines[i].kind];
    }
    return log_texts[LOG_PLAIN];
}

static const char *text_of(const json_t *object, const char *name, const char *missing)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : missing;
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : strndup(text, 256);
}

void story_clear(struct story *s)
{
    char **const texts[] = { &s->code,   &s->listener, &s->who,        &s->section, &s->key,
                             &s->places, &s->what,     &s->todo,       &s->next,    &s->chain,
                             &s->owner,  &s->metric,   &s->access_log, &s->first,   &s->last };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(*texts[i]);
    for (size_t i = 0; i < s->n_clients; i++)
        free(s->clients[i]);
}

/* --- the sentences of a diagnosis, one kind each --- */
char *story_what(const struct diagnosis *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out != NULL && i < d->n; i++) {
        if (i == 0 || d->at[i].rank == CAUSE_ALSO)
            fprintf(out, "%s%s", i > 0 ? " " : "", d->at[i].what);
    }
    if (out == NULL || fclose(out) != 0)
        return NULL;
    return text;
}

/* Another reading of the same facts is told with what to do about it. */
static char *todo_of(const struct diagnosis *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out != NULL && i < d->n; i++) {
        const struct cause *c = &d->at[i];

        if (i > 0 && c->rank != CAUSE_ALSO)
            fprintf(out, " Or: %s", c->what);
        if (c->change[0] != '\0')
            fprintf(out, "%s%s", i > 0 ? " " : "", c->change);
    }
    if (out == NULL || fclose(out) != 0)
        return NULL;
    return text;
}

static char *drawing_of(const json_t *event)
{
    struct chain *chain = event_chain(event);
    char *text = NULL;
    size_t size = 0;
    FILE *out = chain == NULL ? NULL : open_memstream(&text, &size);

    if (out != NULL) {
        chain_draw(chain, NULL, "    ", out);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    chain_free(chain);
    return text;
}

/* Where something is to be changed, one after the other. */
static char *places_of(const struct diagnosis *d)
{
    char *text = NULL, place[512];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out != NULL && i < d->n; i++) {
        if (d->at[i].section[0] != '\0' && d->at[i].change[0] != '\0')
            fprintf(out, "%s%s", ftell(out) > 0 ? "; " : "",
                    cause_place(&d->at[i], place, sizeof place));
    }
    if (out == NULL || fclose(out) != 0)
        return NULL;
    return text;
}

/* A flow that ended at what was presented, or where nobody can say at what. */
static bool chain_matters(const struct cause *c)
{
    return strcmp(c->key, "certificate") == 0;
}

int story_begin(struct story *s, const struct story_source *from, char *what)
{
    const json_t *event = from->event;
    const struct cause *c = &from->diagnosis->at[0];
    char owner[160];

    *s = (struct story){
        .code = copy(from->code),
        .listener = copy(text_of(event, "listener", "?")),
        .who = copy(from->who),
        .cause = c->id,
        .hop = c->hop,
        .section = copy(c->section),
        .key = copy(c->key),
        .places = places_of(from->diagnosis),
        .what = what,
        .todo = todo_of(from->diagnosis),
        .next = c->next[0] != '\0' ? strdup(c->next) : NULL,
        .chain = chain_matters(c) ? drawing_of(event) : NULL,
        .owner = copy(event_chain_owner(event, owner, sizeof owner)),
        .metric = copy(text_of(json_object_get(event, "end"), "metric", NULL)),
        .access_log = copy(log_of(from->code, text_of(event, "protocol", ""))),
        .first = copy(text_of(event, "time", "?")),
        .last = copy(text_of(event, "time", "?")),
        .flow = json_integer_value(json_object_get(event, "flow")),
        .odd = from->odd,
    };
    if (s->code != NULL && s->listener != NULL && s->who != NULL && s->section != NULL &&
        s->key != NULL && s->places != NULL && s->todo != NULL && s->access_log != NULL &&
        s->first != NULL && s->last != NULL)
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

void story_count(struct story *s, const json_t *event)
{
    char *last = copy(text_of(event, "time", NULL));

    s->count++;
    add_client(s, text_of(event, "client", ""));
    if (last != NULL) {
        free(s->last);
        s->last = last;
    }
}

/* --- for people --- */
static void print_place(const struct story *s, FILE *out)
{
    if (s->places[0] != '\0')
        foreign_printf(out, "  Change:        %s\n", s->places);
}

void story_print(const struct story *s, FILE *out)
{
    foreign_printf(out, "%llux %s, listener %s, %s", (unsigned long long)s->count,
                   s->odd ? "odd (it ended in order)" : s->code, s->listener, s->first);
    if (s->count > 1)
        foreign_printf(out, " to %s", s->last);
    fputc('\n', out);
    screen_sentence(out, "  What happened: ", s->what);
    screen_sentence(out, "  What to do:    ", s->todo);
    print_place(s, out);
    if (s->hop != NULL)
        foreign_printf(out, "  Who changes:   %s (%s)\n", s->hop, s->cause);
    if (s->next != NULL)
        screen_sentence(out, "  After that:    ", s->next);
    if (s->chain != NULL) {
        foreign_printf(out, "  Presented by %s:\n", s->owner);
        fputs(s->chain, out);
    }
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

/* --- for programs --- */
json_t *story_document(const struct story *s)
{
    json_t *clients = json_array();
    json_t *j = json_object();
    const struct {
        const char *name, *text;
    } texts[] = {
        { "code", s->code },
        { "listener", s->listener },
        { "who", s->who },
        { "cause", s->cause },
        { "hop", s->hop },
        { "section", s->section },
        { "key", s->key },
        { "what", s->what },
        { "todo", s->todo },
        { "next", s->next },
        { "chain", s->chain },
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
    json_object_set_new(j, "odd", json_boolean(s->odd));
    return j;
}

char *story_json(const struct story *s)
{
    json_t *doc = story_document(s);
    char *text = foreign_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(doc);
    return text;
}
