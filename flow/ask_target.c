/* SPDX-License-Identifier: Apache-2.0
 * Whose fault is a handshake that the target refused: would it have answered all that AWS offers?
 */
#include "flow/ask_target.h"

#include <stdio.h>
#include <stdlib.h>

#include "certs/x509/parse.h"
#include "core/log.h"
#include "core/turn.h"
#include "targets/proxy_v2.h"
#include "tls/hop_tls.h"
#include "tls/tls_error.h"
#include "tls/tls_question.h"

struct asker {
    struct event event;
    struct tls_question *question;
    bool over;
};

/* A refusal of the ClientHello itself. What a target says after its ServerHello is about something
 * else: a certificate, for example. */
static bool refused_the_hello(const struct flow *f)
{
    const struct tls_facts *t = hop_tls_facts(f->back.hop);

    if (t == NULL || t->cert_requested || t->peer_chain.presented > 0)
        return false;
    switch (f->record.failure.cause) {
    case HOP_CAUSE_CLOSED:
    case HOP_CAUSE_RESET:
        return t->n_first_bytes == 0;
    case HOP_CAUSE_ALERT_IN:
        return t->alert_in.number == TLS_ALERT_handshake_failure ||
               t->alert_in.number == TLS_ALERT_protocol_version ||
               t->alert_in.number == TLS_ALERT_insufficient_security ||
               t->alert_in.number == TLS_ALERT_illegal_parameter ||
               t->alert_in.number == TLS_ALERT_close_notify;
    case HOP_CAUSE_NONE:
    case HOP_CAUSE_ERRNO:
    case HOP_CAUSE_REFUSED:
    case HOP_CAUSE_NOT_TLS:
    case HOP_CAUSE_ALERT_OUT:
    case HOP_CAUSE_TLS:
        break;
    }
    return false;
}

bool ask_target_waits(const struct flow *f)
{
    return f->asker != NULL && !f->asker->over;
}

void ask_target_end(struct flow *f)
{
    if (f->asker == NULL)
        return;
    event_del(&f->asker->event);
    tls_question_free(f->asker->question);
    free(f->asker);
    f->asker = NULL;
}

static void note_lack(struct flow *f, const struct tls_hello_answer *answer)
{
    f->record.end = END_SIMULATOR_LIMIT;
    tls_hello_answer_lacking(answer, back_tls_offer(f->plan->back_tls)->library,
                             f->record.back_lacking, sizeof f->record.back_lacking);
}

static bool wait_for_answer(struct flow *f, short what);

static void asker_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow *f = arg;
    struct tls_hello_answer answer;
    enum hop_status st;

    (void)fd, (void)what;
    turn_begin("a question to a target", f->record.id, flow_state_name(f->state));
    st = tls_question_go(f->asker->question, &answer);
    if (st == HOP_OK)
        note_lack(f, &answer);
    if ((st != HOP_WANT_READ && st != HOP_WANT_WRITE) ||
        !wait_for_answer(f, st == HOP_WANT_READ ? EV_READ : EV_WRITE)) {
        log_debug("ask_target", "flow=%llu answered=%d", (unsigned long long)f->record.id,
                  st == HOP_OK);
        f->asker->over = true;
        event_active(&f->back.event, EV_READ, 0); /* the flow goes on from there */
    }
    turn_end();
}

static bool wait_for_answer(struct flow *f, short what)
{
    struct asker *a = f->asker;

    event_assign(&a->event, f->env->base, tls_question_fd(a->question), what, asker_cb, f);
    return event_add(&a->event, NULL) == 0;
}

/* A leaf that the library cannot read: AWS's reads RSA-PSS keys, and none of the Edwards curves. */
static bool unreadable_leaf(const struct tls_chain *chain)
{
    struct cert_facts *leaf =
        chain->n == 0 ? NULL : cert_facts_new(chain->at[0].der, chain->at[0].len);
    bool limit = leaf != NULL && leaf->key == CERT_KEY_RSA_PSS;

    cert_facts_free(leaf);
    return limit;
}

/* Did our own side break off, for want of something that AWS has and offers? */
static const char *broke_off_for(const struct flow *f)
{
    const struct tls_facts *t = hop_tls_facts(f->back.hop);
    const struct tls_full_offer *o = back_tls_offer(f->plan->back_tls);
    const struct hop_failure *failure = &f->record.failure;
    const char *lacking;

    if (t == NULL || (failure->cause != HOP_CAUSE_TLS && failure->cause != HOP_CAUSE_ALERT_OUT))
        return NULL;
    if (t->peer_chain.leaf_error != 0)
        return unreadable_leaf(&t->peer_chain) ? "RSA-PSS keys" : NULL;
    lacking = tls_error_lacking(failure->tls_error, t->version,
                                t->peer_chain.presented > 0 &&
                                    tls_list_has(o->sigs, TLS_SIG_rsa_pss_rsae_sha256));
    if (lacking != NULL && t->version != 0 && t->version < TLS_1_2 &&
        !tls_list_has(o->versions, t->version))
        return NULL;
    return lacking;
}

bool ask_target(struct flow *f)
{
    const char *lacking = f->plan->back_tls == NULL ? NULL : broke_off_for(f);
    uint8_t preface[PROXY_V2_MAX];
    size_t n;

    if (lacking != NULL) {
        f->record.end = END_SIMULATOR_LIMIT;
        snprintf(f->record.back_lacking, sizeof f->record.back_lacking, "%s", lacking);
        return false;
    }
    if (f->plan->back_tls == NULL || !refused_the_hello(f) ||
        !tls_offer_is_more_than_ours(back_tls_offer(f->plan->back_tls)))
        return false;
    f->asker = calloc(1, sizeof *f->asker);
    if (f->asker == NULL)
        return false;
    event_assign(&f->asker->event, f->env->base, -1, 0, asker_cb, f);
    n = f->group->proxy_protocol_v2 ? proxy_v2_write_local(preface) : 0;
    f->asker->question =
        tls_question_new(&f->record.target, preface, n, back_tls_offer(f->plan->back_tls));
    if (f->asker->question != NULL && wait_for_answer(f, EV_WRITE))
        return true;
    ask_target_end(f);
    return false;
}
