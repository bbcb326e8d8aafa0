/* SPDX-License-Identifier: Apache-2.0
 * The TLS half of API Gateway's client: what it offers, the judge inside the handshake, and what a
 * failed handshake is called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/store/identity.h"
#include "core/clock.h"
#include "tls/tls_can.h"
#include "tls/tls_conf.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"
#include "tls/tls_question.h"
#include "vpclink/call.h"

static const uint16_t jdk_suites[] = {
#define OFFER_SUITE(id) TLS_SUITE_##id,
#include "vpclink/offer.def"
};
static const uint16_t jdk_groups[] = {
#define OFFER_GROUP(id) TLS_GROUP_##id,
#include "vpclink/offer.def"
};
static const uint16_t jdk_sigs[] = {
#define OFFER_SIG(id) TLS_SIG_##id,
#include "vpclink/offer.def"
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static uint16_t lowest(const struct gateway_offer *o)
{
    return o->min_version != 0 ? o->min_version : TLS_1_2;
}

static uint16_t highest(const struct gateway_offer *o)
{
    return o->max_version != 0 ? o->max_version : lowest(o);
}

struct tls_conf *call_tls_conf(const struct gateway_task *task, struct err *err)
{
    const struct gateway_offer *o = &task->offer;
    const struct identity *own = task->client_certificate;
    uint16_t sigs[COUNT(jdk_sigs)];
    struct tls_conf_params p = {
        .min_version = lowest(o),
        .max_version = highest(o),
        .suites = o->n_suites > 0 ? o->suites : jdk_suites,
        .n_suites = o->n_suites > 0 ? o->n_suites : COUNT(jdk_suites),
        .groups = o->n_groups > 0 ? o->groups : jdk_groups,
        .n_groups = o->n_groups > 0 ? o->n_groups : COUNT(jdk_groups),
        .sig_schemes = sigs,
        .judged = true,
        .own_chain = own == NULL ? NULL : own->crt,
        .own_key = own == NULL ? NULL : own->key,
    };

    for (size_t i = 0; i < COUNT(jdk_sigs); i++) {
        if (tls_can_sig(TLS_LIBRARY_MBEDTLS, jdk_sigs[i], 0))
            sigs[p.n_sig_schemes++] = jdk_sigs[i];
    }
    return tls_conf_new(&p, err);
}

/* --- the judge --- */
static bool about_the_host(enum verdict_code code)
{
    return code == VERDICT_HOST_MISMATCH || code == VERDICT_HOST_ILLEGAL;
}

static bool by_rsa_key_exchange(uint16_t suite)
{
    const struct tls_suite *s = tls_suite_find(suite);

    return s != NULL && s->kx == TLS_KX_RSA;
}

/* One judgement gives both answers: a chain that fails ends the handshake with the JDK's alert, a
 * host name that fails is told after it, as Apache's client does. */
static int judge(void *arg, const struct tls_presented *p)
{
    struct gateway_call *call = arg;
    const struct gateway_task *task = call->task;
    struct gateway_result *r = call->now;
    struct trust_request req = {
        .anchors = task->anchors,
        .host = task->verify_name != NULL ? task->verify_name : task->uri.host,
        .at_utc = task->at_utc != NULL ? *task->at_utc : clock_wall_s(),
        .client = TRUST_APACHE,
        .tls12 = p->version != TLS_1_3,
        .rsa_key_exchange = by_rsa_key_exchange(p->suite),
        .insecure_skip = task->insecure_skip,
        .skip_refuses_plain_self_signed = !task->skip_allows_plain_self_signed,
    };
    int alert;

    cert_list_clear(&r->chain);
    for (size_t i = 0; i < p->chain->n; i++) {
        if (cert_list_add_der(&r->chain, der_span_of(p->chain->at[i].der, p->chain->at[i].len),
                              NULL) != 0) {
            req.chain_cut = true;
            break;
        }
    }
    req.chain = r->chain.at;
    req.chain_len = r->chain.n;
    trust_judge(&req, &r->verdict);
    r->judged = true;
    if (r->verdict.ok || about_the_host(r->verdict.code))
        return 0;
    alert = p->version == TLS_1_3 ? r->verdict.alert_tls13 : r->verdict.alert_tls12;
    return alert > 0 ? alert : TLS_ALERT_internal_error;
}

struct hop *call_tls_hop(struct gateway_call *call, int fd)
{
    const struct gateway_task *task = call->task;
    struct gateway_result *r = call->now;
    const char *name = task->verify_name != NULL ? task->verify_name : task->uri.host;
    const char *sni = gateway_sni(name, r->sni);
    struct hop *hop = hop_tls_client_new(fd, call->client->conf, sni, NULL);

    r->accepts = highest(&task->offer) == TLS_1_2  ? "TLS12"
                 : lowest(&task->offer) == TLS_1_2 ? "TLS13, TLS12"
                                                   : "TLS13";
    if (sni == NULL)
        r->sni[0] = '\0';
    if (hop != NULL)
        hop_tls_set_verify(hop, judge, call);
    return hop;
}

/* --- what happened --- */
void call_tls_note(struct gateway_call *call)
{
    const struct tls_facts *f = call->hop == NULL ? NULL : hop_tls_facts(call->hop);
    struct gateway_result *r = call->now;

    if (f == NULL)
        return;
    r->tls = *f;
    memset(&r->tls.offer, 0, sizeof r->tls.offer);
    memset(&r->tls.peer_chain, 0, sizeof r->tls.peer_chain);
    r->client_cert_sent =
        f->cert_requested && !f->cert_withheld && call->task->client_certificate != NULL;
}

/* Java writes an unassigned number as a signed octet. */
static enum gateway_break name_alert(struct gateway_result *r, uint8_t number,
                                     enum gateway_break known)
{
    const char *name = tls_alert_name(number);

    if (number == TLS_ALERT_user_canceled)
        return BREAK_ALERT_CANCELED;
    if (name == NULL)
        snprintf(r->alert, sizeof r->alert, "%d", (int)(int8_t)number);
    else
        snprintf(r->alert, sizeof r->alert, "%s", name);
    return name == NULL ? BREAK_ALERT_UNKNOWN : known;
}

bool call_tls_warned(const struct gateway_call *call)
{
    const struct tls_facts *f = hop_tls_facts(call->hop);

    return f != NULL && f->alert_in.seen && !f->alert_in.encrypted && f->alert_in.level == 1 &&
           f->alert_in.number != TLS_ALERT_close_notify &&
           f->alert_in.number != TLS_ALERT_user_canceled;
}

enum gateway_break call_tls_alert(struct gateway_call *call, bool in_use)
{
    struct gateway_result *r = call->now;

    return name_alert(r, r->tls.alert_in.number, in_use ? BREAK_ALERT_IN_USE : BREAK_ALERT);
}

static enum gateway_break of_library(struct gateway_result *r, int leaf_error)
{
    char buf[TLS_NAME_MAX];
    const char *version, *lacking;

    if (leaf_error != 0) {
        tls_error_text(leaf_error, r->why, sizeof r->why);
        return BREAK_NOT_SIMULATED;
    }
    tls_error_text(r->tls.tls_error, r->why, sizeof r->why);
    switch (tls_error_trouble(r->tls.tls_error)) {
    case TLS_TROUBLE_VERSION:
        /* "TLSv1.1" of the API is the JDK's TLS11. */
        version = tls_version_text(r->tls.version, buf);
        snprintf(r->alert, sizeof r->alert, "%s",
                 r->tls.version == 0x0300   ? "SSL30"
                 : r->tls.version == 0x0301 ? "TLS10"
                 : r->tls.version == 0x0302 ? "TLS11"
                                            : version);
        return r->tls.version != 0 && r->tls.version < TLS_1_2 ? BREAK_VERSION : BREAK_TLS_FAILED;
    case TLS_TROUBLE_MAC:
        return BREAK_RECORD;
    case TLS_TROUBLE_CLOSE:
        return BREAK_CLOSE_NOTIFY;
    case TLS_TROUBLE_UNSUPPORTED:
    case TLS_TROUBLE_OTHER:
        break;
    }
    lacking = tls_error_lacking(r->tls.tls_error, r->tls.version, r->judged);
    if (lacking != NULL)
        snprintf(r->why, sizeof r->why, "it lacks %s", lacking);
    return lacking != NULL ? BREAK_NOT_SIMULATED : BREAK_TLS_FAILED;
}

/* A refusal of the ClientHello itself, by a server that would answer a JDK's? */
static struct tls_question *ask_server(struct gateway_call *call, uint8_t alert)
{
    const struct gateway_offer *o = &call->task->offer;
    const uint16_t versions[] = { TLS_1_3, TLS_1_2 };
    const size_t skipped = highest(o) == TLS_1_3 ? 0 : 1;
    const struct tls_full_offer offer = {
        .versions = { versions + skipped, COUNT(versions) - skipped - (lowest(o) != TLS_1_2) },
        .suites = { o->n_suites > 0 ? o->suites : jdk_suites,
                    o->n_suites > 0 ? o->n_suites : COUNT(jdk_suites) },
        .groups = { o->n_groups > 0 ? o->groups : jdk_groups,
                    o->n_groups > 0 ? o->n_groups : COUNT(jdk_groups) },
        .sigs = { jdk_sigs, COUNT(jdk_sigs) },
        .sni = call->now->sni[0] == '\0' ? NULL : call->now->sni,
    };

    if (call->now->judged || call->now->tls.cert_requested ||
        (alert != TLS_ALERT_handshake_failure && alert != TLS_ALERT_insufficient_security &&
         alert != TLS_ALERT_illegal_parameter))
        return NULL;
    return tls_question_new(&call->now->peer, NULL, 0, &offer);
}

enum hop_status call_tls_ask(struct gateway_call *call)
{
    struct gateway_result *r = call->now;
    struct tls_hello_answer answer;
    char lacking[128];
    enum hop_status st = tls_question_go(call->question, &answer);

    if (st == HOP_OK) {
        r->broke = BREAK_NOT_SIMULATED;
        r->alert[0] = '\0';
        snprintf(r->why, sizeof r->why,
                 "the server answers a JDK's whole ClientHello, and nlbsim lacks %s",
                 tls_hello_answer_lacking(&answer, TLS_LIBRARY_MBEDTLS, lacking, sizeof lacking));
    }
    return st;
}

void call_tls_failed(struct gateway_call *call)
{
    struct gateway_result *r = call->now;
    const struct tls_facts *f = hop_tls_facts(call->hop);
    int leaf_error = f == NULL ? 0 : f->peer_chain.leaf_error;
    struct hop_failure failure;

    call->hop->ops->failure(call->hop, &failure);
    call_tls_note(call);
    if (call_tls_warned(call)) {
        r->broke = BREAK_WARNING;
        (void)name_alert(r, r->tls.alert_in.number, BREAK_WARNING);
        return;
    }
    if (r->judged && !r->verdict.ok && !about_the_host(r->verdict.code)) {
        r->broke = r->verdict.code == VERDICT_NO_MEMORY         ? BREAK_NO_MEMORY
                   : r->verdict.code == VERDICT_SIMULATOR_LIMIT ? BREAK_NOT_SIMULATED
                                                                : BREAK_CERTIFICATE;
        if (r->broke == BREAK_NOT_SIMULATED)
            snprintf(r->why, sizeof r->why, "%.300s", r->verdict.what);
        return;
    }
    switch (failure.cause) {
    case HOP_CAUSE_RESET:
        r->broke = BREAK_HANDSHAKE_RESET;
        return;
    case HOP_CAUSE_CLOSED:
        r->broke =
            failure.tls_error != 0 && tls_error_trouble(failure.tls_error) == TLS_TROUBLE_CLOSE
                ? BREAK_CLOSE_NOTIFY
                : BREAK_HANDSHAKE_CLOSED;
        return;
    case HOP_CAUSE_ALERT_IN:
        r->broke = name_alert(r, r->tls.alert_in.number, BREAK_ALERT);
        call->question = ask_server(call, r->tls.alert_in.number);
        return;
    case HOP_CAUSE_NOT_TLS:
        r->broke = BREAK_NOT_TLS;
        return;
    case HOP_CAUSE_ERRNO:
        snprintf(r->why, sizeof r->why, "%s", strerror(failure.sys_errno));
        r->broke = BREAK_HANDSHAKE_RESET;
        return;
    case HOP_CAUSE_ALERT_OUT:
    case HOP_CAUSE_TLS:
    case HOP_CAUSE_REFUSED:
    case HOP_CAUSE_NONE:
        break;
    }
    r->tls.tls_error = failure.tls_error;
    r->broke = of_library(r, leaf_error);
}

bool call_tls_secured(struct gateway_call *call)
{
    struct gateway_result *r = call->now;

    call_tls_note(call);
    if (!r->judged || r->verdict.ok)
        return true;
    r->broke = BREAK_HOST_NAME;
    return false;
}
