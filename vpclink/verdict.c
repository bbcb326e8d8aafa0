/* SPDX-License-Identifier: Apache-2.0
 * The last word on a call: the sentences that say which hop decided, and what to change. */
#include "vpclink/verdict.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/store/identity.h"
#include "core/clock.h"
#include "core/foreign.h"
#include "tls/tls_params.h"

static const struct remedy {
    const char *what, *remedy;
} remedies[BREAK_N] = {
#define REMEDY(id, what, remedy) [BREAK_##id] = { what, remedy },
#include "vpclink/remedies.def"
#undef REMEDY
};

static const struct hint {
    const char *alert, *remedy;
} hints[] = {
#define HINT(alert, remedy) { #alert, remedy },
#include "vpclink/alert_hints.def"
#undef HINT
    { NULL, NULL },
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* --- sentences --- */
struct teller {
    const struct gateway_task *task;
    const struct gateway_result *r;
    const struct far_side *far;
    FILE *out;
};

/* The far side in words: "the TLS listener https", "the target behind the TCP listener pass". */
static void who(const struct teller *t, bool at_start, char *out, size_t size)
{
    const struct far_side *f = t->far;
    char at[ADDR_TEXT_MAX];
    const char *name = f->listener[0] != '\0' ? f->listener : addr_format(&t->r->peer, at);

    if (t->task->connect == NULL)
        snprintf(out, size, "the server %s", t->task->uri.host);
    else if (f->protocol == PROTOCOL_TLS)
        snprintf(out, size, "the TLS listener %s", name);
    else if (f->protocol == PROTOCOL_TCP && f->target[0] != '\0')
        snprintf(out, size, "the target %s behind the TCP listener %s", f->target, name);
    else if (f->protocol == PROTOCOL_TCP)
        snprintf(out, size, "the target behind the TCP listener %s", name);
    else
        snprintf(out, size, "the far side at %s", addr_format(&t->r->peer, at));
    if (at_start)
        out[0] = (char)toupper((unsigned char)out[0]);
}

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
static void print_bytes(const struct gateway_result *r, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < r->tls.n_first_bytes; i++) {
        uint8_t c = r->tls.first_bytes[i];

        if (c >= 0x20 && c < 0x7f)
            fputc(c, out);
        else
            fprintf(out, "\\x%02x", c);
    }
    fputc('"', out);
}

/* Write a template; its tokens are named in remedies.def. */
static void tell(const struct teller *t, const char *text)
{
    const struct gateway_result *r = t->r;
    char buf[FAR_TEXT_MAX + 128];

    for (const char *at = text; *at != '\0';) {
        const char *token = strchr(at, '{'), *end = token == NULL ? NULL : strchr(token, '}');
        size_t n;

        if (end == NULL) {
            fputs(at, t->out);
            return;
        }
        fwrite(at, 1, (size_t)(token - at), t->out);
        n = (size_t)(end - token - 1);
        token++;
        if (n == 3 && memcmp(token, "who", n) == 0) {
            who(t, token - 1 == text, buf, sizeof buf);
            fputs(buf, t->out);
        } else if (n == 4 && memcmp(token, "text", n) == 0) {
            fputs(r->alert, t->out);
        } else if (n == 3 && memcmp(token, "why", n) == 0) {
            fputs(r->why[0] != '\0' ? r->why : "no reason is known", t->out);
        } else if (n == 3 && memcmp(token, "sni", n) == 0) {
            fputs(r->sni[0] != '\0' ? r->sni : "(none)", t->out);
        } else if (n == 4 && memcmp(token, "when", n) == 0) {
            fputs(when(r), t->out);
        } else if (n == 5 && memcmp(token, "bytes", n) == 0) {
            print_bytes(r, t->out);
        }
        at = end + 1;
    }
}

/* --- certificates --- */
static void print_what(const struct verdict *v, const struct cert_facts *cert, FILE *out)
{
    char what[512];

    fputs(verdict_what(v, cert, what, sizeof what), out);
}

static void print_subject(const struct cert_facts *cert, FILE *out)
{
    char subject[512];

    cert_name_text(cert->subject, CERT_STYLE_JAVA, subject, sizeof subject);
    fputs(subject[0] != '\0' ? subject : "no subject", out);
}

/* "the certificate on the TLS listener https (CN=…)" */
static void print_certificate(const struct teller *t, const struct cert_facts *leaf)
{
    char place[FAR_TEXT_MAX + 128];

    who(t, false, place, sizeof place);
    fprintf(t->out, "the certificate %s %s", t->far->protocol == PROTOCOL_TLS ? "on" : "of", place);
    if (leaf != NULL) {
        fputs(" (", t->out);
        print_subject(leaf, t->out);
        fputs(")", t->out);
    }
}

/* What the other certificate of the way has to do with it. */
static void tell_other_hop(const struct teller *t)
{
    const struct far_side *f = t->far;

    if (t->task->connect == NULL || !t->task->uri.tls)
        return;
    if (f->protocol == PROTOCOL_TLS && f->target_subject[0] != '\0')
        fprintf(t->out,
                " The target's certificate (%s%s) plays no part: nobody validates it behind a TLS "
                "listener.",
                f->target_subject, f->target_self_signed ? ", self-signed" : "");
    else if (f->protocol == PROTOCOL_TLS)
        fputs(" What the target presents plays no part: nobody validates it behind a TLS listener.",
              t->out);
    else if (f->protocol == PROTOCOL_TCP)
        fputs(
            " A TCP listener passes TLS through: API Gateway and the target have one session, and "
            "the load balancer has no certificate in it.",
            t->out);
    else
        fputs(
            " Behind a TLS listener that is the listener's certificate, behind a TCP listener the "
            "target's (--listener-protocol tells which).",
            t->out);
}

/* What the reader of "no path" looks up next. */
static void print_issuer(const struct gateway_result *r, FILE *out)
{
    const struct cert_facts *top = r->chain.at[r->chain.n - 1];
    char issuer[512];

    if (r->chain.at[0]->self_issued) {
        fputs(" (it is self-signed)", out);
        return;
    }
    cert_name_text(top->issuer, CERT_STYLE_JAVA, issuer, sizeof issuer);
    fprintf(out, " (%zu certificate%s presented, the last %s %s)", r->chain.n,
            r->chain.n == 1 ? "" : "s", top->self_issued ? "is" : "is issued by", issuer);
}

static const char *verified_name(const struct teller *t)
{
    return t->task->verify_name != NULL ? t->task->verify_name : t->task->uri.host;
}

/* Without a server name the certificate cannot be chosen by it: which one is for it does not
 * matter. */
static void tell_no_sni(const struct teller *t, const char *why)
{
    const char *host = verified_name(t);

    fprintf(t->out,
            ". API Gateway sent no server name (SNI), for %s is a name that it does not send: %s. "
            "Whoever answers then presents the default certificate. Make the certificate for %s "
            "the default one, or change the uri to a host with a dot, of letters, digits and "
            "hyphens.",
            host, why, host);
}

static void tell_certificate(const struct teller *t)
{
    const struct gateway_result *r = t->r;
    const struct verdict *v = &r->verdict;
    const struct cert_facts *leaf = r->chain.n > 0 ? r->chain.at[0] : NULL;
    const struct cert_facts *at =
        v->index >= 0 && (size_t)v->index < r->chain.n ? r->chain.at[v->index] : leaf;
    const char *no_sni;

    fputs("API Gateway validated ", t->out);
    print_certificate(t, leaf);
    if (v->index > 0 && at != NULL && !v->is_anchor) {
        fputs(" and found fault with one above it, ", t->out);
        print_subject(at, t->out);
    }
    fputs(": ", t->out);
    print_what(v, at, t->out);
    if (v->code == VERDICT_NO_PATH && leaf != NULL)
        print_issuer(r, t->out);
    if (r->broke == BREAK_HOST_NAME)
        fprintf(t->out, ", %s", verified_name(t));
    no_sni = r->broke == BREAK_HOST_NAME ? gateway_sni_refusal(verified_name(t)) : NULL;
    if (no_sni != NULL)
        tell_no_sni(t, no_sni);
    else
        fprintf(t->out, ". %s", v->remedy);
    if (r->broke == BREAK_HOST_NAME && no_sni == NULL && t->far->protocol == PROTOCOL_TLS &&
        begins(t->far->served_rule, "default"))
        fprintf(t->out,
                " The listener served its default certificate, for none of its certificates fits "
                "the server name %s.",
                r->sni);
    tell_other_hop(t);
}

/* --- everything else --- */
static void tell_hint(const struct teller *t)
{
    const struct gateway_result *r = t->r;

    if (r->tls.cert_withheld) {
        fprintf(t->out,
                " It asked for a client certificate of one of %zu authorities, and none of them "
                "issued the stage's: a JDK then sends none. Let the server name (pin) the stage's "
                "certificate.",
                r->tls.cert_authorities);
        return;
    }
    if (r->tls.cert_requested && t->task->client_certificate == NULL) {
        fputs(" It asked for a client certificate, and there is none: attach one to the stage "
              "(--client-certificate), or stop requiring it.",
              t->out);
        return;
    }
    for (const struct hint *h = hints; h->alert != NULL; h++) {
        if (strcmp(h->alert, r->alert) == 0) {
            fputc(' ', t->out);
            tell(t, h->remedy);
        }
    }
}

/* The load balancer's own view of the flow, where it adds something. */
static void tell_flow(const struct teller *t)
{
    const struct far_side *f = t->far;

    if (!f->joined || f->end == END_COMPLETED || t->r->broke == BREAK_UNREACHABLE)
        return;
    fprintf(t->out, " The load balancer says of this flow (%lld): %s", f->flow, f->end_text);
    if (f->refused[0] != '\0')
        fprintf(t->out, " (%s)", f->refused);
    if (f->target[0] != '\0')
        fprintf(t->out, "; target %s of group %s", f->target, f->target_group);
    if (f->target_alert[0] != '\0' && strcmp(f->target_alert, "close_notify") != 0)
        fprintf(t->out, ", which sent the alert %s", f->target_alert);
    fputs(".", t->out);
    if (f->target_cert_requested)
        fputs(" The target asked for a client certificate; a load balancer presents none to its "
              "targets, whatever the stage has.",
              t->out);
    else if (f->end == END_TARGET_TLS_FAILED && !f->target_secured)
        fputs(" Match the target group's protocol with what the target speaks.", t->out);
}

static void tell_break(const struct teller *t)
{
    const struct remedy *m = &remedies[t->r->broke];
    const bool plain_on_tls = !t->task->uri.tls && t->far->protocol == PROTOCOL_TLS;

    tell(t, m->what);
    if (plain_on_tls && t->r->stage >= GATEWAY_REQUEST && t->r->broke != BREAK_ANSWER_TIMEOUT) {
        fputs(
            " The URI says http, and that listener expects TLS. Write https:// in the URI, or use "
            "a TCP listener.",
            t->out);
        return;
    }
    if (t->r->broke == BREAK_ALERT)
        tell_hint(t);
    if (m->remedy[0] != '\0') {
        fputc(' ', t->out);
        tell(t, m->remedy);
    }
    tell_flow(t);
}

static void tell_success(const struct teller *t)
{
    const struct gateway_result *r = t->r;
    const char *body = r->body != NULL ? (const char *)r->body : "";

    if (t->task->uri.tls && r->reused) {
        fputs(
            "The request went over a connection whose certificate API Gateway had accepted before",
            t->out);
    } else if (t->task->uri.tls) {
        fputs("API Gateway accepted ", t->out);
        print_certificate(t, r->chain.n > 0 ? r->chain.at[0] : NULL);
        if (t->task->insecure_skip)
            fputs(", without asking who issued it (insecureSkipVerification)", t->out);
    } else {
        fputs("No TLS on this hop, the URI says http", t->out);
    }
    fprintf(t->out, "; the target answered %u, and that is passed on.", r->status);
    if (r->status == 400 && strstr(body, "plain HTTP request was sent to HTTPS port") != NULL)
        fputs(" That page comes from a server that expects TLS and got plain HTTP: make the scheme "
              "of the URI, or the target group's protocol, fit the target.",
              t->out);
    if (!r->reused)
        tell_other_hop(t);
}

char *gateway_client_cert_note(const struct gateway_task *task, const struct gateway_result *r,
                               const struct far_side *far)
{
    const char *text = "";

    if (task->client_certificate == NULL || r->tls.version == 0 || r->tls.cert_withheld)
        text = "";
    else if (r->client_cert_sent)
        text = " The stage's client certificate was asked for and sent.";
    else if (far->protocol == PROTOCOL_TLS)
        text = " The stage's client certificate reached nobody: a TLS listener asks for none, and "
               "the load balancer presents none to its targets.";
    else if (!r->tls.cert_requested && r->tls.secured)
        text = " The stage's client certificate was not sent: nobody asked for one.";
    return strdup(text);
}

char *gateway_verdict(const struct gateway_task *task, const struct gateway_result *r,
                      const struct gateway_outcome *outcome, const struct far_side *far)
{
    char *text = NULL, *note = gateway_client_cert_note(task, r, far);
    size_t size = 0;
    struct teller t = { task, r, far, open_memstream(&text, &size) };
    bool bad;

    if (t.out == NULL || note == NULL) {
        free(note);
        return NULL;
    }
    if (outcome->ok)
        tell_success(&t);
    else if (r->broke == BREAK_CERTIFICATE || r->broke == BREAK_HOST_NAME)
        tell_certificate(&t);
    else
        tell_break(&t);
    fputs(note, t.out);
    free(note);
    bad = ferror(t.out) != 0;
    if (fclose(t.out) != 0 || bad) {
        free(text);
        return NULL;
    }
    return foreign_take(text);
}
