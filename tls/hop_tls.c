/* SPDX-License-Identifier: Apache-2.0
 * A hop with TLS on a socket, server or client. */
#include "tls/hop_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/sock.h"
#include "tls/tls_library.h"

#define PEEK_CHUNK 4096
/* RFC 8446 5.1. */
#define RECORD_MAX 16384

/* Needed until the first application data has been read, then freed. */
struct handshake {
    struct tls_hello_reader reader;
    struct tls_sniffer in, out;
};

enum stage { STAGE_PEEK, STAGE_HELD, STAGE_HANDSHAKE, STAGE_SECURED, STAGE_FAILED };

struct hop_tls {
    struct hop hop;
    enum stage stage;
    bool server, soften;
    struct tls_engine *engine;
    struct handshake *hs;
    struct tls_facts *facts; /* NULL after hop_tls_take_facts() */
    struct hop_failure failure;
    hop_tls_hello_cb hello_cb;
    void *hello_arg;
};

void tls_facts_free(struct tls_facts *f)
{
    if (f == NULL)
        return;
    if (f->has_offer)
        tls_offer_clear(&f->offer);
    tls_chain_clear(&f->peer_chain);
    free(f);
}

/* --- the socket --- */
static ssize_t io_recv(void *arg, void *buf, size_t n)
{
    struct hop_tls *t = arg;
    return hop_sys_recv(&t->hop, buf, n);
}

static ssize_t io_send(void *arg, const void *buf, size_t n)
{
    struct hop_tls *t = arg;

    return hop_sys_send(&t->hop, buf, n);
}

static void note_alert(struct tls_alert *a, uint8_t level, uint8_t number, bool encrypted)
{
    a->seen = true;
    a->level = level;
    a->number = number;
    a->encrypted = encrypted;
}

/* s2n answers most handshake errors with a close_notify. An alert in plaintext is a record of two
 * bytes; OpenSSL sends it in one piece with what stood before it. */
static void soften_alert(struct hop_tls *t, uint8_t *data, size_t n)
{
    while (n >= 5) {
        size_t record = 5 + ((size_t)data[3] << 8 | data[4]);

        if (record == 7 && n >= record && data[0] == 21 && data[5] == 2 &&
            data[6] != TLS_ALERT_protocol_version && data[6] != TLS_ALERT_inappropriate_fallback) {
            t->facts->alert_meant = data[6];
            data[5] = 1;
            data[6] = TLS_ALERT_close_notify;
        }
        data += record < n ? record : n;
        n -= record < n ? record : n;
    }
}

static void tap(void *arg, bool incoming, uint8_t *data, size_t n)
{
    struct hop_tls *t = arg;
    struct tls_sniffer *s = incoming ? &t->hs->in : &t->hs->out;
    unsigned saw;

    if (t->facts == NULL)
        return;
    if (!incoming && t->soften && !t->hs->out.encrypted)
        soften_alert(t, data, n);
    for (size_t i = 0; incoming && i < n && t->facts->n_first_bytes < sizeof t->facts->first_bytes;
         i++)
        t->facts->first_bytes[t->facts->n_first_bytes++] = data[i];
    saw = tls_sniffer_feed(s, data, n);
    if (saw & TLS_SAW_ALERT)
        note_alert(incoming ? &t->facts->alert_in : &t->facts->alert_out, s->last_alert_level,
                   s->last_alert_number, false);
    if ((saw & TLS_SAW_CERT_REQUEST) && incoming)
        t->facts->cert_requested = true;
}

/* What the ServerHello chose, also where the handshake failed after it. */
static void note_server_hello(struct hop_tls *t)
{
    const struct tls_sniffer *hello = t->server ? &t->hs->out : &t->hs->in;

    if (!(hello->seen & TLS_SAW_SERVER_HELLO))
        return;
    t->facts->version = hello->version;
    t->facts->suite = hello->suite;
    t->facts->group = hello->group;
    t->facts->resumed = hello->psk_accepted || hello->session_resumed_hint;
}

/* --- failure, in one place --- */
static enum hop_status failed(struct hop_tls *t)
{
    bool in_handshake = t->stage != STAGE_SECURED;

    if (t->stage == STAGE_FAILED)
        return HOP_FAILED; /* the first failure is the one to tell of */
    if (t->engine != NULL && t->failure.cause == HOP_CAUSE_NONE)
        tls_engine_failure(t->engine, &t->failure);
    t->failure.in_handshake = in_handshake;
    t->stage = STAGE_FAILED;
    if (t->facts == NULL)
        return HOP_FAILED;
    if (in_handshake && t->hs != NULL)
        note_server_hello(t);
    t->facts->tls_error = t->failure.tls_error;
    if (!t->server && in_handshake && t->hs != NULL && (t->hs->in.seen & TLS_SAW_NOT_TLS) &&
        (t->failure.cause == HOP_CAUSE_TLS || t->failure.cause == HOP_CAUSE_ALERT_OUT))
        t->failure.cause = HOP_CAUSE_NOT_TLS;
    if (t->failure.cause == HOP_CAUSE_ALERT_IN) {
        uint8_t level, number;

        if (!t->facts->alert_in.seen && t->engine != NULL) {
            tls_engine_alert_in(t->engine, &level, &number);
            note_alert(&t->facts->alert_in, level, number, true);
        }
    } else if (t->facts->alert_in.seen && t->facts->alert_in.level == 2 &&
               t->failure.cause != HOP_CAUSE_REFUSED) {
        /* OpenSSL's clients send it in plaintext where mbedTLS expects a ciphertext: the library
         * speaks of an invalid MAC, or of nothing but the close that followed. */
        t->failure.cause = HOP_CAUSE_ALERT_IN;
    } else if (t->failure.cause == HOP_CAUSE_TLS && t->facts->alert_out.seen) {
        t->failure.cause = HOP_CAUSE_ALERT_OUT; /* TLS 1.2's code path keeps no note of its own */
    }
    if (t->failure.cause == HOP_CAUSE_ALERT_OUT && !t->facts->alert_out.seen && t->engine != NULL)
        note_alert(&t->facts->alert_out, 2, tls_engine_alert_out(t->engine), true);
    return HOP_FAILED;
}

static enum hop_status fail_with(struct hop_tls *t, enum hop_cause cause)
{
    t->failure.cause = cause;
    return failed(t);
}

/* --- the ClientHello --- */
static void send_alert(struct hop_tls *t, uint8_t level, uint8_t number)
{
    uint8_t record[7] = { 21, 3, 3, 0, 2, level, number };

    if (hop_sys_send(&t->hop, record, sizeof record) == (ssize_t)sizeof record)
        note_alert(&t->facts->alert_out, level, number, false);
}

/* The hello's message in records, in as few as can be: in one, which is all that mbedTLS takes,
 * unless it is too large. The last one also announces the `in_record` bytes that came, or will
 * come, behind it. Returns the end. */
static uint8_t *write_records(const struct tls_hello_reader *r, const uint8_t *message, size_t left,
                              uint8_t *at)
{
    while (left > 0) {
        bool last = left + r->in_record <= RECORD_MAX;
        size_t piece = last ? left : left > RECORD_MAX ? RECORD_MAX : left - 1;
        size_t record = last ? left + r->in_record : piece;

        memcpy(at,
               (uint8_t[]){ 22, (uint8_t)(r->record_version >> 8), (uint8_t)r->record_version,
                            (uint8_t)(record >> 8), (uint8_t)record },
               5);
        memcpy(at + 5, message, piece);
        at += 5 + piece;
        message += piece;
        left -= piece;
    }
    return at;
}

/* Give the engine the hello anew, and what came after it. */
static int replay(struct hop_tls *t)
{
    const struct tls_hello_reader *r = &t->hs->reader;
    size_t n = 4 + r->body_len;
    uint8_t *message = malloc(n);
    uint8_t *all = malloc(5 * (n / RECORD_MAX + 2) + n + r->rest_len);
    uint8_t *end;
    int rc = -1;

    if (message != NULL && all != NULL) {
        memcpy(message,
               (uint8_t[]){ 1, (uint8_t)(r->body_len >> 16), (uint8_t)(r->body_len >> 8),
                            (uint8_t)r->body_len },
               4);
        memcpy(message + 4, r->body, r->body_len);
        end = write_records(r, message, n, all);
        if (r->rest_len > 0)
            memcpy(end, r->rest, r->rest_len);
        rc = tls_engine_replay(t->engine, all, (size_t)(end - all) + r->rest_len);
    }
    free(message);
    free(all);
    return rc;
}

static enum hop_status start_engine(struct hop_tls *t, const struct hop_tls_answer *answer)
{
    t->engine = tls_engine_new(&(struct tls_io){ io_recv, io_send, tap, t });
    if (t->engine == NULL ||
        tls_engine_start(t->engine, answer->conf, &answer->identity, NULL, NULL) != 0 ||
        replay(t) != 0)
        return fail_with(t, HOP_CAUSE_TLS);
    tls_hello_reader_clear(&t->hs->reader);
    t->facts->library = tls_engine_library(t->engine);
    t->stage = answer->hold ? STAGE_HELD : STAGE_HANDSHAKE;
    return answer->hold ? HOP_HELD : HOP_OK;
}

static enum hop_status got_hello(struct hop_tls *t)
{
    const struct tls_hello_reader *r = &t->hs->reader;
    struct hop_tls_answer answer = { 0 };

    t->facts->hello_us = clock_mono_us();
    t->facts->has_offer = true;
    (void)tls_offer_parse(&t->facts->offer, r->body, r->body_len); /* `malformed` says the rest */
    t->hello_cb(t->hello_arg, &t->facts->offer, &answer);
    if (answer.conf != NULL && 4 + r->body_len > answer.conf->library->message_max) {
        t->facts->first = TLS_FIRST_TOO_LARGE;
        send_alert(t, t->soften ? 1 : 2,
                   t->soften ? TLS_ALERT_close_notify : TLS_ALERT_internal_error);
        return fail_with(t, HOP_CAUSE_NOT_TLS);
    }
    if (answer.conf != NULL)
        return start_engine(t, &answer);
    if (answer.alert_level != 0) {
        t->facts->alert_meant = answer.alert_meant;
        send_alert(t, answer.alert_level, answer.alert_number);
    }
    return fail_with(t, HOP_CAUSE_REFUSED);
}

static enum hop_status not_a_hello(struct hop_tls *t, enum tls_first verdict)
{
    const struct tls_hello_reader *r = &t->hs->reader;

    t->facts->first = verdict;
    t->facts->first_why = r->why != NULL ? r->why : tls_first_text(verdict);
    if (verdict == TLS_FIRST_ALERT) {
        note_alert(&t->facts->alert_in, r->alert_level, r->alert_number, false);
        return fail_with(t, HOP_CAUSE_ALERT_IN);
    }
    send_alert(t, t->soften ? 1 : 2,
               t->soften                        ? TLS_ALERT_close_notify
               : verdict == TLS_FIRST_MALFORMED ? TLS_ALERT_decode_error
                                                : TLS_ALERT_unexpected_message);
    return fail_with(t, HOP_CAUSE_NOT_TLS);
}

static enum hop_status peek(struct hop_tls *t)
{
    uint8_t chunk[PEEK_CHUNK];

    for (;;) {
        ssize_t n = io_recv(t, chunk, sizeof chunk);
        enum tls_first verdict;

        if (n == 0)
            return fail_with(t, HOP_CAUSE_CLOSED);
        if (n < 0) {
            enum hop_status st = hop_from_errno(errno, true, &t->failure);

            return st == HOP_FAILED ? failed(t) : st;
        }
        (void)tls_sniffer_feed(&t->hs->in, chunk, (size_t)n);
        verdict = tls_hello_reader_feed(&t->hs->reader, chunk, (size_t)n);
        if (verdict == TLS_FIRST_MORE)
            continue;
        t->facts->first = verdict;
        return verdict == TLS_FIRST_HELLO ? got_hello(t) : not_a_hello(t, verdict);
    }
}

/* --- the seam --- */
static void note_secured(struct hop_tls *t)
{
    const char *alpn = tls_engine_alpn(t->engine);

    t->stage = STAGE_SECURED;
    if (t->facts == NULL)
        return;
    t->facts->secured = true;
    t->facts->secured_us = clock_mono_us();
    note_server_hello(t);
    /* What the library agreed on counts: it reads a ServerHello in a record of any version (RFC
     * 8446 5.1), the sniffer takes that for no TLS. */
    t->facts->version = tls_engine_version(t->engine);
    t->facts->suite = tls_engine_suite(t->engine);
    t->facts->verify_flags = tls_engine_verify_flags(t->engine);
    if (alpn != NULL)
        strncpy(t->facts->alpn, alpn, sizeof t->facts->alpn - 1);
}

static void take_peer_chain(struct hop_tls *t)
{
    struct tls_chain *chain = tls_engine_peer_chain(t->engine);

    if (t->facts == NULL || chain->presented == 0)
        return;
    tls_chain_clear(&t->facts->peer_chain);
    t->facts->peer_chain = *chain;
    memset(chain, 0, sizeof *chain);
}

static void note_hop_cert_request(struct hop_tls *t)
{
    const struct tls_cert_request *request = tls_engine_cert_request(t->engine);

    if (t->facts == NULL || !request->seen)
        return;
    t->facts->cert_requested = true;
    t->facts->cert_withheld = request->withheld;
    t->facts->cert_authorities = request->authorities;
}

static enum hop_status tls_secure(struct hop *h)
{
    struct hop_tls *t = (struct hop_tls *)h;
    enum hop_status st;

    if (t->stage == STAGE_SECURED)
        return HOP_OK;
    if (t->stage == STAGE_FAILED)
        return HOP_FAILED;
    if (t->stage == STAGE_PEEK) {
        st = peek(t);
        if (st != HOP_OK)
            return st;
    }
    t->stage = STAGE_HANDSHAKE;
    st = tls_engine_handshake(t->engine);
    take_peer_chain(t);
    note_hop_cert_request(t);
    if (st == HOP_OK)
        note_secured(t);
    else if (st == HOP_FAILED)
        return failed(t);
    return st;
}

/* The handshake's books are closed once the peer has sent data of its own. */
static void drop_handshake(struct hop_tls *t)
{
    if (t->hs == NULL)
        return;
    if (t->engine != NULL)
        tls_engine_set_tap(t->engine, NULL);
    tls_hello_reader_clear(&t->hs->reader);
    tls_sniffer_clear(&t->hs->in);
    tls_sniffer_clear(&t->hs->out);
    free(t->hs);
    t->hs = NULL;
}

static enum hop_status tls_read(struct hop *h, void *buf, size_t size, size_t *got)
{
    struct hop_tls *t = (struct hop_tls *)h;
    enum hop_status st = tls_engine_read(t->engine, buf, size, got);

    if (st == HOP_OK) {
        drop_handshake(t);
    } else if (st == HOP_EOF) {
        /* A refusal in plaintext can be followed by the FIN that mbedTLS reports. */
        if (t->facts != NULL && t->facts->alert_in.seen && t->facts->alert_in.level == 2)
            return failed(t);
        if (t->facts != NULL)
            t->facts->closed_in_order = tls_engine_closed_in_order(t->engine);
    } else if (st == HOP_FAILED) {
        return failed(t);
    }
    return st;
}

static enum hop_status tls_write(struct hop *h, const void *data, size_t n, size_t *put)
{
    struct hop_tls *t = (struct hop_tls *)h;
    enum hop_status st = tls_engine_write(t->engine, data, n, put);

    return st == HOP_FAILED ? failed(t) : st;
}

static size_t tls_pending(const struct hop *h)
{
    const struct hop_tls *t = (const struct hop_tls *)h;

    return t->engine == NULL ? 0 : tls_engine_pending(t->engine);
}

static enum hop_status tls_flush(struct hop *h)
{
    struct hop_tls *t = (struct hop_tls *)h;

    return t->engine == NULL ? HOP_OK : tls_engine_flush(t->engine);
}

static enum hop_status tls_send_eof(struct hop *h)
{
    struct hop_tls *t = (struct hop_tls *)h;

    if (t->engine != NULL && tls_engine_close_notify(t->engine) == HOP_WANT_WRITE)
        return HOP_WANT_WRITE;
    if (t->facts != NULL && t->stage == STAGE_SECURED && !t->facts->alert_out.seen)
        note_alert(&t->facts->alert_out, 1, TLS_ALERT_close_notify, true);
    if (shutdown(h->fd, SHUT_WR) != 0 && errno != ENOTCONN)
        return hop_from_errno(errno, false, &t->failure);
    return HOP_OK;
}

static int tls_raw_fd(struct hop *h)
{
    (void)h;
    return -1;
}

static void tls_failure(const struct hop *h, struct hop_failure *out)
{
    *out = ((const struct hop_tls *)h)->failure;
}

static void tls_free(struct hop *h, bool reset)
{
    struct hop_tls *t = (struct hop_tls *)h;

    drop_handshake(t);
    tls_engine_free(t->engine);
    tls_facts_free(t->facts);
    if (h->fd >= 0) {
        if (reset)
            sock_reset_on_close(h->fd);
        close(h->fd);
    }
    free(t);
}

static const struct hop_ops tls_ops = {
    .secure = tls_secure,
    .read = tls_read,
    .write = tls_write,
    .pending = tls_pending,
    .send_eof = tls_send_eof,
    .flush = tls_flush,
    .raw_fd = tls_raw_fd,
    .failure = tls_failure,
    .free = tls_free,
};

static struct hop_tls *hop_new(int fd)
{
    struct hop_tls *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->hop.ops = &tls_ops;
    t->hop.fd = -1;
    t->facts = calloc(1, sizeof *t->facts);
    t->hs = calloc(1, sizeof *t->hs);
    if (t->facts == NULL || t->hs == NULL) {
        free(t->facts);
        free(t->hs);
        free(t);
        return NULL;
    }
    t->hop.fd = fd;
    tls_hello_reader_init(&t->hs->reader);
    tls_sniffer_init(&t->hs->in);
    tls_sniffer_init(&t->hs->out);
    tls_sniffer_pair(&t->hs->in, &t->hs->out);
    return t;
}

struct hop *hop_tls_server_new(int fd, hop_tls_hello_cb hello_cb, void *arg, bool soften)
{
    struct hop_tls *t = hop_new(fd);

    if (t == NULL)
        return NULL;
    t->server = true;
    t->soften = soften;
    t->hello_cb = hello_cb;
    t->hello_arg = arg;
    t->stage = STAGE_PEEK;
    return &t->hop;
}

struct hop *hop_tls_client_new(int fd, const struct tls_conf *conf, const char *host_name,
                               const struct tls_identity *identity)
{
    struct hop_tls *t = hop_new(fd);

    if (t == NULL)
        return NULL;
    t->stage = STAGE_HANDSHAKE;
    t->engine = tls_engine_new(&(struct tls_io){ io_recv, io_send, tap, t });
    if (t->engine == NULL || tls_engine_start(t->engine, conf, identity, host_name, NULL) != 0) {
        t->hop.fd = -1; /* still the caller's */
        tls_free(&t->hop, false);
        return NULL;
    }
    t->facts->library = tls_engine_library(t->engine);
    return &t->hop;
}

void hop_tls_set_verify(struct hop *h, int (*verify)(void *arg, const struct tls_presented *p),
                        void *arg)
{
    tls_engine_set_verify(((struct hop_tls *)h)->engine, verify, arg);
}

void hop_tls_set_hello_max(struct hop *h, size_t bytes)
{
    ((struct hop_tls *)h)->hs->reader.max = bytes;
}

void hop_tls_set_arg(struct hop *h, void *arg)
{
    ((struct hop_tls *)h)->hello_arg = arg;
}

void hop_tls_send_alert(struct hop *h, uint8_t number)
{
    struct hop_tls *t = (struct hop_tls *)h;

    if (t->engine == NULL || t->stage != STAGE_SECURED) {
        send_alert(t, 2, number);
        return;
    }
    if (tls_engine_send_alert(t->engine, number) == 0 && t->facts != NULL)
        note_alert(&t->facts->alert_out, 2, number, true);
}

const struct tls_facts *hop_tls_facts(const struct hop *h)
{
    return h->ops == &tls_ops ? ((const struct hop_tls *)h)->facts : NULL;
}

struct tls_facts *hop_tls_take_facts(struct hop *h)
{
    struct hop_tls *t = (struct hop_tls *)h;
    struct tls_facts *f;

    if (h == NULL || h->ops != &tls_ops)
        return NULL;
    f = t->facts;
    t->facts = NULL;
    return f;
}
