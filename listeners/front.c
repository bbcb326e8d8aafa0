/* SPDX-License-Identifier: Apache-2.0
 * What a listener does with a new connection: its front hop, and the plan of its flows. */
#include "listeners/front.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/store/identity.h"
#include "certs/x509/parse.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/sock.h"
#include "listeners/negotiate.h"
#include "tls/hop_tls.h"
#include "tls/tls_tickets.h"

/* How long a session ticket is accepted: unknown for NLB; s2n-tls's keys encrypt for two hours and
 * decrypt for thirteen more (s2n-tls, tls/s2n_resume.h). */
#define TICKET_LIFETIME_S (15 * 3600)

/* A prepared configuration that leaves the library no choice: one version, suite, group and
 * signature scheme (0: none is needed), and one ALPN protocol or none. Made when a choice first
 * asks for it; clients ask for few. */
struct prepared {
    struct prepared *next;
    enum tls_library library;
    uint16_t version, newest, suite, group, sig;
    const char *alpn; /* of the policy's table; NULL: without ALPN */
    struct tls_conf *conf;
};

struct front {
    struct flow_plan plan;
    const struct listener_cfg *cfg;
    struct record_origin origin;
    const struct protocol_row *protocol;
    struct forward forward;
    struct back_tls *back_tls;
    const struct policy *policy;
    const struct alpn_policy *alpn;
    enum tls_use tls_use;
    struct sni_index *certs;
    char **subjects; /* owned: of each certificate, in the list's order */
    struct tls_tickets *tickets;
    _Atomic(struct prepared *) prepared; /* grows at its head; read without a lock */
    pthread_mutex_t prepare_lock;        /* who adds */
};

struct protocol_row {
    struct hop *(*hop)(const struct front *front, int fd);
};

/* --- the choice --- */
static const struct prepared *find_prepared(const struct front *front, const struct choice *c)
{
    const struct prepared *p = atomic_load_explicit(&front->prepared, memory_order_acquire);
    const struct negotiation *a = &c->here;

    while (p != NULL && (p->suite != a->suite || p->group != a->group || p->sig != a->sig ||
                         p->version != a->version || p->newest != c->newest || p->alpn != c->alpn ||
                         p->library != c->library))
        p = p->next;
    return p;
}

static struct prepared *prepare(const struct front *front, const struct choice *c)
{
    const struct policy *policy = front->policy;
    const struct negotiation *a = &c->here;
    const char *protocols[] = { c->alpn, NULL };
    const struct tls_conf_params params = {
        .library = c->library,
        .server = true,
        .min_version = a->version,
        .max_version = c->newest,
        .suites = &a->suite,
        .n_suites = 1,
        .groups = a->group != 0 ? &a->group : policy->groups.at,
        .n_groups = a->group != 0 ? 1 : policy->groups.count,
        .sig_schemes = a->sig != 0 ? &a->sig : policy->sigs.at,
        .n_sig_schemes = a->sig != 0 ? 1 : policy->sigs.count,
        .alpn = c->alpn != NULL ? protocols : NULL,
        .tickets = front->tickets,
    };
    struct prepared *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    *p = (struct prepared){ .library = c->library,
                            .version = a->version,
                            .newest = c->newest,
                            .suite = a->suite,
                            .group = a->group,
                            .sig = a->sig,
                            .alpn = c->alpn };
    p->conf = tls_conf_new(&params, NULL);
    if (p->conf == NULL) {
        free(p);
        return NULL;
    }
    return p;
}

static const struct tls_conf *conf_for(struct front *front, const struct choice *c)
{
    const struct prepared *p = find_prepared(front, c);

    if (p == NULL) {
        pthread_mutex_lock(&front->prepare_lock);
        p = find_prepared(front, c); /* another worker may have been first */
        if (p == NULL) {
            struct prepared *fresh = prepare(front, c);

            if (fresh != NULL) {
                fresh->next = atomic_load_explicit(&front->prepared, memory_order_relaxed);
                atomic_store_explicit(&front->prepared, fresh, memory_order_release);
            }
            p = fresh;
        }
        pthread_mutex_unlock(&front->prepare_lock);
    }
    return p == NULL ? NULL : p->conf;
}

static enum flow_end end_of(enum negotiate_result r)
{
    switch (r) {
    case NEGOTIATE_MALFORMED:
        return END_CLIENT_HELLO_MALFORMED;
    case NEGOTIATE_NO_VERSION:
    case NEGOTIATE_ONLY_NEWER:
        return END_LISTENER_NO_VERSION;
    case NEGOTIATE_FALLBACK:
        return END_LISTENER_FALLBACK;
    case NEGOTIATE_NO_SUITE:
        return END_LISTENER_NO_SUITE;
    case NEGOTIATE_NO_GROUP:
        return END_LISTENER_NO_GROUP;
    case NEGOTIATE_NO_SIGNATURE:
        return END_LISTENER_NO_SIGNATURE;
    case NEGOTIATE_UNSUPPORTED:
    case NEGOTIATE_UNSUPPORTED_VERSION:
        return END_SIMULATOR_LIMIT;
    case NEGOTIATE_OK:
    case NEGOTIATE_N_RESULTS:
        break;
    }
    return END_ELB_INTERNAL;
}

static void refuse(const struct front *front, enum negotiate_result result,
                   struct hop_tls_answer *out)
{
    out->alert_number = front->cfg->tls_error == TLS_ERROR_ALERT ? negotiate_alert(result)
                                                                 : negotiate_alert_s2n(result);
    out->alert_level = out->alert_number == TLS_ALERT_close_notify ? 1 : 2;
    out->alert_meant = out->alert_level == 1 ? negotiate_alert(result) : 0;
}

/* The access log names a certificate whenever the hello could be read (NLB guide, "Access logs",
 * field 13), also where no version was left to serve it with. */
static const char *would_serve(const struct front *front, const struct tls_offer *offer)
{
    const char *name = offer->sni_state == TLS_SNI_NAME ? offer->sni : NULL;

    return offer->malformed != NULL
               ? NULL
               : sni_pick(front->certs, name, NULL, NULL, NULL, NULL)->identity->id;
}

static void record_choice(const struct front *front, const struct choice *c,
                          const struct tls_offer *offer, struct record_choice *out)
{
    const struct negotiation *here = &c->here;

    out->lacking = c->lacking_name;
    if (here->result != NEGOTIATE_OK)
        out->result = negotiate_result_text(here->result);
    if (here->cert == NULL) {
        out->cert_id = would_serve(front, offer);
        return;
    }
    out->cert_spec = here->cert->identity->spec;
    out->cert_id = here->cert->identity->id;
    out->cert_chain = &here->cert->identity->chain;
    out->cert_subject = front->subjects[here->cert->position];
    out->cert_rule = sni_rule_text(here->rule);
    out->cert_decider = here->decider == SNI_ONLY_ONE ? NULL : sni_decider_text(here->decider);
}

static void front_hello_cb(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out,
                           struct flow_record *record)
{
    struct front *front = arg;
    struct choice c;

    negotiate(&c, front->policy, front->alpn, front->certs, offer, front->tls_use);
    record_choice(front, &c, offer, &record->choice);
    if (c.here.result != NEGOTIATE_OK) {
        record->end = end_of(c.here.result);
        refuse(front, c.here.result, out);
        return;
    }
    out->conf = conf_for(front, &c);
    out->hold = front->plan.hold_for_target;
    out->identity = identity_to_present(c.here.cert->identity);
    if (out->conf == NULL) {
        log_err("front", "listener=%s suite=0x%04x group=0x%04x: no TLS configuration can be made",
                front->cfg->obj.name, c.here.suite, c.here.group);
        record->end = END_ELB_INTERNAL;
    }
}

/* --- hops by protocol --- */
static struct hop *hop_of_tcp(const struct front *front, int fd)
{
    (void)front;
    return hop_tcp_new(fd);
}

static struct hop *hop_of_tls(const struct front *front, int fd)
{
    struct hop *hop = hop_tls_server_new(fd, flow_hello_cb, NULL,
                                         front->cfg->tls_error == TLS_ERROR_CLOSE_NOTIFY);

    if (hop != NULL)
        hop_tls_set_hello_max(hop, front->plan.limits.hello_bytes);
    return hop;
}

static const struct protocol_row protocol_rows[] = {
    [PROTOCOL_TCP] = { hop_of_tcp },
    [PROTOCOL_TLS] = { hop_of_tls },
};

/* --- preparing --- */
static int index_certificates(struct front *front, struct err *err)
{
    const struct listener_cfg *cfg = front->cfg;
    const struct identity **certs = calloc(cfg->n_certificates, sizeof *certs);
    int rc = -1;

    front->subjects = calloc(cfg->n_certificates + 1, sizeof *front->subjects);
    if (certs == NULL || front->subjects == NULL) {
        err_set(err, ERR_NOMEM, "certificates of listener %s", cfg->obj.name);
        goto out;
    }
    for (size_t i = 0; i < cfg->n_certificates; i++) {
        char text[512];

        certs[i] = cfg->certificates[i].identity;
        front->subjects[i] =
            strdup(cert_name_text(certs[i]->leaf->subject, CERT_STYLE_JAVA, text, sizeof text));
    }
    front->certs = sni_index_new(
        certs, cfg->n_certificates,
        cfg->certificate_validity == VALIDITY_LONGEST_PERIOD ? SNI_LONGEST_PERIOD : SNI_LATEST_END,
        err);
    rc = front->certs == NULL ? -1 : 0;
out:
    free(certs);
    return rc;
}

static int prepare_tls(struct front *front, struct err *err)
{
    const struct listener_cfg *cfg = front->cfg;

    front->policy = policy_find(cfg->ssl_policy);
    front->alpn = alpn_find(cfg->alpn_policy);
    if (front->policy == NULL || front->alpn == NULL) {
        err_set(err, ERR_BUG, "listener %s: policy not checked", cfg->obj.name);
        return -1;
    }
    /* Resumption is not supported when the listener has several certificates (NLB guide,
     * "Listeners"). */
    if (cfg->n_certificates == 1 &&
        (front->tickets = tls_tickets_new(TICKET_LIFETIME_S, err)) == NULL)
        return -1;
    return index_certificates(front, err);
}

static int prepare_back(struct front *front, const struct front_options *o, struct err *err)
{
    const struct policy *policy =
        o->backend_policy != NULL ? o->backend_policy : policy_backend(front->policy);
    const struct back_params params = {
        .policy = policy->name,
        .versions = policy->versions,
        .suites = policy->suites,
        .hybrids = policy->hybrids,
        .groups = policy->groups,
        .sigs = policy->sigs,
        .alpn = front->alpn->protocols,
        .tls_use = o->tls_use,
        .offer_chosen_only = front->cfg->alpn_target_offer == ALPN_OFFER_CHOSEN,
    };

    front->back_tls = back_tls_new(&params, err);
    return front->back_tls == NULL ? -1 : 0;
}

static int prepare_forward(struct front *front, const struct front_options *o, struct err *err)
{
    const struct listener_cfg *cfg = front->cfg;
    struct forward *f = &front->forward;

    f->members = calloc(cfg->n_forwards + 1, sizeof *f->members);
    if (f->members == NULL) {
        err_set(err, ERR_NOMEM, "listener %s", cfg->obj.name);
        return -1;
    }
    for (; f->n < cfg->n_forwards; f->n++) {
        f->members[f->n].group = o->group_of(o->arg, cfg->forwards[f->n].group);
        f->members[f->n].weight = cfg->forwards[f->n].weight;
        f->total_weight += cfg->forwards[f->n].weight;
    }
    return 0;
}

static uint64_t scaled(uint64_t us, double scale)
{
    uint64_t t = (uint64_t)((double)us / scale);

    return t > 0 ? t : 1;
}

struct front *front_new(const struct listener_cfg *cfg, const struct front_options *o,
                        struct err *err)
{
    struct front *front = calloc(1, sizeof *front);

    if (front == NULL) {
        err_set(err, ERR_NOMEM, "listener %s", cfg->obj.name);
        return NULL;
    }
    pthread_mutex_init(&front->prepare_lock, NULL);
    front->cfg = cfg;
    front->tls_use = o->tls_use;
    front->protocol = &protocol_rows[cfg->protocol];
    if (prepare_forward(front, o, err) != 0 ||
        (cfg->protocol == PROTOCOL_TLS &&
         (prepare_tls(front, err) != 0 || prepare_back(front, o, err) != 0))) {
        front_free(front);
        return NULL;
    }
    front->origin = (struct record_origin){
        .elb = o->elb,
        .cert_arn = o->cert_arn,
        .alpn = front->alpn != NULL && front->alpn->protocols[0] != NULL,
    };
    aws_id(front->origin.listener_id, o->elb_id, "listener", cfg->obj.name);
    front->plan = (struct flow_plan){
        .listener = cfg->obj.name,
        .origin = &front->origin,
        .protocol = cfg->protocol,
        .hello_cb = cfg->protocol == PROTOCOL_TLS ? front_hello_cb : NULL,
        .hello_arg = front,
        .forward = &front->forward,
        .back_tls = front->back_tls,
        .judge = o->judge_of(o->arg, cfg),
        .observe_tls = cfg->observe_tls,
        .idle_us = scaled(cfg->idle_ms * 1000, o->time_scale),
        .handshake_us = o->handshake_us,
        .connect_us = o->connect_us,
        .limits = o->limits,
        .relay = o->relay,
        .zone = cfg->zone,
        .vpc_endpoint = o->vpc_endpoint,
        .close_on_eof =
            cfg->protocol == PROTOCOL_TLS && cfg->tls_half_close == TLS_HALF_CLOSE_CLOSE,
        .hold_for_target = o->target_after_hello && cfg->protocol == PROTOCOL_TLS,
    };
    return front;
}

void front_free(struct front *front)
{
    if (front == NULL)
        return;
    for (struct prepared *p = atomic_load(&front->prepared), *next; p != NULL; p = next) {
        next = p->next;
        tls_conf_free(p->conf);
        free(p);
    }
    pthread_mutex_destroy(&front->prepare_lock);
    for (size_t i = 0; front->subjects != NULL && i < front->cfg->n_certificates; i++)
        free(front->subjects[i]);
    free(front->subjects);
    sni_index_free(front->certs);
    tls_tickets_free(front->tickets);
    back_tls_free(front->back_tls);
    free(front->forward.members);
    free(front);
}

const struct listener_cfg *front_cfg(const struct front *front)
{
    return front->cfg;
}

void front_reject(const struct front *front, struct flow_env *env, int fd)
{
    sock_close_reset(fd);
    metric_add(&env->metrics, METRIC_REJECTED_FLOWS, 1);
    if (front->cfg->protocol == PROTOCOL_TCP)
        metric_add(&env->metrics, METRIC_REJECTED_FLOWS_TCP, 1);
}

void front_accept(const struct front *front, struct flow_env *env, const struct flow_keeper *keeper,
                  int fd, const struct addr *client, const struct addr *local)
{
    struct crowd_place place;
    struct hop *hop;
    struct flow_record record = {
        .client = *client,
        .local = *local,
        .start_us = clock_mono_us(),
        .start_wall_us = clock_wall_us(),
    };
    struct flow *flow;

    if (!crowd_enter(env->crowd, &front->plan.limits, client, front->policy != NULL, &place)) {
        front_reject(front, env, fd);
        return;
    }
    hop = front->protocol->hop(front, fd);
    if (hop == NULL) {
        crowd_leave(env->crowd, &place);
        front_reject(front, env, fd);
        return;
    }
    if (front->policy != NULL)
        record.choice.policy = front->policy->name;
    flow = flow_begin(env, &front->plan, keeper, hop, &record, &place);
    if (flow == NULL) {
        metric_add(&env->metrics, METRIC_REJECTED_FLOWS, 1);
        return;
    }
    flow_go(flow);
}
