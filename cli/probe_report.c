/* SPDX-License-Identifier: Apache-2.0
 * What nlbsim probe prints: the execution log, the caller's answer, the verdict; or JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/probe.h"
#include "core/foreign.h"
#include "core/screen.h"
#include "tls/tls_params.h"
#include "vpclink/execlog.h"

/* --- text --- */
static const char *reason_of(const struct probe_call *c)
{
    const char *own = c->outcome.ok ? c->result.reason : NULL;

    return own != NULL && own[0] != '\0' ? own : http_status_text(c->outcome.status);
}

/* What the caller of the API gets. Header set of errors: recorded from the service. */
static void print_answer(const struct probe_options *o, const struct probe_call *c)
{
    const struct gateway_result *r = &c->result;

    foreign_printf(stdout, "HTTP/1.1 %u %s\n", c->outcome.status, reason_of(c));
    if (!c->outcome.ok) {
        printf("x-amzn-RequestId: %s\n", c->request_id);
        if (!o->wording.http_api)
            puts("x-amzn-ErrorType: InternalServerErrorException");
        printf("Content-Type: application/json\nContent-Length: %zu\n\n%s\n",
               strlen(c->outcome.body), c->outcome.body);
        return;
    }
    for (size_t i = 0; i < r->n_headers; i++) {
        if (!execlog_is_hop_header(r->headers[i].name))
            foreign_printf(stdout, "%s: %s\n", r->headers[i].name, r->headers[i].value);
    }
    putchar('\n');
    if (r->n_body > 0) {
        foreign_put_lines(stdout, (const char *)r->body, r->n_body);
        if (r->body[r->n_body - 1] != '\n')
            putchar('\n');
    }
}

/* HTTP APIs write no execution log; these variables can be put into their access log (API Gateway
 * guide, "Customize HTTP API access logs"). */
static void print_variables(const struct probe_call *c)
{
    puts("HTTP APIs write no execution log. Variables of the access log:");
    foreign_printf(stdout, "$context.integrationErrorMessage: %s\n",
                   c->outcome.ok ? "-" : c->outcome.error);
    if (c->outcome.ok)
        printf("$context.integrationStatus: %u\n", c->result.status);
    else
        puts("$context.integrationStatus: -");
    printf("$context.integrationLatency: %llu\n$context.status: %u\n",
           (unsigned long long)((c->result.ended_us - c->result.started_us) / 1000),
           c->outcome.status);
}

static const char *hop_of(const struct probe_call *c)
{
    const struct cause *first = diagnosis_first(&c->diagnosis);

    return first != NULL ? first->hop : "none";
}

static void print_diagnosis(const struct probe_call *c)
{
    const struct cause *first = diagnosis_first(&c->diagnosis);
    char place[512];

    printf("Decided by: %s\n", hop_of(c) != NULL ? hop_of(c) : "the hop that terminates TLS");
    screen_sentence(stdout, "Verdict: ", c->verdict);
    for (size_t i = 0; i < c->diagnosis.n; i++) {
        const struct cause *cause = &c->diagnosis.at[i];

        if (cause->section[0] != '\0' && cause->change[0] != '\0')
            foreign_printf(stdout, "Change: %s\n", cause_place(cause, place, sizeof place));
    }
    if (c->chain != NULL && first != NULL && strcmp(first->key, "certificate") == 0)
        printf("Presented, leaf first:\n%s", c->chain);
}

int probe_print_call(const struct probe_options *o, const struct probe_call *c)
{
    char *log;

    if (o->wording.http_api) {
        print_variables(c);
    } else {
        log = execlog_text(&o->task, &c->result, &c->outcome, c->request_id);
        if (log == NULL)
            return -1;
        fputs(log, stdout);
        free(log);
    }
    putchar('\n');
    if (c->outcome.simulated) {
        print_answer(o, c);
        putchar('\n');
    }
    print_diagnosis(c);
    if (!c->outcome.ok)
        printf("Evidence: %s (%s)\n", c->outcome.evidence, c->outcome.source);
    return ferror(stdout) != 0 ? -1 : 0;
}

static bool same_outcome(const struct probe_call *a, const struct probe_call *b)
{
    return a->outcome.status == b->outcome.status &&
           strcmp(a->outcome.error, b->outcome.error) == 0;
}

static void print_sums(const struct probe_call *calls, unsigned n)
{
    printf("\n%u requests\n", n);
    for (unsigned i = 0; i < n; i++) {
        unsigned many = 0;
        bool seen = false;

        for (unsigned k = 0; k < i && !seen; k++)
            seen = same_outcome(&calls[k], &calls[i]);
        for (unsigned k = i; k < n && !seen; k++)
            many += same_outcome(&calls[k], &calls[i]) ? 1 : 0;
        if (!seen)
            foreign_printf(stdout, "%6u x %u %s\n", many, calls[i].outcome.status,
                           calls[i].outcome.ok ? "passed on" : calls[i].outcome.error);
    }
}

int probe_print_many(const struct probe_options *o, const struct probe_call *calls, unsigned n)
{
    const struct probe_call *told = NULL;

    for (unsigned i = 0; i < n; i++) {
        const struct probe_call *c = &calls[i];

        foreign_printf(stdout, "%u: %u %s (%s%u ms)\n", i + 1, c->outcome.status,
                       c->outcome.ok ? "passed on" : c->outcome.error,
                       c->result.reused ? "kept connection, " : "",
                       (unsigned)((c->result.ended_us - c->result.started_us) / 1000));
        if (told == NULL && !c->outcome.ok)
            told = c;
    }
    print_sums(calls, n);
    printf("\n%s\n", told != NULL ? "The first that failed:" : "The first:");
    return probe_print_call(o, told != NULL ? told : &calls[0]);
}

/* --- JSON --- */
static json_t *string_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : foreign_json(text);
}

static json_t *alert_json(const struct tls_alert *a)
{
    if (!a->seen)
        return json_null();
    return json_pack("{s:s, s:i, s:s?, s:b}", "level", a->level == 1 ? "warning" : "fatal",
                     "number", (int)a->number, "name", tls_alert_name(a->number), "encrypted",
                     (int)a->encrypted);
}

static json_t *tls_json(const struct gateway_result *r)
{
    const struct tls_facts *t = &r->tls;
    char a[TLS_NAME_MAX], b[TLS_NAME_MAX];

    return json_pack("{s:o, s:s?, s:s?, s:b, s:o, s:o, s:b, s:b}", "sni", string_or_null(r->sni),
                     "version", t->version == 0 ? NULL : tls_version_text(t->version, a), "cipher",
                     t->suite == 0 ? NULL : tls_suite_text(t->suite, b), "handshake_completed",
                     (int)t->secured, "alert_sent", alert_json(&t->alert_out), "alert_received",
                     alert_json(&t->alert_in), "client_certificate_requested",
                     (int)t->cert_requested, "client_certificate_sent", (int)r->client_cert_sent);
}

static json_t *certificate_json(const struct gateway_result *r)
{
    char subject[512], issuer[512];
    const struct cert_facts *leaf = r->chain.n > 0 ? r->chain.at[0] : NULL;

    if (leaf == NULL)
        return json_null();
    cert_name_text(leaf->subject, CERT_STYLE_JAVA, subject, sizeof subject);
    cert_name_text(leaf->issuer, CERT_STYLE_JAVA, issuer, sizeof issuer);
    return json_pack("{s:o, s:o, s:i, s:I, s:s}", "subject",
                     foreign_json_n(subject, strlen(subject)), "issuer",
                     foreign_json_n(issuer, strlen(issuer)), "presented", (int)r->chain.n,
                     "not_after", (json_int_t)leaf->not_after_utc, "judgement",
                     r->judged ? verdict_name(r->verdict.code) : "");
}

static json_t *far_json(const struct far_side *f)
{
    return json_pack("{s:o, s:s?, s:b, s:o, s:o, s:o}", "name", string_or_null(f->listener),
                     "protocol", f->protocol == 0 ? NULL : protocol_name(f->protocol), "joined",
                     (int)f->joined, "flow", f->joined ? json_integer(f->flow) : json_null(), "end",
                     string_or_null(flow_end_code(f->end)), "target", string_or_null(f->target));
}

static json_t *headers_json(const struct gateway_result *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_headers; i++)
        json_array_append_new(
            list,
            json_pack("[o, o]", foreign_json_n(r->headers[i].name, strlen(r->headers[i].name)),
                      foreign_json_n(r->headers[i].value, strlen(r->headers[i].value))));
    return list;
}

static json_t *log_json(const char *log)
{
    json_t *lines = json_array();

    for (const char *at = log; at != NULL && *at != '\0';) {
        size_t n = strcspn(at, "\n");

        json_array_append_new(lines, foreign_json_n(at, n));
        at += n + (at[n] == '\n');
    }
    return lines;
}

int probe_print_json(const struct probe_options *o, const struct probe_call *c, unsigned number)
{
    const struct gateway_result *r = &c->result;
    char local[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
    char *log = o->wording.http_api ? NULL : execlog_text(&o->task, r, &c->outcome, c->request_id);
    json_t *j =
        json_pack("{s:o, s:b}", "uri", string_or_null(o->task.uri.text), "ok", (int)c->outcome.ok);
    int rc;

    json_object_set_new(j, "status",
                        c->outcome.status == 0 ? json_null() : json_integer(c->outcome.status));
    json_object_set_new(j, "error", string_or_null(c->outcome.error));
    json_object_set_new(j, "hop", string_or_null(hop_of(c)));
    json_object_set_new(j, "cause",
                        string_or_null(diagnosis_first(&c->diagnosis) != NULL
                                           ? diagnosis_first(&c->diagnosis)->id
                                           : NULL));
    json_object_set_new(j, "verdict", string_or_null(c->verdict));
    json_object_set_new(j, "evidence", string_or_null(c->outcome.evidence));
    json_object_set_new(j, "source", string_or_null(c->outcome.source));
    json_object_set_new(j, "causes", diagnosis_json(&c->diagnosis));
    json_object_set_new(j, "chain", string_or_null(c->chain));
    json_object_set_new(j, "request", json_integer(number));
    json_object_set_new(j, "request_id", string_or_null(c->request_id));
    json_object_set_new(j, "connection", json_integer(r->connection));
    json_object_set_new(j, "reused", json_boolean(r->reused));
    json_object_set_new(
        j, "local", r->local.len == 0 ? json_null() : json_string(addr_format(&r->local, local)));
    json_object_set_new(j, "peer",
                        r->peer.len == 0 ? json_null() : json_string(addr_format(&r->peer, peer)));
    json_object_set_new(j, "latency_ms", json_real((double)(r->ended_us - r->started_us) / 1000.0));
    json_object_set_new(j, "tls", o->task.uri.tls ? tls_json(r) : json_null());
    json_object_set_new(j, "certificate", certificate_json(r));
    json_object_set_new(j, "listener", far_json(&c->far));
    json_object_set_new(j, "headers", headers_json(r));
    json_object_set_new(j, "body",
                        c->outcome.ok ? foreign_json_n((const char *)r->body, r->n_body)
                                      : string_or_null(c->outcome.body));
    json_object_set_new(j, "log", log_json(log));
    free(log);
    rc = foreign_dumpf(j, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));
    json_decref(j);
    return rc == 0 && putchar('\n') != EOF ? 0 : -1;
}
