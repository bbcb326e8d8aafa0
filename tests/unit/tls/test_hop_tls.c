/* SPDX-License-Identifier: Apache-2.0
 * The TLS hop on real sockets: the peeked hello, the hello callback, alerts as they pass, ends and
 * failures. Several of these are the spike tests that docs/libraries.md points to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "tests/lib/hello.h"
#include "tests/lib/sockets.h"
#include "tests/lib/tlspair.h"
#include "tls/hop_tls.h"
#include "tls/tls_params.h"

static const struct tls_conf_params client_any = { .min_version = 0x0303, .max_version = 0x0304 };
static const struct tls_conf_params server_any = { .server = true,
                                                   .min_version = 0x0303,
                                                   .max_version = 0x0304 };

/* A server hop with a hello callback that the test directs, and the other end of its socket. */
struct bench {
    struct tls_conf *server_conf, *client_conf;
    struct hop *server;
    int peer;
    /* the hello callback's answer, and what it saw */
    struct hop_tls_answer answer;
    int asked;
    char sni[300];
    bool malformed;
};

static void hello_cb(void *arg, const struct tls_offer *offer, struct hop_tls_answer *out)
{
    struct bench *b = arg;

    b->asked++;
    b->malformed = offer->malformed != NULL;
    strncpy(b->sni, offer->sni == NULL ? "" : offer->sni, sizeof b->sni - 1);
    *out = b->answer;
}

static void set_up(struct bench *b, const struct tls_conf_params *server, const char *profile,
                   bool soften)
{
    const struct identity *cert = test_cert(profile);
    struct tls_conf_params s = *server, c = client_any;
    int fd[2];

    memset(b, 0, sizeof *b);
    sock_pair(fd, 0);
    b->peer = fd[1];
    s.library = tls_pair_library[1];
    c.library = tls_pair_library[0];
    b->server_conf = tls_conf_new(&s, NULL);
    b->client_conf = tls_conf_new(&c, NULL);
    assert_non_null(b->server_conf);
    assert_non_null(b->client_conf);
    b->answer.conf = b->server_conf;
    b->answer.identity.chain = cert->crt;
    b->answer.identity.key = cert->key;
    b->server = hop_tls_server_new(fd[0], hello_cb, NULL, soften);
    assert_non_null(b->server);
    hop_tls_set_arg(b->server, b);
}

static void tear_down(struct bench *b)
{
    hop_free(b->server, false);
    if (b->peer >= 0)
        close(b->peer);
    tls_conf_free(b->server_conf);
    tls_conf_free(b->client_conf);
}

static void handshake(struct hop *a, struct hop *b)
{
    enum hop_status sa = HOP_WANT_READ, sb = HOP_WANT_READ;

    for (int i = 0; i < 400 && (sa != HOP_OK || sb != HOP_OK); i++) {
        sa = hop_secure(a);
        sb = hop_secure(b);
        assert_int_not_equal(sa, HOP_FAILED);
        assert_int_not_equal(sb, HOP_FAILED);
        if (sa == HOP_WANT_READ && sb == HOP_WANT_READ)
            (void)poll(NULL, 0, 1);
    }
    assert_int_equal(sa, HOP_OK);
    assert_int_equal(sb, HOP_OK);
}

/* secure() until it says something other than "wait for the peer's bytes". */
static enum hop_status secure_fully(struct hop *h)
{
    enum hop_status st;

    for (int i = 0; i < 200; i++) {
        st = hop_secure(h);
        if (st != HOP_WANT_READ)
            return st;
        (void)poll(&(struct pollfd){ .fd = h->fd, .events = POLLIN }, 1, 5);
    }
    return st;
}

static enum hop_status read_fully(struct hop *h, void *buf, size_t size, size_t *got)
{
    enum hop_status st;

    for (int i = 0; i < 200; i++) {
        st = hop_read(h, buf, size, got);
        if (st != HOP_WANT_READ)
            return st;
        (void)poll(&(struct pollfd){ .fd = h->fd, .events = POLLIN }, 1, 5);
    }
    return st;
}

static struct hop_failure failure_of(struct hop *h)
{
    struct hop_failure f;

    h->ops->failure(h, &f);
    return f;
}

static void both_ends(void **state)
{
    static const char *const alpn[] = { "h2", NULL };

    (void)state;
    for (uint16_t v = 0x0303; v <= 0x0304; v++) {
        struct tls_conf_params c = client_any, s = server_any;
        const struct identity *cert = test_cert("valid");
        const struct tls_facts *f;
        struct tls_facts *kept;
        struct bench b;
        struct hop *client;
        char buf[64];
        size_t n;

        c.max_version = v;
        c.alpn = s.alpn = alpn;
        set_up(&b, &s, "valid", false);
        tls_conf_free(b.client_conf);
        b.client_conf = tls_conf_new(&c, NULL);
        client = hop_tls_client_new(b.peer, b.client_conf, "API.example.com", NULL);
        assert_non_null(client);
        b.peer = -1;
        assert_int_equal(client->ops->raw_fd(client), -1);
        handshake(client, b.server);
        assert_int_equal(b.asked, 1);
        assert_string_equal(b.sni, "API.example.com");
        f = hop_tls_facts(b.server);
        assert_true(f->secured);
        assert_true(f->has_offer);
        assert_int_equal(f->first, TLS_FIRST_HELLO);
        assert_int_equal(f->version, v);
        assert_int_not_equal(f->suite, 0);
        assert_int_not_equal(f->group, 0);
        assert_string_equal(f->alpn, "h2");
        assert_false(f->resumed);
        assert_false(f->alert_in.seen);
        assert_false(f->alert_out.seen);
        assert_true(f->secured_us >= f->hello_us && f->hello_us > 0);
        assert_int_equal(hop_tls_facts(client)->suite, f->suite);
        assert_int_equal(hop_tls_facts(client)->group, f->group);
        assert_int_equal(hop_tls_facts(client)->version, v);
        assert_string_equal(hop_tls_facts(client)->alpn, "h2");
        assert_int_equal(hop_tls_facts(client)->peer_chain.n, cert->chain.n);
        assert_int_equal(hop_write(client, "ping", 4, &n), HOP_OK);
        assert_int_equal(read_fully(b.server, buf, sizeof buf, &n), HOP_OK);
        assert_memory_equal(buf, "ping", 4);
        assert_int_equal(hop_write(b.server, "pong", 4, &n), HOP_OK);
        assert_int_equal(read_fully(client, buf, sizeof buf, &n), HOP_OK);
        /* The facts can outlive the hop; the hop goes on without. */
        kept = hop_tls_take_facts(client);
        assert_null(hop_tls_facts(client));
        assert_int_equal(hop_send_eof(client), HOP_OK);
        assert_int_equal(read_fully(b.server, buf, sizeof buf, &n), HOP_EOF);
        assert_true(hop_tls_facts(b.server)->closed_in_order);
        assert_int_equal(hop_send_eof(b.server), HOP_OK);
        assert_true(hop_tls_facts(b.server)->alert_out.seen);
        assert_int_equal(hop_tls_facts(b.server)->alert_out.level, 1);
        assert_int_equal(hop_tls_facts(b.server)->alert_out.number, TLS_ALERT_close_notify);
        assert_int_equal(read_fully(client, buf, sizeof buf, &n), HOP_EOF);
        hop_free(client, false);
        assert_int_equal(kept->peer_chain.n, cert->chain.n);
        tls_facts_free(kept);
        tear_down(&b);
    }
    tls_facts_free(NULL);
}

static void the_hello_callback_may_hold(void **state)
{
    struct bench b;
    struct hop *client;

    (void)state;
    set_up(&b, &server_any, "valid", false);
    b.answer.hold = true;
    client = hop_tls_client_new(b.peer, b.client_conf, NULL, NULL);
    b.peer = -1;
    assert_int_equal(hop_secure(client), HOP_WANT_READ);
    assert_int_equal(secure_fully(b.server), HOP_HELD);
    assert_int_equal(hop_secure(client), HOP_WANT_READ); /* nothing has been answered yet */
    assert_string_equal(b.sni, "");
    handshake(client, b.server); /* asking again goes on */
    assert_int_equal(b.asked, 1);
    hop_free(client, false);
    tear_down(&b);
}

static size_t make_hello(uint8_t *out, size_t size, size_t fragment)
{
    static const uint16_t suites[] = { TLS_SUITE_RSA_WITH_AES_128_GCM_SHA256, 0 };
    const struct hello_spec spec = { .suites = suites, .no_extensions = 1 };
    uint8_t body[512];
    size_t n = hello_body(&spec, body, sizeof body);

    return hello_records(body, n, fragment, out, size);
}

static void the_hello_callback_may_refuse(void **state)
{
    static const struct {
        uint8_t level, number;
    } rows[] = { { 2, TLS_ALERT_protocol_version }, { 1, TLS_ALERT_close_notify }, { 0, 0 } };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bench b;
        uint8_t hello[512], alert[7];
        size_t n = make_hello(hello, sizeof hello, 16384);

        set_up(&b, &server_any, "valid", true);
        b.answer =
            (struct hop_tls_answer){ .alert_level = rows[i].level, .alert_number = rows[i].number };
        sock_send(b.peer, hello, n);
        assert_int_equal(secure_fully(b.server), HOP_FAILED);
        assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_REFUSED);
        assert_true(failure_of(b.server).in_handshake);
        assert_int_equal(hop_secure(b.server), HOP_FAILED); /* and stays so */
        assert_int_equal(hop_tls_facts(b.server)->alert_out.seen, rows[i].level != 0);
        if (rows[i].level != 0) {
            const uint8_t want[7] = { 21, 3, 3, 0, 2, rows[i].level, rows[i].number };

            sock_recv(b.peer, alert, sizeof alert);
            assert_memory_equal(alert, want, sizeof want);
            assert_int_equal(hop_tls_facts(b.server)->alert_out.number, rows[i].number);
        }
        tear_down(&b);
    }
}

/* First record that the server answers: type, and alert level and number. */
static void answer_to(const uint8_t *hello, size_t n, const struct tls_conf_params *params,
                      uint8_t record[7])
{
    struct bench b;

    set_up(&b, params, "rsa-2048", false);
    sock_send(b.peer, hello, n);
    (void)secure_fully(b.server);
    sock_recv(b.peer, record, 7);
    tear_down(&b);
}

/* A hello without extensions is refused by mbedTLS with decode_error as soon as TLS 1.3 is enabled,
 * and served by a configuration with TLS 1.2 alone. */
static void hello_without_extensions(void **state)
{
    struct tls_conf_params only_12 = server_any;
    uint8_t hello[512], record[7];
    size_t n = make_hello(hello, sizeof hello, 16384);

    (void)state;
    answer_to(hello, n, &server_any, record);
    assert_int_equal(record[0], tls_pair_library[1] == TLS_LIBRARY_OPENSSL ? 22 : 21);
    assert_int_equal(record[5], 2); /* ServerHello, or a fatal alert */
    assert_true(record[0] == 22 || record[6] == TLS_ALERT_decode_error);
    only_12.max_version = 0x0303;
    answer_to(hello, n, &only_12, record);
    assert_int_equal(record[0], 22);
    assert_int_equal(record[5], 2); /* ServerHello */
}

/* Spike: the hello in records of any size, the first one too short for a handshake header; mbedTLS
 * gets it as one record. Both versions, and the handshake comes to its end: the transcript holds.
 */
static void fragmented_hello(void **state)
{
    static const size_t sizes[] = { 1, 2, 3, 4, 5, 64, 200 };

    (void)state;
    for (uint16_t v = 0x0303; v <= 0x0304; v++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct tls_conf_params c = client_any;
            struct tls_pair p;
            struct bench b;
            uint8_t pieces[16384];
            size_t n, got = 0;
            enum hop_status st;

            c.max_version = v;
            tls_pair_init(&p, &c, NULL, "valid");
            set_up(&b, &server_any, "valid", false);
            assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
            n = hello_records(p.up.at + 9, p.up.len - 9, sizes[i], pieces, sizeof pieces);
            for (size_t at = 0; at < n; at += 100) /* and the socket cuts elsewhere */
                sock_send(b.peer, pieces + at, n - at < 100 ? n - at : 100);
            p.up.len = 0;
            p.client_status = st = HOP_WANT_READ;
            for (int turn = 0; turn < 200 && p.client_status != HOP_OK; turn++) {
                uint8_t buf[4096];
                ssize_t r;

                if (st != HOP_OK)
                    st = hop_secure(b.server);
                assert_int_not_equal(st, HOP_FAILED);
                (void)sock_wait(b.peer, POLLIN);
                r = recv(b.peer, buf, sizeof buf, MSG_DONTWAIT);
                if (r > 0) {
                    struct mem_end down = { .out = &p.down };

                    assert_int_equal(mem_send(&down, buf, (size_t)r), r);
                }
                p.client_status = tls_engine_handshake(p.client);
                assert_int_not_equal(p.client_status, HOP_FAILED);
                if (p.up.len > 0)
                    sock_send(b.peer, p.up.at, p.up.len);
                p.up.len = 0;
            }
            if (st != HOP_OK)
                assert_int_equal(secure_fully(b.server), HOP_OK);
            assert_int_equal(hop_tls_facts(b.server)->version, v);
            assert_int_equal(tls_engine_write(p.client, "hi", 2, &got), HOP_OK);
            sock_send(b.peer, p.up.at, p.up.len);
            assert_int_equal(read_fully(b.server, pieces, sizeof pieces, &got), HOP_OK);
            assert_int_equal(got, 2);
            tls_pair_clear(&p);
            tear_down(&b);
        }
    }
}

/* What is no ClientHello: the cause, and what the peer is told. */
static void first_bytes_that_are_no_hello(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum tls_first first;
        uint8_t alert;
    } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", 18, TLS_FIRST_HTTP, TLS_ALERT_unexpected_message },
        { "SSH-2.0-OpenSSH_9.6\r\n", 21, TLS_FIRST_NOT_TLS, TLS_ALERT_unexpected_message },
        { "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", 32, TLS_FIRST_PROXY_V1,
          TLS_ALERT_unexpected_message },
        { "\x16\x03\x01\x00\x00\x16\x03\x01", 8, TLS_FIRST_MALFORMED, TLS_ALERT_decode_error },
    };

    (void)state;
    for (int soften = 0; soften < 2; soften++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct bench b;
            uint8_t alert[7];

            set_up(&b, &server_any, "valid", soften != 0);
            sock_send(b.peer, rows[i].bytes, rows[i].n);
            assert_int_equal(secure_fully(b.server), HOP_FAILED);
            assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_NOT_TLS);
            assert_int_equal(hop_tls_facts(b.server)->first, rows[i].first);
            assert_non_null(hop_tls_facts(b.server)->first_why);
            assert_false(hop_tls_facts(b.server)->has_offer);
            assert_int_equal(b.asked, 0);
            sock_recv(b.peer, alert, sizeof alert);
            assert_int_equal(alert[0], 21);
            assert_int_equal(alert[5], soften != 0 ? 1 : 2);
            assert_int_equal(alert[6], soften != 0 ? TLS_ALERT_close_notify : rows[i].alert);
            tear_down(&b);
        }
    }
}

static void an_alert_instead_of_a_hello(void **state)
{
    static const uint8_t alert[] = { 21, 3, 1, 0, 2, 2, TLS_ALERT_internal_error };
    struct bench b;

    (void)state;
    set_up(&b, &server_any, "valid", false);
    sock_send(b.peer, alert, sizeof alert);
    assert_int_equal(secure_fully(b.server), HOP_FAILED);
    assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_ALERT_IN);
    assert_int_equal(hop_tls_facts(b.server)->alert_in.number, TLS_ALERT_internal_error);
    assert_false(hop_tls_facts(b.server)->alert_in.encrypted);
    tear_down(&b);
}

static void closed_or_reset_before_and_inside_the_hello(void **state)
{
    uint8_t hello[512];
    size_t n = make_hello(hello, sizeof hello, 16384);

    (void)state;
    for (size_t sent = 0; sent < n; sent += n - 1) {
        for (int rst = 0; rst < 2; rst++) {
            struct bench b;

            set_up(&b, &server_any, "valid", false);
            if (sent > 0)
                sock_send(b.peer, hello, sent);
            if (rst)
                sock_reset(b.peer);
            else
                close(b.peer);
            b.peer = -1;
            assert_int_equal(secure_fully(b.server), HOP_FAILED);
            assert_int_equal(failure_of(b.server).cause, rst ? HOP_CAUSE_RESET : HOP_CAUSE_CLOSED);
            assert_true(failure_of(b.server).in_handshake);
            assert_false(hop_tls_facts(b.server)->has_offer);
            tear_down(&b);
        }
    }
}

/* A TLS 1.3 hello from the client engine is answered; the test goes on by hand. */
static void answered_hello(struct bench *b, struct tls_pair *p, uint16_t version, bool soften)
{
    struct tls_conf_params c = client_any;

    c.max_version = version;
    tls_pair_init(p, &c, NULL, "valid");
    set_up(b, &server_any, "valid", soften);
    assert_int_equal(tls_engine_handshake(p->client), HOP_WANT_READ);
    sock_send(b->peer, p->up.at, p->up.len);
    p->up.len = 0;
    assert_true(sock_wait(b->server->fd, POLLIN));
    assert_int_equal(hop_secure(b->server), HOP_WANT_READ);
}

/* Spike: OpenSSL's clients send their refusal in plaintext where TLS 1.3 expects a ciphertext.
 * mbedTLS speaks of an invalid MAC; the bytes that pass tell the truth. With FIN or RST behind it,
 * whole or in two pieces. */
static void plaintext_alert_in_tls13(void **state)
{
    static const uint8_t numbers[] = { TLS_ALERT_bad_certificate, TLS_ALERT_certificate_expired,
                                       TLS_ALERT_unknown_ca, TLS_ALERT_certificate_unknown };

    (void)state;
    for (uint16_t v = 0x0303; v <= 0x0304; v++) {
        for (size_t i = 0; i < 8; i++) {
            const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, numbers[i % 4] };
            struct bench b;
            struct tls_pair p;

            answered_hello(&b, &p, v, true);
            if (i < 4) {
                sock_send(b.peer, alert, sizeof alert);
            } else {
                sock_send(b.peer, alert, 3);
                assert_true(sock_wait(b.server->fd, POLLIN));
                assert_int_equal(hop_secure(b.server), HOP_WANT_READ);
                sock_send(b.peer, alert + 3, sizeof alert - 3);
            }
            close(b.peer);
            b.peer = -1;
            assert_int_equal(secure_fully(b.server), HOP_FAILED);
            assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_ALERT_IN);
            assert_true(failure_of(b.server).in_handshake);
            assert_true(hop_tls_facts(b.server)->alert_in.seen);
            assert_false(hop_tls_facts(b.server)->alert_in.encrypted);
            assert_int_equal(hop_tls_facts(b.server)->alert_in.level, 2);
            assert_int_equal(hop_tls_facts(b.server)->alert_in.number, numbers[i % 4]);
            assert_int_equal(hop_tls_facts(b.server)->version, v); /* from the ServerHello */
            tls_pair_clear(&p);
            tear_down(&b);
        }
    }
}

/* s2n's habit: what would be a fatal alert in plaintext goes out as close_notify; the record keeps
 * what it stands for. The prepared configuration here has no suite in common with the client. */
static void softened_alert(void **state)
{
    static const uint16_t suites[] = { TLS_SUITE_AES_256_GCM_SHA384,
                                       TLS_SUITE_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 };
    static const uint16_t others[] = { TLS_SUITE_AES_128_GCM_SHA256,
                                       TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 };

    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool soften = i % 2 != 0;
        struct tls_conf_params c = client_any, s = server_any;
        struct bench b;
        struct tls_pair p;
        const struct tls_facts *f;
        uint8_t buf[7];

        c.max_version = i / 2 == 0 ? 0x0303 : 0x0304;
        c.suites = suites;
        s.suites = others;
        c.n_suites = s.n_suites = 2;
        tls_pair_init(&p, &c, NULL, "valid");
        set_up(&b, &s, "valid", soften);
        assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
        sock_send(b.peer, p.up.at, p.up.len);
        assert_int_equal(secure_fully(b.server), HOP_FAILED);
        assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_ALERT_OUT);
        f = hop_tls_facts(b.server);
        assert_true(f->alert_out.seen);
        assert_false(f->alert_out.encrypted);
        sock_recv(b.peer, buf, sizeof buf);
        assert_int_equal(buf[0], 21);
        assert_int_equal(buf[5], soften ? 1 : 2);
        assert_int_equal(buf[6], soften ? TLS_ALERT_close_notify : TLS_ALERT_handshake_failure);
        assert_int_equal(f->alert_out.level, buf[5]);
        assert_int_equal(f->alert_out.number, buf[6]);
        assert_int_equal(f->alert_meant, soften ? TLS_ALERT_handshake_failure : 0);
        tls_pair_clear(&p);
        tear_down(&b);
    }
}

/* A failure after the handshake is not one of the handshake, however often one asks. */
static void a_failure_keeps_its_place(void **state)
{
    struct bench b;
    struct hop *client;
    char buf[16];
    size_t n;

    (void)state;
    set_up(&b, &server_any, "valid", false);
    client = hop_tls_client_new(b.peer, b.client_conf, NULL, NULL);
    b.peer = -1;
    handshake(client, b.server);
    hop_free(client, true);
    assert_int_equal(read_fully(b.server, buf, sizeof buf, &n), HOP_FAILED);
    assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_RESET);
    assert_false(failure_of(b.server).in_handshake);
    (void)hop_read(b.server, buf, sizeof buf, &n);
    (void)hop_write(b.server, "x", 1, &n);
    (void)hop_write(b.server, "x", 1, &n);
    assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_RESET);
    assert_false(failure_of(b.server).in_handshake);
    tear_down(&b);
}

/* A client that judges after its handshake: an encrypted alert as the first record of the relay. */
static void refusal_after_the_handshake(void **state)
{
    struct bench b;
    struct hop *client;
    char buf[16];
    size_t n;

    (void)state;
    set_up(&b, &server_any, "valid", false);
    client = hop_tls_client_new(b.peer, b.client_conf, NULL, NULL);
    b.peer = -1;
    handshake(client, b.server);
    hop_tls_send_alert(client, TLS_ALERT_certificate_unknown);
    hop_free(client, false);
    assert_int_equal(read_fully(b.server, buf, sizeof buf, &n), HOP_FAILED);
    assert_int_equal(failure_of(b.server).cause, HOP_CAUSE_ALERT_IN);
    assert_false(failure_of(b.server).in_handshake);
    assert_true(hop_tls_facts(b.server)->alert_in.encrypted);
    assert_int_equal(hop_tls_facts(b.server)->alert_in.number, TLS_ALERT_certificate_unknown);
    tear_down(&b);
}

static void reset_is_seen_as_reset(void **state)
{
    struct bench b;
    struct hop *client;
    int end;

    (void)state;
    set_up(&b, &server_any, "valid", false);
    client = hop_tls_client_new(b.peer, b.client_conf, NULL, NULL);
    handshake(client, b.server);
    b.peer = dup(client->fd); /* to look at it after the hop has closed its own */
    hop_free(client, false);
    hop_free(b.server, true);
    b.server = NULL;
    while ((end = sock_ending(b.peer)) == -1) {
        char drop[512];

        (void)recv(b.peer, drop, sizeof drop, 0);
    }
    assert_int_equal(end, ECONNRESET);
    tear_down(&b);
}

static int free_certs(void **state)
{
    (void)state;
    test_certs_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends),
        cmocka_unit_test(the_hello_callback_may_hold),
        cmocka_unit_test(the_hello_callback_may_refuse),
        cmocka_unit_test(hello_without_extensions),
        cmocka_unit_test(fragmented_hello),
        cmocka_unit_test(first_bytes_that_are_no_hello),
        cmocka_unit_test(an_alert_instead_of_a_hello),
        cmocka_unit_test(closed_or_reset_before_and_inside_the_hello),
        cmocka_unit_test(plaintext_alert_in_tls13),
        cmocka_unit_test(softened_alert),
        cmocka_unit_test(a_failure_keeps_its_place),
        cmocka_unit_test(refusal_after_the_handshake),
        cmocka_unit_test(reset_is_seen_as_reset),
    };

    return TLS_PAIR_RUN_ALL(tests, free_certs);
}
