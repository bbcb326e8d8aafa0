/* SPDX-License-Identifier: Apache-2.0
 * nlbsim probe: be API Gateway; one call or many, each with its log and its verdict. */
#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "cli/cli.h"
#include "cli/probe.h"
#include "core/clock.h"
#include "diagnose/chain.h"
#include "listeners/policies.h"
#include "tls/tls_conf.h"
#include "tls/tls_random.h"
#include "vpclink/execlog.h"
#include "vpclink/link.h"

/* How long the load balancer may take to write down a flow that has ended. */
#define JOIN_MS 500

struct probing {
    struct probe_options options;
    struct far_side far; /* what holds for every flow */
    char *stores;        /* PEM of a lab store of the far side; NULL: none */
    struct cert_lab *lab;
    struct trust_store *trusted;
    struct cert_list anchor_list; /* of `stores` */
    struct trust_anchors *anchors;
    struct identity *client_certificate;
    struct probe_call *calls;
    struct far_events events;
};

/* --- what the task needs --- */
static void ask_far_side(struct probing *s)
{
    const struct probe_options *o = &s->options;
    const char *store = o->trust_store == NULL ? "lab:public" : o->trust_store;

    if (o->task.connect != NULL)
        (void)far_side_ask(o->task.connect, &s->far, store, &s->stores, &s->events);
    if (o->listener_protocol != 0)
        s->far.protocol = o->listener_protocol;
    if (o->events != NULL)
        far_events_file(&s->events, o->events);
    else if (far_events_readable(s->far.events)) /* so that it has the flow when we are done */
        far_events_file(&s->events, s->far.events);
}

/* The far side's own lab stands in for the authorities; without one, the system's. */
static int load_anchors(struct probing *s, struct err *err)
{
    struct probe_options *o = &s->options;
    const struct cert_list *list = &s->anchor_list;

    if (!o->task.uri.tls)
        return 0;
    if (s->stores != NULL) {
        if (cert_list_read(&s->anchor_list, s->stores, strlen(s->stores), "the far side's lab",
                           err) != 0)
            return -1;
    } else if (o->trust_store != NULL && cert_spec_is_lab(o->trust_store)) {
        err_set(err, ERR_USAGE,
                "--trust-store %s: no nlbsim with such a lab listens at --connect on this machine; "
                "give its authorities as a PEM file",
                o->trust_store);
        return -1;
    } else {
        s->trusted =
            trust_store_load(o->trust_store == NULL ? "system" : o->trust_store, NULL, NULL, err);
        if (s->trusted == NULL)
            return -1;
    }
    s->anchors = s->trusted != NULL ? trust_anchors_of(s->trusted, o->public_authorities)
                                    : trust_anchors_new(list->at, list->n, o->public_authorities);
    o->task.anchors = s->anchors;
    if (s->anchors == NULL)
        err_set(err, ERR_NOMEM, "trust store");
    return s->anchors == NULL ? -1 : 0;
}

static int load_client_certificate(struct probing *s, struct err *err)
{
    struct probe_options *o = &s->options;

    if (o->client_certificate == NULL)
        return 0;
    if (cert_spec_is_lab(o->client_certificate)) {
        s->lab = cert_lab_new(NULL, clock_wall_s(), err);
        if (s->lab == NULL)
            return -1;
    }
    s->client_certificate =
        identity_load_with_key(o->client_certificate, o->client_key, NULL, s->lab, err);
    o->task.client_certificate = s->client_certificate;
    return s->client_certificate == NULL ? -1 : 0;
}

/* --- the calls --- */
static struct gateway_result *result_of(void *arg, unsigned i)
{
    struct probing *s = arg;

    return &s->calls[i].result;
}

static int make_calls(struct probing *s, struct err *err)
{
    const struct probe_options *o = &s->options;
    const struct gateway_many many = { .task = &o->task,
                                       .count = o->count,
                                       .at_once = o->concurrency,
                                       .pause_ms = o->pause_ms,
                                       .result = result_of,
                                       .arg = s };

    return gateway_call_many(&many, err);
}

/* --- what came of it --- */
static char *draw_chain(const struct probing *s, const struct probe_call *c,
                        const struct call_context *context)
{
    struct chain *chain = call_chain(&s->options.task, &c->result, context);
    char *text = NULL;
    size_t size = 0;
    FILE *out = chain == NULL ? NULL : open_memstream(&text, &size);

    if (out != NULL) {
        chain_draw(chain, c->result.judged ? &c->result.verdict : NULL, "  ", out);
        if (fclose(out) != 0)
            text = NULL;
    }
    chain_free(chain);
    return text;
}

static int diagnose_call(struct probing *s, struct probe_call *c)
{
    const struct probe_options *o = &s->options;
    const struct call_context context = {
        .policy = policy_list_text,
        .anchors = s->stores != NULL    ? &s->anchor_list
                   : s->trusted != NULL ? &s->trusted->list
                                        : NULL,
        .store = o->trust_store != NULL ? o->trust_store
                 : s->stores != NULL    ? "lab:public"
                                        : "the system's authorities",
    };
    struct facts *f = call_facts(&o->task, &c->result, &o->wording, &c->far, &context);
    int rc = f == NULL ? -1 : diagnose(f, &c->diagnosis);

    facts_free(f);
    if (rc != 0)
        return -1;
    c->chain = draw_chain(s, c, &context);
    c->verdict = diagnosis_text(&c->diagnosis);
    return c->verdict == NULL ? -1 : 0;
}

static int judge_call(struct probing *s, struct probe_call *c)
{
    int rc;

    c->far = s->far;
    if (c->result.local.len != 0)
        (void)far_side_join(&s->events, &c->result.local, JOIN_MS, &c->far);
    gateway_join(&c->result, &c->far);
    gateway_word(&c->result, &s->options.wording, &c->outcome);
    execlog_request_id(c->request_id);
    rc = diagnose_call(s, c);
    far_side_clear(&c->far);
    return rc;
}

static int report_probe(struct probing *s)
{
    const struct probe_options *o = &s->options;
    int status = 0, rc = 0;

    for (unsigned i = 0; i < o->count; i++) {
        struct probe_call *c = &s->calls[i];

        if (judge_call(s, c) != 0)
            return 3;
        if (!c->outcome.simulated)
            status = 3;
        else if (!c->outcome.ok && status == 0)
            status = 1;
        if (o->json && rc == 0)
            rc = probe_print_json(o, c, i + 1);
    }
    if (!o->json)
        rc =
            o->count == 1 ? probe_print_call(o, s->calls) : probe_print_many(o, s->calls, o->count);
    return rc != 0 || fflush(stdout) != 0 ? 3 : status;
}

static void session_clear(struct probing *s)
{
    for (unsigned i = 0; s->calls != NULL && i < s->options.count; i++) {
        gateway_result_clear(&s->calls[i].result);
        diagnosis_clear(&s->calls[i].diagnosis);
        free(s->calls[i].verdict);
        free(s->calls[i].chain);
    }
    free(s->calls);
    far_events_clear(&s->events);
    trust_anchors_free(s->anchors);
    cert_list_clear(&s->anchor_list);
    trust_store_unref(s->trusted);
    identity_unref(s->client_certificate);
    cert_lab_free(s->lab);
    free(s->stores);
    probe_options_clear(&s->options);
}

static int work(struct probing *s)
{
    struct err err = { 0 };

    ask_far_side(s);
    if (tls_init(&err) != 0 || load_anchors(s, &err) != 0 || load_client_certificate(s, &err) != 0)
        return command_fail(&command_probe, &err);
    s->calls = calloc(s->options.count, sizeof *s->calls);
    if (s->calls == NULL) {
        err_set(&err, ERR_NOMEM, "%u calls", s->options.count);
        return command_fail(&command_probe, &err);
    }
    if (make_calls(s, &err) != 0)
        return command_fail(&command_probe, &err);
    return report_probe(s);
}

static int probe_run(int argc, char **argv)
{
    struct probing *s = calloc(1, sizeof *s);
    int status;

    if (s == NULL)
        return 3;
    s->events = FAR_EVENTS_NONE;
    status = probe_options_read(&command_probe, argc, argv, &s->options);
    if (status < 0)
        status = work(s);
    session_clear(s);
    free(s);
    return status;
}

static const char *const probe_synopsis[] = { "[options] URL", NULL };
static const char *const probe_examples[] = {
    "nlbsim probe --connect 127.0.0.1:8443 --trust-store root.pem https://api.example.com/orders",
    NULL
};

const struct command command_probe = {
    .name = "probe",
    .summary = "be API Gateway: call an endpoint through a VPC link, print the execution log and "
               "the verdict",
    .run = probe_run,
    .synopsis = probe_synopsis,
    .about = "Calls a private integration as API Gateway does: connects, sends the URI's host as "
             "server name, validates the certificate that answers, sends the request. Prints API "
             "Gateway's execution log, what the API's caller gets, and which hop decided.",
    .options = probe_option_rows,
    .operand = "URL",
    .operand_kind = OPERAND_WORD,
    .min_operands = 1,
    .max_operands = 1,
    .notes =
        "Exit status: 0 the answer was passed on (whatever its status), 1 API Gateway answers "
        "for itself, 2 usage, 3 the environment failed, or nlbsim lacks something that AWS has.",
    .examples = probe_examples,
};
