/* SPDX-License-Identifier: Apache-2.0
 * TLS hops over memory that do the same at every run. */
#include "tests/fuzz/lib/tls_bench.h"

#include <errno.h>
#include <mbedtls/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "tls/tls_conf.h"
#include "tls/tls_params.h"
#include "tls/tls_tickets.h"

#define NOW         1795000000
#define NOTES       4096
#define CHANGED_MAX 8192 /* octets of a message that is changed, and after it */
#define OUT_ENOUGH  ((size_t)1 << 20)

/* libFuzzer counts these as if they were edges of code. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t notes[NOTES];

void bench_note(unsigned what)
{
    uint8_t *note = &notes[what * 2654435761u >> 20];

    if (*note < 255)
        (*note)++;
}

/* --- random numbers and clocks (--wrap) --- */
static struct {
    uint64_t state[3];
    unsigned who;
} turn;

void bench_turn(unsigned who)
{
    turn.who = who;
}

void bench_restart(void)
{
    for (unsigned i = 0; i < 3; i++)
        turn.state[i] = i + 1;
}

int __wrap_mbedtls_ctr_drbg_random(void *ctx, unsigned char *out, size_t n);
int __wrap_mbedtls_ctr_drbg_random(void *ctx, unsigned char *out, size_t n)
{
    uint64_t *s = &turn.state[turn.who];

    (void)ctx;
    for (size_t i = 0; i < n; i++) { /* splitmix64, an octet of each */
        uint64_t z = *s += 0x9e3779b97f4a7c15;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        out[i] = (unsigned char)((z ^ (z >> 27)) >> 24);
    }
    return 0;
}

/* OpenSSL's: what libssl and the making of keys ask for. */
int __wrap_RAND_bytes_ex(void *ctx, unsigned char *out, size_t n, unsigned strength);
int __wrap_RAND_bytes_ex(void *ctx, unsigned char *out, size_t n, unsigned strength)
{
    (void)strength;
    return __wrap_mbedtls_ctr_drbg_random(ctx, out, n) == 0;
}

int __wrap_RAND_priv_bytes_ex(void *ctx, unsigned char *out, size_t n, unsigned strength);
int __wrap_RAND_priv_bytes_ex(void *ctx, unsigned char *out, size_t n, unsigned strength)
{
    (void)strength;
    return __wrap_mbedtls_ctr_drbg_random(ctx, out, n) == 0;
}

time_t __wrap_time(time_t *out);
time_t __wrap_time(time_t *out)
{
    if (out != NULL)
        *out = NOW;
    return NOW;
}

int64_t __wrap_mbedtls_ms_time(void);
int64_t __wrap_mbedtls_ms_time(void)
{
    return (int64_t)NOW * 1000;
}

/* --- messages before they are encrypted (--wrap) --- */
static struct {
    void (*change)(void *arg, uint8_t type, uint8_t *body, size_t *n, size_t room);
    void *arg;
    bool of_server;
} changer;

void bench_change(bool of_server,
                  void (*change)(void *arg, uint8_t type, uint8_t *body, size_t *n, size_t room),
                  void *arg)
{
    changer.of_server = of_server;
    changer.change = arg == NULL ? NULL : change;
    changer.arg = arg;
}

static size_t changed(mbedtls_ssl_context *ssl, size_t whole)
{
    uint8_t *message = ssl->MBEDTLS_PRIVATE(out_msg);
    size_t n = whole - 4;

    if (changer.change == NULL || turn.who != changer.of_server || whole < 4 || whole > CHANGED_MAX)
        return whole;
    changer.change(changer.arg, message[0], message + 4, &n, CHANGED_MAX);
    return n + 4;
}

/* TLS 1.2, and the ClientHello: the transcript is taken of what was changed. */
int __wrap_mbedtls_ssl_write_handshake_msg_ext(mbedtls_ssl_context *ssl, int checksum, int flush);
int __real_mbedtls_ssl_write_handshake_msg_ext(mbedtls_ssl_context *ssl, int checksum, int flush);
int __wrap_mbedtls_ssl_write_handshake_msg_ext(mbedtls_ssl_context *ssl, int checksum, int flush)
{
    if (ssl->MBEDTLS_PRIVATE(out_msgtype) == MBEDTLS_SSL_MSG_HANDSHAKE)
        ssl->MBEDTLS_PRIVATE(out_msglen) = changed(ssl, ssl->MBEDTLS_PRIVATE(out_msglen));
    return __real_mbedtls_ssl_write_handshake_msg_ext(ssl, checksum, flush);
}

/* TLS 1.3: the transcript was taken before. Who reads it gets as far as the next proof. */
int __wrap_mbedtls_ssl_finish_handshake_msg(mbedtls_ssl_context *ssl, size_t room, size_t whole);
int __real_mbedtls_ssl_finish_handshake_msg(mbedtls_ssl_context *ssl, size_t room, size_t whole);
int __wrap_mbedtls_ssl_finish_handshake_msg(mbedtls_ssl_context *ssl, size_t room, size_t whole)
{
    return __real_mbedtls_ssl_finish_handshake_msg(ssl, room, changed(ssl, whole));
}

bool bench_edit(struct bytes *script, uint8_t *at, size_t *n, size_t room)
{
    uint8_t op = bytes_u8(script);
    size_t where = bytes_u16(script), arg = bytes_u8(script), left;
    struct bytes more = bytes_take(script, op % 6 == 3 && arg <= script->left ? arg : 0);

    if (script->bad)
        return false;
    where = *n == 0 ? 0 : where % *n;
    left = *n - where;
    switch (op % 6) {
    case 0:
        if (left > 0)
            at[where] = (uint8_t)arg;
        break;
    case 1:
        if (left > 0)
            at[where] ^= (uint8_t)arg;
        break;
    case 2:
        arg = arg < left ? arg : left;
        memmove(at + where, at + where + arg, left - arg);
        *n -= arg;
        break;
    case 3:
    case 4:
        arg = op % 6 == 3 ? more.left : arg < left ? arg : left;
        if (arg > room || *n > room - arg)
            break;
        memmove(at + where + arg, at + where, left);
        if (op % 6 == 3 && arg > 0)
            memcpy(at + where, more.at, arg);
        *n += arg;
        break;
    default:
        *n = where;
    }
    return true;
}

/* --- the wire --- */
void bench_wire_put(struct bench_wire *w, const void *data, size_t n)
{
    if (w->n + n > w->room) {
        w->room = 2 * (w->n + n) + 1024;
        w->at = realloc(w->at, w->room);
        if (w->at == NULL)
            abort();
    }
    if (n > 0)
        memcpy(w->at + w->n, data, n);
    w->n += n;
}

void bench_wire_clear(struct bench_wire *w)
{
    free(w->at);
    memset(w, 0, sizeof *w);
}

static ssize_t wire_recv(void *arg, int fd, void *buf, size_t n)
{
    struct bench_wire *w = ((struct bench_hop *)arg)->in;

    (void)fd;
    if (w->taken == w->n) {
        errno = w->end > 0 ? w->end : EAGAIN;
        return w->end < 0 ? 0 : -1;
    }
    n = n > w->n - w->taken ? w->n - w->taken : n;
    n = w->piece != 0 && n > w->piece ? w->piece : n;
    memcpy(buf, w->at + w->taken, n);
    w->taken += n;
    return (ssize_t)n;
}

static ssize_t wire_send(void *arg, int fd, const void *buf, size_t n)
{
    struct bench_wire *w = ((struct bench_hop *)arg)->out;

    (void)fd;
    if (w->n > OUT_ENOUGH) /* nobody may be made to talk without an end */
        abort();
    bench_wire_put(w, buf, n);
    return (ssize_t)n;
}

/* --- what both sides have --- */
static struct {
    const struct identity *server[2], *client;
    struct tls_tickets *tickets;
    struct tls_conf *confs[2][2][256];
    enum tls_library library[2]; /* the client's, the server's */
} kit;

void bench_libraries(enum tls_library client, enum tls_library server)
{
    kit.library[0] = client;
    kit.library[1] = server;
}

static const struct identity *issue(struct cert_lab *lab, const char *spec)
{
    struct err err = { 0 };
    const struct identity *i = identity_load(spec, NULL, lab, &err);

    if (i == NULL)
        abort();
    return i;
}

static void make_kit(void)
{
    struct err err = { 0 };
    struct cert_lab *lab;

    if (kit.client != NULL)
        return;
    if (tls_init(&err) != 0 || (lab = cert_lab_new("fuzz", NOW, &err)) == NULL)
        abort();
    kit.server[0] = issue(lab, "lab:valid/api.example.com");
    kit.server[1] = issue(lab, "lab:rsa-2048/api.example.com");
    kit.client = issue(lab, "lab:client/fuzz");
    kit.tickets = tls_tickets_new(7200, &err);
    if (kit.tickets == NULL)
        abort();
    cert_lab_free(lab);
}

static const struct tls_conf *conf_of(bool server, uint8_t bits)
{
    static const uint16_t plain_rsa = 0x009c; /* TLS_RSA_WITH_AES_128_GCM_SHA256 */
    unsigned versions = bits & BENCH_VERSIONS;
    struct tls_conf **conf = &kit.confs[kit.library[server]][server][bits];
    struct err err = { 0 };
    struct tls_conf_params p = {
        .library = kit.library[server],
        .server = server,
        .min_version = versions == 0 ? 0x0304 : 0x0303,
        .max_version = versions == 0 || versions == 3 ? 0x0304 : 0x0303,
        .suites = versions == 2 ? &plain_rsa : NULL,
        .n_suites = versions == 2,
        .client_auth =
            !server || !(bits & BENCH_ASK) ? TLS_CLIENT_AUTH_NONE : TLS_CLIENT_AUTH_REQUEST,
        .client_ca = server && (bits & BENCH_ASK) ? kit.client->crt : NULL,
        .tickets = server && (bits & BENCH_TICKETS) ? kit.tickets : NULL,
        .judged = !server,
        .own_chain = !server && (bits & BENCH_CERT) ? kit.client->crt : NULL,
        .own_key = !server && (bits & BENCH_CERT) ? kit.client->key : NULL,
    };

    if (*conf == NULL && (*conf = tls_conf_new(&p, &err)) == NULL)
        abort();
    return *conf;
}

/* --- one hop --- */
static void hello_cb(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    struct bench_hop *h = arg;
    const struct identity *i =
        kit.server[(h->bits & BENCH_RSA) != 0 || (h->bits & BENCH_VERSIONS) == 2];

    if (h->asked++ > 0)
        abort();
    if (offer->malformed != NULL) {
        out->alert_level = 2;
        out->alert_number = TLS_ALERT_decode_error;
        return;
    }
    out->conf = conf_of(true, h->bits);
    out->identity = (struct tls_identity){ .chain = i->crt, .key = i->key };
    out->hold = h->bits & BENCH_SOFTEN;
}

static int verify_cb(void *arg, const struct tls_presented *p)
{
    struct bench_hop *h = arg;
    size_t bytes = 0;

    h->asked++;
    for (size_t i = 0; i < p->chain->n; i++)
        bytes += p->chain->at[i].len;
    if (p->chain->n > p->chain->presented || bytes != p->chain->bytes)
        abort();
    return h->bits & BENCH_REFUSE ? TLS_ALERT_unknown_ca : 0;
}

static void make_hop(struct bench_hop *h, int fd)
{
    h->hop = h->server ? hop_tls_server_new(fd, hello_cb, h, h->bits & BENCH_SOFTEN)
                       : hop_tls_client_new(fd, conf_of(false, h->bits), "api.example.com", NULL);
    if (h->hop == NULL)
        abort();
    if (!h->server)
        hop_tls_set_verify(h->hop, verify_cb, h);
}

void bench_hop_start(struct bench_hop *h, bool server, uint8_t bits, struct bench_wire *in,
                     struct bench_wire *out)
{
    make_kit();
    *h = (struct bench_hop){
        .io = { wire_recv, wire_send, h }, .in = in, .out = out, .server = server, .bits = bits
    };
    make_hop(h, -1);
    h->hop->io = &h->io;
}

void bench_hop_on(struct bench_hop *h, bool server, uint8_t bits, int fd)
{
    make_kit();
    *h = (struct bench_hop){ .server = server, .bits = bits };
    make_hop(h, fd);
}

/* What must hold of a hop, whatever its peer did. */
static void check(const struct bench_hop *h, enum hop_status st)
{
    const struct tls_facts *f = hop_tls_facts(h->hop);
    struct hop_failure why;

    h->hop->ops->failure(h->hop, &why);
    if ((st == HOP_FAILED) != (why.cause != HOP_CAUSE_NONE))
        abort();
    if (f->secured && (f->version < TLS_1_2 || f->version > TLS_1_3 || f->suite == 0))
        abort();
    if (memchr(f->alpn, '\0', sizeof f->alpn) == NULL || f->n_first_bytes > sizeof f->first_bytes)
        abort();
    if (why.cause == HOP_CAUSE_ALERT_IN && !f->alert_in.seen)
        abort();
    bench_note((unsigned)why.cause << 8 | (unsigned)h->server << 5 | f->secured);
    bench_note((unsigned)-why.tls_error);
    bench_note(0x10000u | f->alert_in.number | (unsigned)f->alert_out.number << 8);
    bench_note(0x20000u | f->version);
}

static enum hop_status read_all(struct bench_hop *h)
{
    uint8_t buf[4096];
    size_t got = 0, put;
    enum hop_status st;

    while ((st = hop_read(h->hop, buf, sizeof buf, &got)) == HOP_OK) {
        if (got == 0 || got > sizeof buf)
            abort();
        if (h->server && (st = hop_write(h->hop, buf, got, &put)) == HOP_FAILED)
            break;
    }
    return st;
}

bool bench_hop_go(struct bench_hop *h)
{
    enum hop_status st;
    bool held = false;

    turn.who = h->server;
    while ((st = hop_secure(h->hop)) == HOP_HELD) {
        if (held)
            abort();
        held = true;
    }
    if (st == HOP_OK)
        st = read_all(h);
    check(h, st);
    return st == HOP_FAILED || st == HOP_EOF;
}

void bench_hop_end(struct bench_hop *h)
{
    turn.who = h->server;
    (void)hop_send_eof(h->hop);
    hop_free(h->hop, false);
    h->hop = NULL;
}

/* --- both sides --- */
bool bench_pair_run(uint8_t bits, struct bench_wire *up, struct bench_wire *down)
{
    struct bench_hop client, server;
    bool client_over = false, server_over = false, said = false, secured;
    size_t before, put;

    bench_restart();
    bench_hop_start(&client, false, bits, down, up);
    bench_hop_start(&server, true, bits, up, down);
    do {
        before = up->n + down->n;
        client_over = client_over || bench_hop_go(&client);
        server_over = server_over || bench_hop_go(&server);
        if (before == up->n + down->n && !client_over && !said &&
            hop_tls_facts(client.hop)->secured) {
            said = true;
            turn.who = 0;
            (void)hop_write(client.hop, "ping", 4, &put);
        }
    } while (before != up->n + down->n);
    secured = hop_tls_facts(client.hop)->secured && hop_tls_facts(server.hop)->secured;
    bench_hop_end(&client);
    if (!server_over)
        (void)bench_hop_go(&server);
    bench_hop_end(&server);
    return secured;
}

const struct bench_wire *bench_recorded(bool by_server, uint8_t bits, bool *secured)
{
    static struct run {
        bool made, secured;
        struct bench_wire up, down;
    } runs[4][256];
    struct run *run = &runs[kit.library[0] * 2 + kit.library[1]][bits];

    make_kit();
    if (!run->made) {
        run->made = true;
        /* Once before, for what is made at first need and takes random numbers. */
        (void)bench_pair_run(bits, &run->up, &run->down);
        bench_wire_clear(&run->up);
        bench_wire_clear(&run->down);
        run->secured = bench_pair_run(bits, &run->up, &run->down);
    }
    if (secured != NULL)
        *secured = run->secured;
    bench_restart();
    return by_server ? &run->down : &run->up;
}
