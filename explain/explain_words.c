/* SPDX-License-Identifier: Apache-2.0
 * The {words} of stories, from an event's fields. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"

#include "explain/explain.h"

#define LIST_SHOWN 8   /* entries of a list that are told */
#define TEXT_SHOWN 300 /* bytes of a text */

/* --- fields --- */
/* "front.offer.sni": NULL when a part is missing or no object. */
static const json_t *field(const json_t *event, const char *path)
{
    const json_t *at = event;

    while (at != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");
        char name[32];

        snprintf(name, sizeof name, "%.*s", (int)n, path);
        at = json_object_get(at, name);
        path += n + (path[n] == '.');
    }
    return at;
}

/* Texts of peers end on somebody's terminal: no control characters, no novel. */
static void put_foreign(FILE *out, const char *text)
{
    char shown[6 * TEXT_SHOWN + 1];

    foreign_line(shown, sizeof shown, text, strnlen(text, TEXT_SHOWN));
    fputs(shown, out);
}

static void put_scalar(FILE *out, const json_t *value, const char *missing)
{
    if (json_is_string(value))
        put_foreign(out, json_string_value(value));
    else if (json_is_integer(value))
        fprintf(out, "%lld", (long long)json_integer_value(value));
    else
        fputs(missing, out);
}

static void put_list(FILE *out, const json_t *list)
{
    size_t n = json_array_size(list), shown = 0;

    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (name == NULL || strcmp(name, "GREASE") == 0)
            continue;
        if (shown == LIST_SHOWN) {
            fprintf(out, " and %zu more", n - i);
            return;
        }
        if (shown++ > 0)
            fputs(", ", out);
        put_foreign(out, name);
    }
    if (shown == 0)
        fputs("nothing", out);
}

/* --- alerts --- */
static const struct alert_row {
    int number;
    const char *client_means, *client_advice, *target_means, *target_advice;
} alerts[] = {
#define ALERT(number, client_means, client_advice, target_means, target_advice)                    \
    { number, client_means, client_advice, target_means, target_advice },
#include "explain/explain_alerts.def"
#undef ALERT
};

static const struct alert_row *alert_row(const json_t *alert)
{
    json_int_t number = json_integer_value(json_object_get(alert, "number"));

    for (size_t i = 0; json_is_object(alert) && i < sizeof alerts / sizeof alerts[0]; i++) {
        if (alerts[i].number == number)
            return &alerts[i];
    }
    return NULL;
}

/* Alerts of a session that ended here, or of one that passed through a TCP listener. */
static const json_t *alert_of(const json_t *event, bool client)
{
    const json_t *here = field(event, client ? "front.alert_received" : "back.alert_received");

    return json_is_object(here)
               ? here
               : field(event, client ? "observed.alert_from_client" : "observed.alert_from_target");
}

static void put_alert(FILE *out, const json_t *alert)
{
    if (!json_is_object(alert)) {
        fputs("no alert", out);
        return;
    }
    fputs("alert ", out);
    put_scalar(out, json_object_get(alert, "number"), "?");
    fputc(' ', out);
    put_scalar(out, json_object_get(alert, "name"), "(unknown)");
}

/* --- words --- */
enum word_kind {
    WORD_TEXT,
    WORD_LIST,
    WORD_ALERT,
    WORD_ALERT_MEANS,
    WORD_ALERT_ADVICE,
    WORD_POLICY,
};
static const struct word {
    const char *name;
    enum word_kind kind;
    const char *path;  /* of the field */
    const char *other; /* of the field on TCP listeners; NULL: the same */
    const char *extra; /* TEXT: when it is missing; ALERT*: "client" or "target"; POLICY: of what */
} words[] = {
    { "listener", WORD_TEXT, "listener", NULL, "?" },
    { "policy", WORD_TEXT, "front.policy", NULL, "?" },
    { "sni", WORD_TEXT, "front.offer.sni", "observed.offer.sni", "no name (no SNI)" },
    { "malformed", WORD_TEXT, "front.offer.malformed", NULL, "its first bytes make no sense" },
    { "first_bytes", WORD_TEXT, "front.first_bytes", NULL, "something else" },
    { "lacking", WORD_TEXT, "front.not_simulated", "back.not_simulated", "something that AWS has" },
    { "certificate", WORD_TEXT, "front.served.certificate", NULL, "(none)" },
    { "subject", WORD_TEXT, "front.served.subject", NULL, "no subject" },
    { "rule", WORD_TEXT, "front.served.rule", NULL, "the default" },
    { "versions", WORD_LIST, "front.offer.versions", "observed.offer.versions", NULL },
    { "ciphers", WORD_LIST, "front.offer.ciphers", "observed.offer.ciphers", NULL },
    { "groups", WORD_LIST, "front.offer.groups", "observed.offer.groups", NULL },
    { "signatures", WORD_LIST, "front.offer.signature_schemes", NULL, NULL },
    { "wanted_versions", WORD_POLICY, "front.policy", NULL, "versions" },
    { "wanted_ciphers", WORD_POLICY, "front.policy", NULL, "ciphers" },
    { "wanted_groups", WORD_POLICY, "front.policy", NULL, "groups" },
    { "target", WORD_TEXT, "back.target", NULL, "?" },
    { "target_group", WORD_TEXT, "back.target_group", NULL, "?" },
    { "back_protocol", WORD_TEXT, "back.protocol", NULL, "?" },
    { "backend_policy", WORD_TEXT, "back.policy", NULL, "?" },
    { "backend_versions", WORD_POLICY, "back.policy", NULL, "versions" },
    { "detail", WORD_TEXT, "end.detail", NULL, "no further word" },
    { "received", WORD_TEXT, "received_bytes", NULL, "?" },
    { "sent", WORD_TEXT, "sent_bytes", NULL, "?" },
    { "client_alert", WORD_ALERT, NULL, NULL, "client" },
    { "client_alert_means", WORD_ALERT_MEANS, NULL, NULL, "client" },
    { "client_alert_advice", WORD_ALERT_ADVICE, NULL, NULL, "client" },
    { "target_alert", WORD_ALERT, NULL, NULL, "target" },
    { "target_alert_means", WORD_ALERT_MEANS, NULL, NULL, "target" },
    { "target_alert_advice", WORD_ALERT_ADVICE, NULL, NULL, "target" },
    { "target_certificate", WORD_TEXT, "observed.certificates.subject", NULL,
      "a certificate that cannot be seen from outside (TLS 1.3 encrypts it)" },
};

static const json_t *word_field(const struct word *w, const json_t *event)
{
    const json_t *value = field(event, w->path);

    return w->other != NULL && (value == NULL || json_is_null(value)) ? field(event, w->other)
                                                                      : value;
}

static void put_policy(FILE *out, const struct word *w, const json_t *event,
                       explain_policy_cb *policy)
{
    const char *name = json_string_value(field(event, w->path));
    char text[512];

    if (name != NULL && policy != NULL && policy(name, w->extra, text, sizeof text))
        fputs(text, out);
    else
        fprintf(out, "the %s of its policy", w->extra);
}

static void put_means(FILE *out, const struct word *w, const json_t *event)
{
    bool client = strcmp(w->extra, "client") == 0, advice = w->kind == WORD_ALERT_ADVICE;
    const struct alert_row *row = alert_row(alert_of(event, client));

    if (row == NULL)
        fputs(advice ? "Look at the log of who sent it." : "Its reason is not known.", out);
    else if (client)
        fputs(advice ? row->client_advice : row->client_means, out);
    else
        fputs(advice ? row->target_advice : row->target_means, out);
}

/* The first certificate that passed in clear. */
static void put_passed(FILE *out, const struct word *w, const json_t *event)
{
    const json_t *leaf = json_array_get(field(event, "observed.certificates"), 0);

    put_scalar(out, json_object_get(leaf, "subject"), w->extra);
}

static void put_word(FILE *out, const char *name, size_t n, const json_t *event,
                     explain_policy_cb *policy)
{
    const struct word *w = words;
    const struct word *end = words + sizeof words / sizeof words[0];

    while (w < end && !(strlen(w->name) == n && strncmp(w->name, name, n) == 0))
        w++;
    if (w == end) {
        fprintf(out, "{%.*s}", (int)n, name);
        return;
    }
    switch (w->kind) {
    case WORD_TEXT:
        if (strcmp(w->name, "target_certificate") == 0)
            put_passed(out, w, event);
        else
            put_scalar(out, word_field(w, event), w->extra);
        break;
    case WORD_LIST:
        put_list(out, word_field(w, event));
        break;
    case WORD_ALERT:
        put_alert(out, alert_of(event, strcmp(w->extra, "client") == 0));
        break;
    case WORD_ALERT_MEANS:
    case WORD_ALERT_ADVICE:
        put_means(out, w, event);
        break;
    case WORD_POLICY:
        put_policy(out, w, event, policy);
        break;
    }
}

char *explain_fill(const char *text, const struct json_t *event, explain_policy_cb *policy)
{
    char *filled = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&filled, &size);

    if (out == NULL)
        return NULL;
    while (*text != '\0') {
        size_t plain = strcspn(text, "{"), n;

        fwrite(text, 1, plain, out);
        text += plain;
        if (*text == '\0')
            break;
        n = strcspn(++text, "}");
        put_word(out, text, n, event, policy);
        text += n + (text[n] == '}');
    }
    if (fclose(out) != 0) {
        free(filled);
        return NULL;
    }
    return filled;
}
