/* SPDX-License-Identifier: Apache-2.0
 * One flow record as a JSON object; docs/events.md names the fields. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/foreign.h"
#include "observe/events.h"
#include "tls/tls_can.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"
#include "tls/tls_wire_write.h"

static json_t *text_or_null(const char *s)
{
    return s == NULL || s[0] == '\0' ? json_null() : foreign_json(s);
}

static json_t *names(struct tls_list list, const char *(*name)(uint16_t, char[TLS_NAME_MAX]))
{
    json_t *a = json_array();
    char buf[TLS_NAME_MAX];

    for (size_t i = 0; i < list.count; i++)
        json_array_append_new(a, json_string(name(list.at[i], buf)));
    return a;
}

static json_t *name_or_null(uint16_t code, const char *(*name)(uint16_t, char[TLS_NAME_MAX]))
{
    char buf[TLS_NAME_MAX];

    return code == 0 ? json_null() : json_string(name(code, buf));
}

static json_t *time_text(int64_t wall_us)
{
    char date[20], out[40];

    clock_format_utc(wall_us / 1000000, date, sizeof date);
    snprintf(out, sizeof out, "%s.%03dZ", date, (int)(wall_us / 1000 % 1000));
    return json_string(out);
}

static json_t *ms_between(uint64_t from_us, uint64_t to_us)
{
    if (from_us == 0 || to_us < from_us)
        return json_null();
    return json_real((double)(to_us - from_us) / 1000.0);
}

static json_t *address(const struct addr *a)
{
    char out[ADDR_TEXT_MAX];

    return a->len == 0 ? json_null() : json_string(addr_format(a, out));
}

static json_t *alert(const struct tls_alert *a, uint8_t meant)
{
    json_t *o;

    if (!a->seen)
        return json_null();
    o = json_object();
    json_object_set_new(o, "level", json_string(a->level == 1 ? "warning" : "fatal"));
    json_object_set_new(o, "number", json_integer(a->number));
    json_object_set_new(o, "name", text_or_null(tls_alert_name(a->number)));
    json_object_set_new(o, "encrypted", json_boolean(a->encrypted));
    if (meant != 0) /* a close_notify in its place, as s2n-tls sends it */
        json_object_set_new(o, "stands_for", text_or_null(tls_alert_name(meant)));
    return o;
}

static json_t *alpn_list(const struct tls_offer *o)
{
    json_t *a = json_array();
    const uint8_t *name;
    size_t at = 0, len;

    while (tls_offer_alpn_next(o, &at, &name, &len))
        json_array_append_new(a, foreign_json_n((const char *)name, len));
    return a;
}

static json_t *offer(const struct tls_offer *o)
{
    json_t *j = json_object();

    json_object_set_new(j, "sni",
                        o->sni == NULL ? json_null() : foreign_json_n(o->sni, strlen(o->sni)));
    if (o->versions.count > 0)
        json_object_set_new(j, "versions", names(o->versions, tls_version_text));
    else
        json_object_set_new(j, "versions",
                            json_pack("[o]", name_or_null(o->legacy_version, tls_version_text)));
    json_object_set_new(j, "ciphers", names(o->suites, tls_suite_text));
    json_object_set_new(j, "groups", names(o->groups, tls_group_text));
    json_object_set_new(j, "key_shares", names(o->key_shares, tls_group_text));
    json_object_set_new(j, "signature_schemes", names(o->sigs, tls_sig_text));
    json_object_set_new(j, "alpn", o->has_alpn ? alpn_list(o) : json_null());
    if (o->malformed != NULL)
        json_object_set_new(j, "malformed", json_string(o->malformed));
    return j;
}

/* What front and back have in common. */
static void add_session(json_t *j, const struct tls_facts *t)
{
    json_object_set_new(j, "version", name_or_null(t->version, tls_version_text));
    json_object_set_new(j, "cipher", name_or_null(t->suite, tls_suite_text));
    json_object_set_new(j, "group", name_or_null(t->group, tls_group_text));
    json_object_set_new(j, "alpn", text_or_null(t->alpn));
    json_object_set_new(j, "tls_library", text_or_null(t->library));
    json_object_set_new(j, "handshake_completed", json_boolean(t->secured));
    json_object_set_new(j, "resumed", json_boolean(t->resumed));
    json_object_set_new(j, "alert_received", alert(&t->alert_in, 0));
    json_object_set_new(j, "alert_sent", alert(&t->alert_out, t->alert_meant));
}

static json_t *certificates(const struct record_chain *c)
{
    json_t *a = json_array();

    for (size_t i = 0; i < c->n; i++) {
        const struct record_cert *x = &c->at[i];
        json_t *j = json_object();

        json_object_set_new(j, "subject", text_or_null(x->subject));
        json_object_set_new(j, "issuer", text_or_null(x->issuer));
        json_object_set_new(j, "names", text_or_null(x->names));
        json_object_set_new(j, "key", text_or_null(x->key));
        json_object_set_new(j, "not_before", time_text(x->not_before_utc * 1000000));
        json_object_set_new(j, "not_after", time_text(x->not_after_utc * 1000000));
        json_object_set_new(j, "self_signed", json_boolean(x->self_issued));
        json_object_set_new(j, "key_id", text_or_null(x->key_id));
        json_object_set_new(j, "issuer_key_id", text_or_null(x->issuer_key_id));
        if (x->refusal != NULL)
            json_object_set_new(j, "malformed", foreign_json(x->refusal));
        json_array_append_new(a, j);
    }
    return a;
}

static json_t *served(const struct record_choice *c, const struct record_chain *chain)
{
    json_t *j;

    if (c->cert_spec == NULL)
        return json_null();
    j = json_object();
    json_object_set_new(j, "certificate", foreign_json(c->cert_spec));
    json_object_set_new(j, "subject", text_or_null(c->cert_subject));
    json_object_set_new(j, "id", text_or_null(c->cert_id));
    json_object_set_new(j, "rule", text_or_null(c->cert_rule));
    json_object_set_new(j, "decided_by", text_or_null(c->cert_decider));
    if (chain->n > 0)
        json_object_set_new(j, "certificates", certificates(chain));
    return j;
}

static json_t *front(const struct flow_record *r)
{
    const struct tls_facts *t = r->front;
    json_t *j;

    if (t == NULL)
        return json_null();
    j = json_object();
    json_object_set_new(j, "policy", text_or_null(r->choice.policy));
    json_object_set_new(j, "offer", t->has_offer ? offer(&t->offer) : json_null());
    if (t->first != TLS_FIRST_HELLO && t->first_why != NULL)
        json_object_set_new(j, "first_bytes", json_string(t->first_why));
    json_object_set_new(j, "served", served(&r->choice, &r->front_chain));
    json_object_set_new(j, "refused", text_or_null(r->choice.result));
    json_object_set_new(j, "not_simulated", text_or_null(r->choice.lacking));
    add_session(j, t);
    json_object_set_new(j, "handshake_ms", ms_between(r->start_us, r->secured_us));
    return j;
}

static json_t *judgement(const struct record_opinion *x)
{
    json_t *j;

    if (!x->judged)
        return json_null();
    j = json_object();
    json_object_set_new(j, "ok", json_boolean(x->ok));
    json_object_set_new(j, "error", text_or_null(x->error));
    json_object_set_new(j, "trust_store", text_or_null(x->trust_store));
    json_object_set_new(j, "name_checked", json_boolean(x->name_checked));
    json_object_set_new(j, "evidence", json_string("inferred"));
    return j;
}

/* Of what AWS offers to a target, the versions that this build offers. */
static json_t *offered_versions(const struct tls_full_offer *o)
{
    json_t *a = json_array();
    char buf[TLS_NAME_MAX];

    for (size_t i = 0; o != NULL && i < o->versions.count; i++) {
        if (tls_can_version(o->library, o->versions.at[i]))
            json_array_append_new(a, json_string(tls_version_text(o->versions.at[i], buf)));
    }
    return a;
}

static json_t *health(const struct flow_record *r)
{
    json_t *targets = json_array();

    for (size_t i = 0; r->health != NULL && i < r->health->n; i++) {
        const struct record_target *t = &r->health->at[i];

        json_array_append_new(targets,
                              json_pack("{s:o, s:s, s:o}", "target", address(&t->addr), "state",
                                        t->state, "last_check", text_or_null(t->seen)));
    }
    return json_pack("{s:I, s:I, s:b, s:o}", "registered", (json_int_t)r->registered, "healthy",
                     (json_int_t)r->healthy, "fails_open", (int)r->fails_open, "targets", targets);
}

static json_t *back(const struct flow_record *r)
{
    const struct tls_facts *t = r->back;
    json_t *j = json_object();

    json_object_set_new(j, "target_group", text_or_null(r->target_group));
    json_object_set_new(j, "target", address(&r->target));
    json_object_set_new(j, "source", address(&r->source));
    json_object_set_new(j, "protocol", json_string(protocol_name(r->back_protocol)));
    json_object_set_new(j, "connect_ms", ms_between(r->connect_us, r->connected_us));
    json_object_set_new(j, "proxy_header", json_boolean(r->proxy_header));
    json_object_set_new(j, "health", health(r));
    if (t == NULL)
        return j;
    json_object_set_new(j, "policy", text_or_null(r->backend_policy));
    json_object_set_new(j, "offered_versions", offered_versions(r->back_offer));
    json_object_set_new(j, "sni", json_null()); /* NLB sends none to targets */
    json_object_set_new(j, "verified", json_false());
    json_object_set_new(j, "not_simulated",
                        text_or_null(r->back_lacking[0] == '\0' ? NULL : r->back_lacking));
    add_session(j, t);
    json_object_set_new(j, "handshake_ms", ms_between(r->connected_us, r->back_secured_us));
    json_object_set_new(j, "certificate_requested", json_boolean(t->cert_requested));
    json_object_set_new(j, "certificates_presented",
                        json_integer((json_int_t)r->back_chain.presented));
    json_object_set_new(j, "certificates", certificates(&r->back_chain));
    json_object_set_new(j, "validating_client", judgement(&r->validating_client_opinion));
    return j;
}

static json_t *observed(const struct record_observed *s)
{
    json_t *j;

    if (s == NULL)
        return json_null();
    j = json_object();
    json_object_set_new(j, "offer", offer(&s->offer));
    json_object_set_new(j, "version", name_or_null(s->version, tls_version_text));
    json_object_set_new(j, "cipher", name_or_null(s->suite, tls_suite_text));
    json_object_set_new(j, "group", name_or_null(s->group, tls_group_text));
    json_object_set_new(
        j, "alpn", s->alpn[0] == '\0' ? json_null() : foreign_json_n(s->alpn, strlen(s->alpn)));
    json_object_set_new(j, "resumed", json_boolean(s->resumed));
    json_object_set_new(j, "alert_from_client", alert(&s->from_client, 0));
    json_object_set_new(j, "alert_from_target", alert(&s->from_target, 0));
    json_object_set_new(j, "alert_by_size", json_boolean(s->alert_by_size));
    json_object_set_new(j, "unfinished", json_boolean(s->unfinished));
    json_object_set_new(j, "silent_client", json_boolean(s->silent_client));
    json_object_set_new(j, "certificate_requested", json_boolean(s->certificate_requested));
    json_object_set_new(j, "certificates_presented", json_integer((json_int_t)s->chain.presented));
    json_object_set_new(j, "certificates", certificates(&s->chain));
    json_object_set_new(j, "validating_client", judgement(&s->judgement));
    return j;
}

static json_t *first_of(const struct first_bytes *f)
{
    json_t *j;

    if (f->kind == FIRST_NONE)
        return json_null();
    j = json_object();
    json_object_set_new(j, "kind", json_string(first_kind_name(f->kind)));
    json_object_set_new(j, "text", text_or_null(f->text));
    if (f->status != 0)
        json_object_set_new(j, "status", json_integer((json_int_t)f->status));
    if (f->telltale != NULL)
        json_object_set_new(j, "telltale", json_string(f->telltale));
    return j;
}

static json_t *first(const struct flow_record *r)
{
    return json_pack("{s:o, s:o}", "client", first_of(&r->first_client), "target",
                     first_of(&r->first_target));
}

static json_t *detail(const struct flow_record *r)
{
    char out[256];

    switch (r->failure.cause) {
    case HOP_CAUSE_NONE:
        return json_null();
    case HOP_CAUSE_RESET:
        return json_string("RST");
    case HOP_CAUSE_CLOSED:
        return json_string("closed");
    case HOP_CAUSE_ERRNO:
        return json_string(strerror(r->failure.sys_errno));
    case HOP_CAUSE_ALERT_IN:
        return json_string("alert received");
    case HOP_CAUSE_NOT_TLS:
        return json_string("not TLS");
    case HOP_CAUSE_REFUSED:
        return json_string("refused after the ClientHello");
    case HOP_CAUSE_ALERT_OUT:
    case HOP_CAUSE_TLS:
        return json_string(tls_error_text(r->failure.tls_error, out, sizeof out));
    }
    return json_null();
}

static json_t *end(const struct flow_record *r)
{
    const struct flow_end_row *row = flow_end_row(r->end);
    json_t *j = json_object();

    json_object_set_new(j, "code", json_string(row->code));
    json_object_set_new(j, "party", json_string(row->party));
    json_object_set_new(j, "where", json_string(row->where));
    json_object_set_new(j, "text", json_string(row->text));
    json_object_set_new(j, "metric", text_or_null(metric_name(row->metric)));
    json_object_set_new(j, "detail", detail(r));
    json_object_set_new(j, "closed_first", text_or_null(r->closed_first));
    return j;
}

/* --- what is too long --- */
/* Parts that a peer makes as long as it likes; without them an event has some 4 KiB. */
static const struct {
    const char *hop, *part;
    bool array; /* empty instead of null */
} long_parts[] = {
    { "front", "offer", false },
    { "back", "certificates", true },
    { "observed", "offer", false },
    { "observed", "certificates", true },
};

/* Take the longest of them out. False: there is none. */
static bool leave_one_out(json_t *event, json_t *left_out)
{
    size_t longest = 0, at = 0;
    char name[64];
    json_t *hop;

    for (size_t i = 0; i < sizeof long_parts / sizeof long_parts[0]; i++) {
        json_t *part =
            json_object_get(json_object_get(event, long_parts[i].hop), long_parts[i].part);
        char *text = part == NULL ? NULL : foreign_dumps(part, JSON_COMPACT | JSON_ENCODE_ANY);

        if (text != NULL && strlen(text) > longest) {
            longest = strlen(text);
            at = i;
        }
        free(text);
    }
    if (longest < 128)
        return false;
    hop = json_object_get(event, long_parts[at].hop);
    json_object_set_new(hop, long_parts[at].part,
                        long_parts[at].array ? json_array() : json_null());
    snprintf(name, sizeof name, "%s.%s", long_parts[at].hop, long_parts[at].part);
    return json_array_append_new(left_out, json_string(name)) == 0;
}

static char *dump_event(json_t *j, size_t most, bool *cut)
{
    const size_t flags = JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10);
    char *line = foreign_dumps(j, flags);
    json_t *left_out;

    *cut = line != NULL && strlen(line) > most;
    if (!*cut)
        return line;
    left_out = json_array();
    json_object_set(j, "left_out", left_out);
    while (line != NULL && strlen(line) > most && leave_one_out(j, left_out)) {
        free(line);
        line = foreign_dumps(j, flags);
    }
    json_decref(left_out);
    return line;
}

char *event_format(const struct flow_record *r, size_t most, bool *cut)
{
    json_t *j = json_object();
    char *line;

    json_object_set_new(j, "flow", json_integer((json_int_t)r->id));
    json_object_set_new(j, "time", time_text(r->end_wall_us));
    json_object_set_new(j, "started", time_text(r->start_wall_us));
    json_object_set_new(j, "duration_ms", ms_between(r->start_us, r->end_us));
    json_object_set_new(j, "listener", foreign_json(r->listener));
    json_object_set_new(j, "protocol", json_string(protocol_name(r->protocol)));
    json_object_set_new(j, "client", address(&r->client));
    json_object_set_new(j, "address", address(&r->local));
    json_object_set_new(j, "front", front(r));
    json_object_set_new(j, "back", r->target_group == NULL ? json_null() : back(r));
    json_object_set_new(j, "observed", observed(r->observed));
    json_object_set_new(j, "first", first(r));
    json_object_set_new(j, "received_bytes", json_integer((json_int_t)r->received_bytes));
    json_object_set_new(j, "sent_bytes", json_integer((json_int_t)r->sent_bytes));
    json_object_set_new(j, "spliced", json_boolean(r->spliced));
    json_object_set_new(j, "end", end(r));
    line = dump_event(j, most, cut);
    json_decref(j);
    return line;
}
