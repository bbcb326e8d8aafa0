/* SPDX-License-Identifier: Apache-2.0
 * From a call's result to facts. */
#include "vpclink/call_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/first_bytes.h"

struct teller {
    const struct gateway_task *task;
    const struct gateway_result *r;
    const struct far_side *far;
    const struct call_context *context;
    struct facts *f;
};

static const char *const break_names[BREAK_N] = {
#define BREAK(id, class, config, network, evidence, source) [BREAK_##id] = #id,
#include "vpclink/gateway_texts.def"
#undef BREAK
};

/* --- who is who --- */
/* The far side in words: "the TLS listener https", "the target … behind the TCP listener pass". */
static void tell_who(const struct teller *t)
{
    const struct far_side *f = t->far;
    char at[ADDR_TEXT_MAX];
    const char *name = f->listener[0] != '\0' ? f->listener : addr_format(&t->r->peer, at);

    if (t->task->connect == NULL)
        facts_setf(t->f, "who", "the server %s", t->task->uri.host);
    else if (f->protocol == PROTOCOL_TLS)
        facts_setf(t->f, "who", "the TLS listener %s", name);
    else if (f->protocol == PROTOCOL_TCP && f->target[0] != '\0')
        facts_setf(t->f, "who", "the target %s behind the TCP listener %s", f->target, name);
    else if (f->protocol == PROTOCOL_TCP)
        facts_setf(t->f, "who", "the target behind the TCP listener %s", name);
    else
        facts_setf(t->f, "who", "the far side at %s", addr_format(&t->r->peer, at));
}

/* The hop that terminates TLS, and where its certificate is configured. */
static void tell_validated(const struct teller *t)
{
    const struct far_side *f = t->far;
    const char *target = t->context->target_name;

    facts_set(t->f, "validated.or_none", "none");
    if (f->protocol == PROTOCOL_TLS) {
        facts_set(t->f, "validated", "listener");
        facts_setf(t->f, "validated.section", "[listener %s]",
                   f->listener[0] != '\0' ? f->listener : "?");
        facts_set(t->f, "validated.file",
                  f->served_file[0] != '\0' ? f->served_file : "the listener's certificate file");
    } else if (f->protocol == PROTOCOL_TCP || t->task->connect == NULL) {
        facts_set(t->f, "validated", "target");
        if (target != NULL)
            facts_setf(t->f, "validated.section", "[%s]", target);
        else if (t->task->connect == NULL)
            facts_setf(t->f, "validated.section", "server %s", t->task->uri.host);
        else
            facts_setf(t->f, "validated.section", "target %s",
                       f->target[0] != '\0' ? f->target : "behind the listener");
        facts_set(t->f, "validated.file", "the target's certificate file");
    } else {
        facts_set(t->f, "validated.section", "the hop that terminates TLS");
        facts_set(t->f, "validated.file", "the certificate file of whoever answers");
    }
    if (t->task->uri.tls && facts_get(t->f, "validated") != NULL)
        facts_set(t->f, "validated.or_none", facts_get(t->f, "validated"));
}

static const char *verified_name(const struct teller *t)
{
    return t->task->verify_name != NULL ? t->task->verify_name : t->task->uri.host;
}

/* --- what was asked --- */
static void tell_task(const struct teller *t, const struct gateway_wording *w)
{
    const struct gateway_task *task = t->task;

    facts_set(t->f, "view", "call");
    facts_set(t->f, "client", "API Gateway");
    facts_set(t->f, "uri", task->uri.text);
    facts_set(t->f, "uri.scheme", task->uri.tls ? "https" : "http");
    facts_set(t->f, "name", verified_name(t));
    facts_set(t->f, "name.key", task->verify_name != NULL ? "server_name_to_verify" : "uri");
    facts_set(t->f, "name.refused", gateway_sni_refusal(verified_name(t)));
    facts_set(t->f, "sni", t->r->sni);
    facts_set(t->f, "asked", t->r->sni[0] != '\0' ? t->r->sni : "(none)");
    facts_set(t->f, "store", t->context->store != NULL ? t->context->store : "the trust store");
    facts_flag(t->f, "through_link", task->connect != NULL);
    if (task->insecure_skip)
        facts_set(t->f, "skip", "insecureSkipVerification");
    else if (!w->http_api)
        facts_set(t->f, "skip.advice", "set insecureSkipVerification on the integration");
    if (t->context->integration != NULL)
        facts_setf(t->f, "integration", "[integration %s]", t->context->integration);
    else
        facts_set(t->f, "integration", "the integration");
    facts_set(t->f, "api", w->http_api ? "HTTP" : "REST");
    facts_flag(t->f, "client_certificate", task->client_certificate != NULL);
}

/* --- what came of it --- */
static const char *when(const struct gateway_result *r)
{
    if (r->stage == GATEWAY_ANSWER)
        return "inside the answer";
    if (r->reused)
        return "while it was kept for the next request (the request went out on a connection that "
               "was already gone)";
    return "before it answered the request";
}

/* The bytes that were no TLS, printable. */
static void tell_bytes(const struct teller *t)
{
    char text[4 * sizeof t->r->tls.first_bytes + 3];
    size_t used = 0;

    text[used++] = '"';
    for (size_t i = 0; i < t->r->tls.n_first_bytes; i++) {
        uint8_t c = t->r->tls.first_bytes[i];

        used += (size_t)snprintf(text + used, sizeof text - used,
                                 c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    snprintf(text + used, sizeof text - used, "\"");
    facts_set(t->f, "broke.bytes", text);
}

static void tell_result(const struct teller *t)
{
    const struct gateway_result *r = t->r;
    const char *body = r->body != NULL ? (const char *)r->body : "";

    facts_set(t->f, "broke", break_names[r->broke]);
    facts_set(t->f, "broke.text", r->alert);
    facts_set(t->f, "broke.why", r->why[0] != '\0' ? r->why : "no reason is known");
    facts_set(t->f, "broke.when", when(r));
    if (r->broke == BREAK_RESET || r->broke == BREAK_CLOSED)
        facts_setf(t->f, "broke.did", "%s the connection %s",
                   r->broke == BREAK_RESET ? "reset" : "closed", when(r));
    if (r->broke == BREAK_UNREACHABLE)
        facts_set(t->f, "reached", r->why[0] != '\0' ? r->why : "no reason is known");
    /* The load balancer passes on what its target does. */
    facts_set(t->f, "breaker",
              t->far->protocol != 0 || t->task->connect == NULL || r->stage == GATEWAY_ANSWER
                  ? "target"
                  : "network");
    facts_flag(t->f, "call.begun", r->stage >= GATEWAY_REQUEST);
    facts_flag(t->f, "reused", r->reused);
    facts_flag(t->f, "secured", r->tls.secured);
    facts_flag(t->f, "handshaken", r->tls.version != 0);
    facts_flag(t->f, "client_certificate.sent", r->client_cert_sent);
    facts_flag(t->f, "client_certificate.asked", r->tls.cert_requested);
    if (r->tls.cert_withheld)
        facts_setf(t->f, "client_certificate.withheld", "%zu", r->tls.cert_authorities);
    if (r->status != 0)
        facts_setf(t->f, "status", "%u", r->status);
    facts_set(t->f, "answer.telltale", telltale_find(body, r->n_body));
    tell_bytes(t);
}

/* --- certificates --- */
struct chain *call_chain(const struct gateway_task *task, const struct gateway_result *r,
                         const struct call_context *context)
{
    return r->chain.n == 0 ? NULL
                           : chain_of_list(&r->chain, context->anchors, context->store,
                                           task->at_utc != NULL ? *task->at_utc : clock_wall_s());
}

static void tell_judged(const struct teller *t)
{
    const struct gateway_result *r = t->r;
    const char *leaf = facts_get(t->f, "chain.leaf"), *at = facts_get(t->f, "refusal.subject");
    bool refused = r->broke == BREAK_CERTIFICATE || r->broke == BREAK_HOST_NAME;

    facts_setf(t->f, "certificate.of", "the certificate %s %s%s%s%s",
               t->far->protocol == PROTOCOL_TLS ? "on" : "of", facts_get(t->f, "who"),
               leaf != NULL ? " (" : "", leaf != NULL ? leaf : "", leaf != NULL ? ")" : "");
    facts_setf(t->f, "judged", "API Gateway validated %s%s%s", facts_get(t->f, "certificate.of"),
               facts_get(t->f, "refusal.above") != NULL ? " and found fault with one above it, "
                                                        : "",
               facts_get(t->f, "refusal.above") != NULL && at != NULL ? at : "");
    facts_flag(t->f, "judged.told", refused || (r->broke == BREAK_NONE && t->task->uri.tls));
}

static void tell_chain(const struct teller *t)
{
    struct chain *chain = call_chain(t->task, t->r, t->context);

    chain_facts(chain, t->f);
    chain_name_fact(t->f, verified_name(t));
    if (t->r->judged && (t->r->broke == BREAK_CERTIFICATE || t->r->broke == BREAK_HOST_NAME))
        verdict_facts(&t->r->verdict, &t->r->chain, t->f);
    chain_free(chain);
}

struct facts *call_facts(const struct gateway_task *task, const struct gateway_result *r,
                         const struct gateway_wording *w, const struct far_side *far,
                         const struct call_context *context)
{
    const struct teller t = { task, r, far, context, facts_new() };

    if (t.f == NULL)
        return NULL;
    tell_task(&t, w);
    if (far->protocol != 0)
        facts_set(t.f, "protocol", far->protocol == PROTOCOL_TLS ? "TLS" : "TCP");
    if (far->listener[0] != '\0')
        facts_set(t.f, "listener", far->listener);
    tell_who(&t);
    tell_validated(&t);
    tell_result(&t);
    tell_chain(&t);
    if (far->event != NULL)
        event_facts(t.f, far->event, context->policy);
    facts_set(t.f, "target.name", context->target_name);
    tell_judged(&t);
    return t.f;
}
