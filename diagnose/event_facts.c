/* SPDX-License-Identifier: Apache-2.0
 * From an event's fields to facts. */
#include "diagnose/event_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define LIST_SHOWN 8 /* entries of a list that are told */
#define TEXT_ROOM  1024

/* --- fields --- */
const json_t *event_field(const json_t *event, const char *path)
{
    const json_t *at = event;

    while (at != NULL && *path != '\0') {
        size_t n = strcspn(path, ".");
        char name[40];

        snprintf(name, sizeof name, "%.*s", (int)n, path);
        at = json_object_get(at, name);
        path += n + (path[n] == '.');
    }
    return at;
}

static const char *text_at(const json_t *event, const char *path)
{
    return json_string_value(event_field(event, path));
}

static void take_text(struct facts *f, const char *fact, const json_t *event, const char *path)
{
    const json_t *value = event_field(event, path);

    if (json_is_integer(value))
        facts_setf(f, fact, "%lld", (long long)json_integer_value(value));
    else
        facts_set(f, fact, json_string_value(value));
}

/* The names of a list, GREASE left out. */
static void take_list(struct facts *f, const char *fact, const json_t *list)
{
    char text[TEXT_ROOM];
    size_t used = 0, shown = 0, n = json_array_size(list);

    text[0] = '\0';
    for (size_t i = 0; i < n && used < sizeof text; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (name == NULL || strcmp(name, "GREASE") == 0)
            continue;
        if (shown == LIST_SHOWN) {
            snprintf(text + used, sizeof text - used, " and %zu more", n - i);
            break;
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", shown++ > 0 ? ", " : "",
                                 name);
    }
    facts_set(f, fact, text);
}

/* --- alerts --- */
static const struct alert_row {
    int number;
    const char *of_client, *of_target;
} alert_rows[] = {
#define ALERT(number, of_client, of_target) { number, of_client, of_target },
#include "diagnose/alerts.def"
#undef ALERT
};

static bool is_fatal(const json_t *alert)
{
    const char *level = json_string_value(json_object_get(alert, "level"));

    return json_is_object(alert) && (level == NULL || strcmp(level, "fatal") == 0);
}

static void take_alert(struct facts *f, const char *fact, const json_t *alert)
{
    json_int_t number = json_integer_value(json_object_get(alert, "number"));
    const char *name = json_string_value(json_object_get(alert, "name"));
    bool client = fact[0] == 'c';
    char key[40];

    if (!is_fatal(alert))
        return;
    facts_setf(f, fact, "%lld %s", (long long)number, name != NULL ? name : "(unknown)");
    snprintf(key, sizeof key, "%s.name", fact);
    facts_set(f, key, name);
    snprintf(key, sizeof key, "%s.means", fact);
    facts_set(f, key, "Its reason is not known.");
    for (size_t i = 0; i < sizeof alert_rows / sizeof alert_rows[0]; i++) {
        if (alert_rows[i].number == number)
            facts_set(f, key, client ? alert_rows[i].of_client : alert_rows[i].of_target);
    }
    if (!client && name != NULL && strcmp(name, "close_notify") != 0)
        facts_set(f, "target.alert.told", name);
}

/* --- the listener's side --- */
/* Is `name` (of a suite) in the comma-separated `list`? */
static bool list_has(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at += n) {
        if ((at == list || at[-1] == ' ') && (at[n] == ',' || at[n] == '\0'))
            return true;
    }
    return false;
}

static bool suite_needs(const char *suite, const char *kind)
{
    char part[16];

    snprintf(part, sizeof part, "-%s-", kind);
    return strstr(suite, part) != NULL ||
           (strcmp(kind, "RSA") == 0 && strncmp(suite, "AES", 3) == 0);
}

/* Suites that client and policy have in common, and yet none was chosen: the key is of the other
 * kind. */
static void take_fitting_suites(struct facts *f, const json_t *event, const char *wanted)
{
    const json_t *list = event_field(event, "front.offer.ciphers");
    bool all_rsa = true, all_ecdsa = true;
    char text[TEXT_ROOM];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(list) && used < sizeof text; i++) {
        const char *name = json_string_value(json_array_get(list, i));

        if (name == NULL || strncmp(name, "TLS_", 4) == 0 || !list_has(wanted, name))
            continue;
        all_rsa = all_rsa && suite_needs(name, "RSA");
        all_ecdsa = all_ecdsa && suite_needs(name, "ECDSA");
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? ", " : "", name);
    }
    facts_set(f, "offer.fits", text);
    if (text[0] != '\0' && all_rsa != all_ecdsa) {
        facts_set(f, "cert.kind", all_rsa ? "ECDSA" : "RSA");
        facts_set(f, "cert.other_kind", all_rsa ? "RSA" : "ECDSA");
    }
}

static void take_policy(struct facts *f, const json_t *event, diagnose_policy_cb *policy)
{
    static const char *const what[] = { "versions", "ciphers", "groups" };
    const char *name = text_at(event, "front.policy");
    char text[TEXT_ROOM], fact[32];

    for (size_t i = 0; i < 3; i++) {
        snprintf(fact, sizeof fact, "wanted.%s", what[i]);
        if (name == NULL || policy == NULL || !policy(name, what[i], text, sizeof text))
            snprintf(text, sizeof text, "the %s of its policy", what[i]);
        else if (i == 1)
            take_fitting_suites(f, event, text);
        facts_set(f, fact, text);
    }
}

static void take_offer(struct facts *f, const json_t *offer)
{
    const char *sni = json_string_value(json_object_get(offer, "sni"));

    if (!json_is_object(offer))
        return;
    if (facts_get(f, "sni") == NULL)
        facts_set(f, "sni", sni);
    take_list(f, "offer.versions", json_object_get(offer, "versions"));
    take_list(f, "offer.ciphers", json_object_get(offer, "ciphers"));
    take_list(f, "offer.groups", json_object_get(offer, "groups"));
    take_list(f, "offer.signatures", json_object_get(offer, "signature_schemes"));
    take_list(f, "offer.alpn", json_object_get(offer, "alpn"));
    facts_set(f, "malformed", json_string_value(json_object_get(offer, "malformed")));
}

static void take_front(struct facts *f, const json_t *event, diagnose_policy_cb *policy)
{
    const json_t *front = event_field(event, "front");

    if (!json_is_object(front))
        return;
    take_text(f, "policy", event, "front.policy");
    take_text(f, "first_bytes", event, "front.first_bytes");
    take_text(f, "refused", event, "front.refused");
    take_text(f, "lacking", event, "front.not_simulated");
    take_text(f, "cert", event, "front.served.certificate");
    take_text(f, "cert.subject", event, "front.served.subject");
    take_text(f, "cert.rule", event, "front.served.rule");
    take_text(f, "alpn", event, "front.alpn");
    facts_flag(f, "handshake", json_is_true(json_object_get(front, "handshake_completed")));
    take_offer(f, json_object_get(front, "offer"));
    take_alert(f, "client.alert", json_object_get(front, "alert_received"));
    take_policy(f, event, policy);
}

/* --- the target's side --- */
static void take_target_certificate(struct facts *f, const json_t *leaf)
{
    const char *subject = json_string_value(json_object_get(leaf, "subject"));

    if (subject != NULL)
        facts_setf(f, "target.cert", "%s%s", subject,
                   json_is_true(json_object_get(leaf, "self_signed")) ? ", self-signed" : "");
}

/* Every target of a group that fails open, with what its health check saw. */
static void take_health(struct facts *f, const json_t *health)
{
    const json_t *targets = json_object_get(health, "targets");
    char text[TEXT_ROOM];
    size_t used = 0;

    take_text(f, "health.healthy", health, "healthy");
    take_text(f, "health.registered", health, "registered");
    facts_flag(f, "fail_open",
               json_is_true(json_object_get(health, "fails_open")) &&
                   json_integer_value(json_object_get(health, "registered")) > 0);
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(targets) && used < sizeof text; i++) {
        const json_t *t = json_array_get(targets, i);
        const char *address = json_string_value(json_object_get(t, "target"));
        const char *state = json_string_value(json_object_get(t, "state"));
        const char *seen = json_string_value(json_object_get(t, "last_check"));

        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s is %s%s%s", i > 0 ? ", " : "",
                             address == NULL ? "?" : address, state == NULL ? "?" : state,
                             seen == NULL ? "" : ": ", seen == NULL ? "" : seen);
        if (seen != NULL && strstr(seen, "HTTP status") != NULL)
            facts_setf(f, "health.why", "%s: %s", address == NULL ? "?" : address, seen);
    }
    facts_set(f, "health.others", text);
}

static void take_back(struct facts *f, const json_t *event)
{
    const json_t *back = event_field(event, "back");

    if (!json_is_object(back))
        return;
    take_text(f, "group", event, "back.target_group");
    take_text(f, "group.protocol", event, "back.protocol");
    take_text(f, "target", event, "back.target");
    take_text(f, "back.policy", event, "back.policy");
    if (facts_get(f, "lacking") == NULL)
        take_text(f, "lacking", event, "back.not_simulated");
    take_list(f, "back.offered", json_object_get(back, "offered_versions"));
    if (facts_get(f, "back.offered") == NULL && facts_get(f, "back.policy") != NULL)
        facts_set(f, "back.offered", "what its policy has");
    facts_flag(f, "back.secured", json_is_true(json_object_get(back, "handshake_completed")));
    facts_flag(f, "back.asked", json_is_true(json_object_get(back, "certificate_requested")));
    facts_flag(f, "back.proxy", json_is_true(json_object_get(back, "proxy_header")));
    take_alert(f, "target.alert", json_object_get(back, "alert_received"));
    take_target_certificate(f, json_array_get(json_object_get(back, "certificates"), 0));
    take_health(f, json_object_get(back, "health"));
}

/* --- what passed --- */
static void take_observed(struct facts *f, const json_t *event)
{
    const json_t *seen = event_field(event, "observed");

    if (!json_is_object(seen))
        return;
    take_offer(f, json_object_get(seen, "offer"));
    take_alert(f, "client.alert", json_object_get(seen, "alert_from_client"));
    take_alert(f, "target.alert", json_object_get(seen, "alert_from_target"));
    if (json_is_true(json_object_get(seen, "certificate_requested")))
        facts_flag(f, "client_certificate.asked", true);
    if (json_is_true(json_object_get(seen, "alert_by_size")))
        facts_set(f, "client.left",
                  "where its Finished was due, it sent a record of the size of an alert (TLS 1.3 "
                  "encrypts which one)");
    if (json_is_true(json_object_get(seen, "unfinished")))
        facts_set(f, "client.left", "it closed where its Finished was due, without saying why");
    facts_flag(f, "client.silent", json_is_true(json_object_get(seen, "silent_client")));
    take_target_certificate(f, json_array_get(json_object_get(seen, "certificates"), 0));
}

static void take_first_bytes(struct facts *f, const json_t *event)
{
    take_text(f, "client.first", event, "first.client.kind");
    take_text(f, "client.first.text", event, "first.client.text");
    take_text(f, "target.first", event, "first.target.kind");
    take_text(f, "target.first.text", event, "first.target.text");
    take_text(f, "target.status", event, "first.target.status");
    take_text(f, "target.telltale", event, "first.target.telltale");
}

/* --- who validates whom, and what came of it --- */
struct chain *event_chain(const json_t *event)
{
    const char *path = json_is_object(event_field(event, "front")) ? "front.served.certificates"
                                                                   : "observed.certificates";
    const json_t *list = event_field(event, path);
    const char *time = text_at(event, "time");
    char plain[24];
    int64_t at = 0;

    if (json_array_size(list) == 0)
        return NULL;
    snprintf(plain, sizeof plain, "%.19sZ", time == NULL ? "" : time);
    if (clock_parse_utc(plain, 0, &at) != 0)
        at = clock_wall_s();
    return chain_of_json(list, at);
}

const char *event_chain_owner(const json_t *event, char *out, size_t size)
{
    const char *listener = text_at(event, "listener"), *target = text_at(event, "back.target");

    if (json_is_object(event_field(event, "front")))
        snprintf(out, size, "[listener %s]", listener == NULL ? "?" : listener);
    else
        snprintf(out, size, "target %s", target == NULL ? "?" : target);
    return out;
}

static void take_validated(struct facts *f, const json_t *event)
{
    bool tls = facts_is(f, "protocol", "TLS");
    char owner[160];

    if (facts_get(f, "protocol") == NULL || facts_get(f, "validated") != NULL)
        return;
    facts_set(f, "validated", tls ? "listener" : "target");
    facts_set(f, "validated.or_none", tls ? "listener" : "target");
    facts_set(f, "validated.section", event_chain_owner(event, owner, sizeof owner));
    facts_set(f, "validated.file",
              tls && facts_get(f, "cert") != NULL ? facts_get(f, "cert")
              : tls                               ? "the listener's certificate file"
                                                  : "the target's certificate file");
}

static bool about_certificates(const struct facts *f)
{
    const char *name = facts_get(f, "client.alert.name");

    return name == NULL || strstr(name, "certificate") != NULL ||
           strstr(name, "unknown_ca") != NULL || strcmp(name, "internal_error") == 0 ||
           strcmp(name, "handshake_failure") == 0;
}

/* "listener https after the ServerHello and certificate a.pem (CN=…)"; "target …, which TCP
 * listener pass passed through". */
static void refused_whom(const struct facts *f, char *out, size_t size)
{
    const char *cert = facts_get(f, "cert"), *subject = facts_get(f, "cert.subject");
    const char *target = facts_get(f, "target");

    if (facts_is(f, "protocol", "TLS"))
        snprintf(out, size, "listener %s after the ServerHello and certificate %.120s (%.200s)",
                 facts_get(f, "listener"), cert == NULL ? "(none)" : cert,
                 subject == NULL ? "no subject" : subject);
    else
        snprintf(out, size, "target %.100s, which TCP listener %.100s passed through",
                 target == NULL ? "?" : target, facts_get(f, "listener"));
}

static void refused_how(const struct facts *f, char *out, size_t size)
{
    const char *alert = facts_get(f, "client.alert"), *means = facts_get(f, "client.alert.means");

    if (alert != NULL)
        snprintf(out, size, "alert %s. %s", alert, means);
    else if (facts_get(f, "client.left") != NULL)
        snprintf(out, size, "%s.", facts_get(f, "client.left"));
    else
        snprintf(out, size, "it closed in the middle of it without saying why.");
}

/* Did the client go because of what it was presented? Then how, in words. */
static void take_refusal(struct facts *f)
{
    bool tls = facts_is(f, "protocol", "TLS");
    const char *alert = facts_get(f, "client.alert"), *rule = facts_get(f, "cert.rule");
    const char *subject = facts_get(f, "target.cert");
    char whom[512], how[512];

    if (!facts_is(f, "end", "client_tls_refused") && !facts_is(f, "end", "client_tls_closed") &&
        (tls || (alert == NULL && facts_get(f, "client.left") == NULL)))
        return;
    facts_flag(f, "client.refused",
               about_certificates(f) && (!tls || facts_get(f, "cert") != NULL));
    refused_whom(f, whom, sizeof whom);
    refused_how(f, how, sizeof how);
    if (tls)
        facts_setf(
            f, "refused.how",
            "The client refused the handshake with %s: %s It had asked for %s; the certificate "
            "was chosen as %s",
            whom, how, facts_get(f, "asked"), rule == NULL ? "the default" : rule);
    else
        facts_setf(f, "refused.how",
                   "The client refused the handshake of %s: %s It had asked for %s; the target "
                   "presented %s",
                   whom, how, facts_get(f, "asked"),
                   subject == NULL
                       ? "a certificate that cannot be seen from outside (TLS 1.3 encrypts it)"
                       : subject);
}

static void conclude(struct facts *f, const json_t *event)
{
    bool tls = facts_is(f, "protocol", "TLS");
    const char *sni = facts_get(f, "sni");

    if (tls)
        facts_flag(f, "client.silent",
                   facts_get(f, "handshake") != NULL && facts_is(f, "received", "0") &&
                       facts_is(f, "sent", "0") &&
                       !json_is_true(event_field(event, "front.resumed")));
    if (facts_is(f, "end", "client_tls_silent_refusal"))
        facts_flag(f, "client.silent", true);
    if (facts_get(f, "asked") == NULL)
        facts_set(f, "asked", sni != NULL ? sni : "no name (no SNI)");
    facts_setf(f, "handshake.with", "%s %s", tls ? "listener" : "target",
               facts_get(f, tls ? "listener" : "target") == NULL
                   ? "?"
                   : facts_get(f, tls ? "listener" : "target"));
    if (!tls && facts_is(f, "client.first", "tls"))
        facts_setf(f, "through", "TCP listener %s", facts_get(f, "listener"));
    if (!facts_is(f, "view", "call"))
        chain_name_fact(f, sni);
    take_refusal(f);
}

void event_facts(struct facts *f, const json_t *event, diagnose_policy_cb *policy)
{
    bool call = facts_is(f, "view", "call");
    struct chain *chain = call ? NULL : event_chain(event);

    if (!call) {
        facts_set(f, "view", "flow");
        facts_set(f, "client", "the client");
    }
    take_text(f, "flow", event, "flow");
    facts_set(f, "listener", text_at(event, "listener") == NULL ? "?" : text_at(event, "listener"));
    take_text(f, "protocol", event, "protocol");
    take_text(f, "received", event, "received_bytes");
    take_text(f, "sent", event, "sent_bytes");
    if (!facts_is(f, "broke", "NONE")) /* what became of a kept connection later is another story */
        take_text(f, "end", event, "end.code");
    take_text(f, "end.text", event, "end.text");
    take_text(f, "end.party", event, "end.party");
    take_text(f, "closed.first", event, "end.closed_first");
    facts_set(f, "end.detail",
              text_at(event, "end.detail") == NULL ? "no further word"
                                                   : text_at(event, "end.detail"));
    take_front(f, event, policy);
    take_back(f, event);
    take_observed(f, event);
    take_first_bytes(f, event);
    take_validated(f, event);
    chain_facts(chain, f);
    conclude(f, event);
    chain_free(chain);
}
