/* SPDX-License-Identifier: Apache-2.0
 * What is seen of TLS sessions that pass through a TCP listener. */
#include "flow/observe_tls.h"

#include <stdlib.h>
#include <string.h>

#include "flow/splice.h"
#include "targets/validating_client.h"
#include "tls/tls_wire.h"

#define RECORD_HANDSHAKE 22

struct flow_observer {
    struct tls_hello_reader reader;
    struct tls_sniffer up, down;
    struct tls_offer offer;
    bool reading; /* the ClientHello is not whole yet */
    bool has_offer;
};

void observer_begin(struct flow *f)
{
    /* Who does not ask for events does not pay for them. */
    f->watching =
        f->plan->observe_tls && f->plan->protocol == PROTOCOL_TCP && flow_env_wants_chain(f->env);
}

void observer_end(struct flow *f)
{
    f->watching = false;
    if (f->plan->relay == FLOW_RELAY_SPLICE)
        f->up.splicing = f->down.splicing = splice_possible(f->front.hop, f->back.hop);
    if (f->observer != NULL && !f->observer->has_offer)
        observer_free(f);
}

void observer_free(struct flow *f)
{
    struct flow_observer *s = f->observer;

    if (s == NULL)
        return;
    f->observer = NULL;
    tls_hello_reader_clear(&s->reader);
    tls_sniffer_clear(&s->up);
    tls_sniffer_clear(&s->down);
    if (s->has_offer)
        tls_offer_clear(&s->offer);
    free(s);
}

/* Is everything that this direction will still say encrypted? */
static bool all_seen(const struct tls_sniffer *s)
{
    return (s->seen &
            (TLS_SAW_APP_DATA | TLS_SAW_ENCRYPTED | TLS_SAW_NOT_TLS | TLS_SAW_MALFORMED)) != 0;
}

static void read_hello(struct flow_observer *s, const uint8_t *data, size_t n)
{
    enum tls_first verdict = tls_hello_reader_feed(&s->reader, data, n);

    if (verdict == TLS_FIRST_MORE)
        return;
    s->reading = false;
    if (verdict == TLS_FIRST_HELLO) {
        s->has_offer = true;
        (void)tls_offer_parse(&s->offer, s->reader.body, s->reader.body_len);
    }
    tls_hello_reader_clear(&s->reader);
}

static struct flow_observer *observer_new(void)
{
    struct flow_observer *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    tls_hello_reader_init(&s->reader);
    tls_sniffer_init(&s->up);
    tls_sniffer_init(&s->down);
    tls_sniffer_pair(&s->up, &s->down);
    s->reading = true;
    return s;
}

void observer_see(struct flow *f, bool from_client, const uint8_t *data, size_t n)
{
    struct flow_observer *s = f->observer;

    if (s == NULL) {
        /* A server that speaks first, or a client whose first byte is no handshake record: no TLS.
         */
        if (from_client && data[0] == RECORD_HANDSHAKE)
            s = f->observer = observer_new();
        if (s == NULL) {
            observer_end(f);
            return;
        }
    }
    if (from_client && s->reading)
        read_hello(s, data, n);
    (void)tls_sniffer_feed(from_client ? &s->up : &s->down, data, n);
    if ((!s->reading && !s->has_offer) || (all_seen(&s->up) && all_seen(&s->down)))
        observer_end(f);
}

const char *observer_server_name(const struct flow *f)
{
    return f->observer != NULL && f->observer->has_offer ? f->observer->offer.sni : NULL;
}

/* --- what is reported --- */
static void note_alert(const struct tls_sniffer *s, struct tls_alert *out)
{
    if (s->alerts == 0)
        return;
    *out = (struct tls_alert){
        .seen = true,
        .level = s->alert_level,
        .number = s->alert_number,
    };
}

/* TLS 1.2 shows the target's certificates; TLS 1.3 encrypts them. */
static void note_chain(const struct flow *f, const struct tls_sniffer *s,
                       struct record_observed *out)
{
    struct tls_chain chain = { 0 };
    const uint8_t *der;
    size_t len;

    for (size_t i = 0; (der = tls_sniffer_cert(s, i, &len)) != NULL; i++)
        tls_chain_add(&chain, der, len);
    if (chain.presented > 0) {
        back_describe_chain(&chain, &out->chain);
        if (f->plan->judge != NULL)
            validating_client(f->plan->judge, &chain, out->offer.sni, &out->judgement);
    }
    tls_chain_clear(&chain);
}

/* What a client may say after its handshake that is no request: close_notify, in an AEAD suite. */
#define FAREWELL_MAX 40
/* The body of an encrypted alert in TLS 1.3: two octets, the inner type, the tag. A Finished is
 * longer. */
#define ALERT_13_BODY 19

/* The server had said all that a client judges, and nothing had failed by then. */
static bool server_flight_passed(const struct tls_sniffer *down)
{
    return down->alerts == 0 &&
           (down->seen & (down->version == TLS_1_3 ? TLS_SAW_APP_DATA : TLS_SAW_HELLO_DONE)) != 0;
}

static void note_silence(const struct flow *f, const struct flow_observer *s,
                         struct record_observed *out)
{
    const struct tls_sniffer *up = &s->up;

    if (up->first_encrypted_len == 0) {
        out->unfinished = up->alerts == 0 && server_flight_passed(&s->down) &&
                          (f->up.eof_in || f->record.end == END_CLIENT_RESET);
        return;
    }
    out->alert_by_size = out->version == TLS_1_3 && up->first_encrypted_len == ALERT_13_BODY;
    out->silent_client = !out->alert_by_size && f->up.bytes >= up->first_encrypted_end &&
                         f->up.bytes - up->first_encrypted_end <= FAREWELL_MAX;
}

void observer_report(struct flow *f)
{
    struct flow_observer *s = f->observer;
    struct record_observed *out = s == NULL || !s->has_offer ? NULL : calloc(1, sizeof *out);

    f->record.observed = out;
    if (out != NULL) {
        out->offer = s->offer; /* the record owns it now */
        s->has_offer = false;
        out->version = s->down.version;
        out->suite = s->down.suite;
        out->group = s->down.group;
        out->resumed = s->down.psk_accepted || s->down.session_resumed_hint;
        out->certificate_requested = (s->down.seen & TLS_SAW_CERT_REQUEST) != 0;
        memcpy(out->alpn, s->down.alpn, sizeof out->alpn);
        note_silence(f, s, out);
        note_alert(&s->up, &out->from_client);
        note_alert(&s->down, &out->from_target);
        note_chain(f, &s->down, out);
    }
    observer_free(f);
}
