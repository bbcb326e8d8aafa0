/* SPDX-License-Identifier: Apache-2.0
 * Whose fault is a handshake that the target refused: would it have answered all that AWS offers?
 */
#include "flow/ask_target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs/x509/parse.h"
#include "core/log.h"
#include "core/turn.h"
#include "targets/proxy_v2.h"
#include "tls/hop_tls.h"
#include "tls/tls_error.h"
#include "tls/tls_wire_write.h"

#define ANSWER_MAX 1024

struct asker {
    struct event event;
    int fd;
    bool sent, over;
    uint8_t answer[ANSWER_MAX];
    size_t n;
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
    close(f->asker->fd);
    free(f->asker);
    f->asker = NULL;
}

static bool send_question(struct flow *f)
{
    uint8_t buf[PROXY_V2_MAX + TLS_HELLO_WRITE_MAX];
    size_t n = f->group->proxy_protocol_v2 ? proxy_v2_write_local(buf) : 0;
    size_t hello = tls_hello_write(back_tls_offer(f->plan->back_tls), buf + n);

    /* The send buffer of a fresh connection is empty and larger. */
    return hello > 0 && send(f->asker->fd, buf, n + hello, MSG_NOSIGNAL) == (ssize_t)(n + hello);
}

/* True when there is nothing more to wait for. */
static bool take_answer(struct flow *f)
{
    struct asker *a = f->asker;
    ssize_t n = recv(a->fd, a->answer + a->n, sizeof a->answer - a->n, 0);
    struct tls_hello_answer answer;

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return false;
    a->n += n > 0 ? (size_t)n : 0;
    if (!tls_hello_answer_read(&answer, a->answer, a->n) && n > 0 && a->n < sizeof a->answer)
        return false;
    log_debug("ask_target", "flow=%llu answered=%d", (unsigned long long)f->record.id,
              answer.answered);
    if (answer.answered) {
        f->record.end = END_SIMULATOR_LIMIT;
        tls_hello_answer_lacking(&answer, f->record.back_lacking, sizeof f->record.back_lacking);
    }
    return true;
}

static void asker_cb(evutil_socket_t fd, short what, void *arg)
{
    struct flow *f = arg;
    struct asker *a = f->asker;
    bool over = false;

    turn_begin("a question to a target", f->record.id, flow_state_name(f->state));
    if (!a->sent) {
        over = !send_question(f);
        a->sent = true;
        event_del(&a->event);
        event_assign(&a->event, f->env->base, fd, EV_READ | EV_PERSIST, asker_cb, f);
        over = over || event_add(&a->event, NULL) != 0;
    } else if (what & EV_READ) {
        over = take_answer(f);
    }
    if (over) {
        event_del(&a->event);
        a->over = true;
        event_active(&f->back.event, EV_READ, 0); /* the flow goes on from there */
    }
    turn_end();
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

    const struct addr *to = &f->record.target;
    struct asker *a;

    if (lacking != NULL) {
        f->record.end = END_SIMULATOR_LIMIT;
        snprintf(f->record.back_lacking, sizeof f->record.back_lacking, "%s", lacking);
        return false;
    }
    if (f->plan->back_tls == NULL || !refused_the_hello(f) ||
        !tls_offer_is_more_than_ours(back_tls_offer(f->plan->back_tls)))
        return false;
    a = calloc(1, sizeof *a);
    if (a == NULL)
        return false;
    a->fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    event_assign(&a->event, f->env->base, a->fd, EV_WRITE, asker_cb, f);
    f->asker = a;
    if (a->fd < 0) {
        free(a);
        f->asker = NULL;
        return false;
    }
    if ((connect(a->fd, &to->u.sa, to->len) != 0 && errno != EINPROGRESS) ||
        event_add(&a->event, NULL) != 0) {
        ask_target_end(f);
        return false;
    }
    return true;
}
