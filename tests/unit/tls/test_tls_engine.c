/* SPDX-License-Identifier: Apache-2.0
 * TLS over two byte streams: two engines back to back, with every way in which bytes can be late.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/lib/hello.h"
#include "tests/lib/tlspair.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"
#include "tls/tls_random.h"
#include "tls/tls_tickets.h"

static const struct tls_conf_params only[2][2] = {
    { { .min_version = 0x0303, .max_version = 0x0303 },
      { .server = true, .min_version = 0x0303, .max_version = 0x0303 } },
    { { .min_version = 0x0304, .max_version = 0x0304 },
      { .server = true, .min_version = 0x0304, .max_version = 0x0304 } },
};

static void start(struct tls_pair *p, size_t version, const char *profile)
{
    tls_pair_init(p, &only[version][0], &only[version][1], profile);
}

static void handshake_and_facts(void **state)
{
    static const char *const profiles[] = { "valid", "rsa-2048", "ecdsa-384" };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < 3; i++) {
            const struct identity *cert = test_cert(profiles[i]);
            struct tls_pair p;
            struct tls_chain *chain;

            start(&p, v, profiles[i]);
            assert_int_equal(tls_engine_suite(p.client), 0);
            assert_null(tls_engine_alpn(p.client));
            assert_true(tls_pair_handshake(&p));
            assert_int_equal(tls_engine_version(p.client), v == 0 ? 0x0303 : 0x0304);
            assert_int_equal(tls_engine_version(p.server), v == 0 ? 0x0303 : 0x0304);
            assert_int_not_equal(tls_engine_suite(p.client), 0);
            assert_int_equal(tls_engine_suite(p.client), tls_engine_suite(p.server));
            assert_null(tls_engine_alpn(p.server));
            chain = tls_engine_peer_chain(p.client);
            assert_int_equal(chain->n, cert->chain.n);
            assert_int_equal(chain->presented, cert->chain.n);
            for (size_t c = 0; c < chain->n; c++) {
                assert_int_equal(chain->at[c].len, cert->chain.at[c]->der.len);
                assert_memory_equal(chain->at[c].der, cert->chain.at[c]->der.at, chain->at[c].len);
            }
            assert_int_equal(tls_engine_peer_chain(p.server)->presented, 0);
            tls_pair_send(&p, true, 100, 1);
            tls_pair_send(&p, false, 100, 2);
            /* Every byte was shown to the tap, in both directions. */
            assert_int_equal(p.client_end.tapped_out, p.server_end.tapped_in);
            assert_int_equal(p.server_end.tapped_out, p.client_end.tapped_in + p.down.len);
            tls_pair_clear(&p);
        }
    }
}

/* One byte per call, EAGAIN at every other: no place in the handshake or after it may mind. */
static void late_at_every_byte(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;

        start(&p, v, "valid");
        p.client_end.recv_max = p.client_end.send_max = 1;
        p.server_end.recv_max = p.server_end.send_max = 1;
        p.client_end.hiccup = p.server_end.hiccup = true;
        assert_true(tls_pair_handshake(&p));
        tls_pair_send(&p, true, 3000, 3);
        tls_pair_send(&p, false, 3000, 4);
        tls_pair_clear(&p);
    }
}

/* The "socket buffer" holds a few bytes only: the engine keeps the rest, nothing is lost. */
static void tiny_socket_buffers(void **state)
{
    static const size_t rooms[] = { 1, 5, 7, 100, 1460 };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
            struct tls_pair p;

            start(&p, v, "valid");
            p.up.room = p.down.room = rooms[i];
            assert_true(tls_pair_handshake(&p));
            tls_pair_send(&p, true, 40000, 5);
            tls_pair_send(&p, false, 40000, 6);
            tls_pair_clear(&p);
        }
    }
}

static void large_transfers(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        p.up.room = p.down.room = 70000;
        p.client_end.recv_max = 3333;
        p.server_end.recv_max = 17000;
        tls_pair_send(&p, true, 3 << 20, 7);
        tls_pair_send(&p, false, 3 << 20, 8);
        tls_pair_clear(&p);
    }
}

/* What WANT_WRITE promises: nothing was taken; what was taken before goes out by flush alone. */
static void a_full_socket_takes_nothing_more(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        uint8_t data[20000] = { 42 }, buf[20000];
        size_t put = 0, got = 0, sum = 0;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        p.up.len = 0;
        p.up.room = 1000;
        assert_int_equal(tls_engine_write(p.client, data, sizeof data, &put), HOP_OK);
        assert_in_range(put, 1, sizeof data);
        for (int i = 0; i < 3; i++) {
            size_t more = 0;

            assert_int_equal(tls_engine_write(p.client, data, sizeof data, &more), HOP_WANT_WRITE);
            assert_int_equal(more, 0);
            assert_int_equal(tls_engine_flush(p.client), HOP_WANT_WRITE);
        }
        /* A read on that engine must say the same, or the peer would wait for ever. */
        p.down.len = 0;
        assert_int_equal(tls_engine_read(p.client, buf, sizeof buf, &got), HOP_WANT_WRITE);
        p.up.room = 0;
        assert_int_equal(tls_engine_flush(p.client), HOP_OK);
        while (sum < put && tls_engine_read(p.server, buf, sizeof buf, &got) == HOP_OK)
            sum += got;
        assert_int_equal(sum, put);
        tls_pair_clear(&p);
    }
}

static void alpn_in_the_servers_order(void **state)
{
    static const char *const client[] = { "http/1.1", "h2", NULL };
    static const char *const server[] = { "h2", "http/1.1", NULL };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_conf_params c = only[v][0], s = only[v][1];
        struct tls_pair p;

        c.alpn = client;
        s.alpn = server;
        tls_pair_init(&p, &c, &s, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_string_equal(tls_engine_alpn(p.client), "h2");
        assert_string_equal(tls_engine_alpn(p.server), "h2");
        tls_pair_clear(&p);
    }
}

static void close_notify_is_an_end_in_order(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        uint8_t buf[64];
        size_t got;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        tls_pair_send(&p, true, 10, 1);
        assert_int_equal(tls_engine_close_notify(p.client), HOP_OK);
        assert_int_equal(tls_engine_close_notify(p.client), HOP_OK); /* once is enough */
        p.up.fin = true;
        assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_EOF);
        assert_true(tls_engine_closed_in_order(p.server));
        /* The other direction stays open. */
        tls_pair_send(&p, false, 5000, 2);
        tls_pair_clear(&p);
    }
}

static void close_notify_waits_for_room(void **state)
{
    struct tls_pair p;
    uint8_t buf[64];
    size_t got;

    (void)state;
    start(&p, 1, "valid");
    assert_true(tls_pair_handshake(&p));
    p.up.len = 0;
    p.up.room = 3;
    assert_int_equal(tls_engine_close_notify(p.client), HOP_WANT_WRITE);
    p.up.room = 0;
    assert_int_equal(tls_engine_close_notify(p.client), HOP_OK);
    assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_EOF);
    assert_true(tls_engine_closed_in_order(p.server));
    tls_pair_clear(&p);
}

/* FIN without close_notify, between records and inside one. */
static void truncation_is_an_end_out_of_order(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t cut = 0; cut < 2; cut++) {
            struct tls_pair p;
            uint8_t buf[64];
            size_t got = 0, put;

            start(&p, v, "valid");
            assert_true(tls_pair_handshake(&p));
            if (cut == 1) {
                assert_int_equal(tls_engine_write(p.client, "hello", 5, &put), HOP_OK);
                p.up.len--;
            }
            p.up.fin = true;
            assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_EOF);
            assert_int_equal(got, 0);
            assert_false(tls_engine_closed_in_order(p.server));
            tls_pair_clear(&p);
        }
    }
}

static void reset_is_a_reset(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        struct hop_failure f;
        uint8_t buf[64];
        size_t got;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        p.up.error = ECONNRESET;
        assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_int_equal(f.cause, HOP_CAUSE_RESET);
        assert_int_equal(f.sys_errno, ECONNRESET);
        assert_int_equal(f.tls_error, 0);
        assert_false(f.in_handshake);
        tls_pair_clear(&p);
        start(&p, v, "valid");
        p.up.error = ETIMEDOUT;
        assert_int_equal(tls_engine_handshake(p.server), HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_int_equal(f.cause, HOP_CAUSE_ERRNO);
        assert_int_equal(f.sys_errno, ETIMEDOUT);
        assert_true(f.in_handshake);
        tls_pair_clear(&p);
    }
}

static void fin_inside_the_handshake(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        struct hop_failure f;

        start(&p, v, "valid");
        assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
        assert_int_equal(tls_engine_handshake(p.server), HOP_WANT_READ);
        p.up.fin = true;
        assert_int_equal(tls_engine_handshake(p.server), HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_int_equal(f.cause, HOP_CAUSE_CLOSED);
        assert_true(f.in_handshake);
        tls_pair_clear(&p);
    }
}

/* Server and client share no suite: who sends the alert, who receives it, with its number. */
static void alerts_go_both_ways(void **state)
{
    static const uint16_t aes128[] = { TLS_SUITE_AES_128_GCM_SHA256,
                                       TLS_SUITE_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 };
    static const uint16_t aes256[] = { TLS_SUITE_AES_256_GCM_SHA384,
                                       TLS_SUITE_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_conf_params c = only[v][0], s = only[v][1];
        struct tls_pair p;
        struct hop_failure f;
        uint8_t level, number;

        c.suites = aes128;
        s.suites = aes256;
        c.n_suites = s.n_suites = 2;
        tls_pair_init(&p, &c, &s, "valid");
        assert_false(tls_pair_handshake(&p));
        assert_int_equal(p.server_status, HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_true(f.cause == HOP_CAUSE_ALERT_OUT || f.cause == HOP_CAUSE_TLS);
        assert_true(f.in_handshake);
        assert_int_not_equal(f.tls_error, 0);
        assert_int_equal(p.client_status, HOP_FAILED);
        tls_engine_failure(p.client, &f);
        assert_int_equal(f.cause, HOP_CAUSE_ALERT_IN);
        tls_engine_alert_in(p.client, &level, &number);
        assert_int_equal(level, 2);
        assert_int_equal(number, TLS_ALERT_handshake_failure);
        tls_pair_clear(&p);
        /* The other way: the client refuses the server's signature scheme. */
        start(&p, v, NULL);
        assert_false(tls_pair_handshake(&p));
        tls_pair_clear(&p);
    }
}

static void alerts_after_the_handshake(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        struct hop_failure f;
        uint8_t buf[64], level, number;
        size_t got;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_int_equal(tls_engine_send_alert(p.client, TLS_ALERT_certificate_expired), 0);
        assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_int_equal(f.cause, HOP_CAUSE_ALERT_IN);
        assert_false(f.in_handshake);
        tls_engine_alert_in(p.server, &level, &number);
        assert_int_equal(level, 2);
        assert_int_equal(number, TLS_ALERT_certificate_expired);
        tls_pair_clear(&p);
    }
}

/* A peer that says why and closes: our next send fails, but the reason is there to be read. */
static void the_alert_behind_a_failed_send_is_read(void **state)
{
    static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, TLS_ALERT_unknown_ca };
    static const int errors[] = { EPIPE, ECONNRESET };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < 2; i++) {
            struct tls_pair p;
            struct hop_failure f;
            uint8_t level, number;

            start(&p, v, "valid");
            assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
            p.server_end.send_error = errors[i];
            memcpy(p.up.at + p.up.len, alert, sizeof alert); /* grown to twice its content */
            p.up.len += sizeof alert;
            p.up.fin = true;
            assert_int_equal(tls_engine_handshake(p.server), HOP_FAILED);
            tls_engine_failure(p.server, &f);
            if (v == 0 || tls_pair_library[1] == TLS_LIBRARY_OPENSSL) {
                assert_int_equal(f.cause, HOP_CAUSE_ALERT_IN);
                tls_engine_alert_in(p.server, &level, &number);
                assert_int_equal(number, TLS_ALERT_unknown_ca);
            } else {
                /* In plaintext where TLS 1.3 expects a ciphertext: mbedTLS cannot tell it from a
                 * broken record. Only the bytes that pass can (see test_hop_tls.c). */
                assert_int_equal(f.cause, HOP_CAUSE_TLS);
                assert_int_equal(f.tls_error, MBEDTLS_ERR_SSL_INVALID_MAC);
            }
            tls_pair_clear(&p);
        }
    }
}

static void a_failed_send_with_nothing_to_read(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        struct hop_failure f;
        size_t put;

        start(&p, v, "valid");
        assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
        p.server_end.send_error = EPIPE;
        assert_int_equal(tls_engine_handshake(p.server), HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_int_equal(f.cause, HOP_CAUSE_RESET);
        assert_true(f.in_handshake);
        tls_pair_clear(&p);
        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        p.client_end.send_error = ECONNRESET;
        (void)tls_engine_write(p.client, "x", 1, &put);
        assert_int_equal(tls_engine_write(p.client, "x", 1, &put), HOP_FAILED);
        tls_engine_failure(p.client, &f);
        assert_int_equal(f.cause, HOP_CAUSE_RESET);
        assert_false(f.in_handshake);
        tls_pair_clear(&p);
    }
}

/* The hello that was read before the engine existed, in any cut. */
static void replayed_bytes_come_first(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t cut = 1; cut < 200; cut += 13) {
            struct tls_pair p;
            uint8_t peeked[200];

            start(&p, v, "valid");
            assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
            assert_true(p.up.len > cut);
            memcpy(peeked, p.up.at, cut);
            memmove(p.up.at, p.up.at + cut, p.up.len - cut);
            p.up.len -= cut;
            assert_int_equal(tls_engine_replay(p.server, peeked, cut), 0);
            assert_true(tls_pair_handshake(&p));
            tls_pair_send(&p, true, 100, 1);
            tls_pair_clear(&p);
        }
    }
}

/* Several records at once: what one call leaves is there for the next, without the socket. */
static void pending_tells_of_bytes_inside(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        uint8_t buf[8];
        size_t put, got;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        tls_pair_send(&p, false, 1, 1); /* takes TLS 1.3's tickets, if any, out of the way */
        for (int i = 0; i < 3; i++)
            assert_int_equal(tls_engine_write(p.client, "0123456789", 10, &put), HOP_OK);
        assert_int_equal(tls_engine_pending(p.server), 0);
        assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_OK);
        assert_int_equal(p.up.len, 0); /* one read took all from the socket */
        assert_true(tls_engine_pending(p.server) >= 2);
        for (size_t sum = got; sum < 30; sum += got)
            assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_OK);
        assert_int_equal(tls_engine_pending(p.server), 0);
        assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_WANT_READ);
        tls_pair_clear(&p);
    }
}

/* A record that was changed on its way fails, and says that it is not the peer's alert. */
static void changed_bytes_fail(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        struct hop_failure f;
        uint8_t buf[64], level, number;
        size_t put, got;

        start(&p, v, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_int_equal(tls_engine_write(p.client, "hello", 5, &put), HOP_OK);
        p.up.at[p.up.len - 1] ^= 1;
        assert_int_equal(tls_engine_read(p.server, buf, sizeof buf, &got), HOP_FAILED);
        tls_engine_failure(p.server, &f);
        assert_true(f.cause == HOP_CAUSE_TLS || f.cause == HOP_CAUSE_ALERT_OUT);
        assert_int_equal(tls_error_trouble(f.tls_error), TLS_TROUBLE_MAC);
        tls_engine_alert_in(p.server, &level, &number);
        assert_int_equal(level, 0);
        tls_pair_clear(&p);
    }
}

/* --- resumption: the client is a bare mbedTLS session, as the engine's own never resumes --- */
struct bare_client {
    mbedtls_ssl_config conf;
    mbedtls_ssl_context ssl;
};

static int bare_send(void *arg, const unsigned char *data, size_t n)
{
    ssize_t sent = mem_send(arg, data, n);

    return sent < 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)sent;
}

static int bare_recv(void *arg, unsigned char *buf, size_t n)
{
    ssize_t got = mem_recv(arg, buf, n);

    return got < 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int)got;
}

static void bare_start(struct bare_client *c, struct tls_pair *p, size_t v)
{
    mbedtls_ssl_config_init(&c->conf);
    mbedtls_ssl_init(&c->ssl);
    assert_int_equal(mbedtls_ssl_config_defaults(&c->conf, MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(&c->conf, tls_random, NULL);
    mbedtls_ssl_conf_authmode(&c->conf, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_max_tls_version(&c->conf, v == 0 ? MBEDTLS_SSL_VERSION_TLS1_2
                                                      : MBEDTLS_SSL_VERSION_TLS1_3);
    mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
        &c->conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
    mbedtls_ssl_conf_tls13_key_exchange_modes(&c->conf, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_ALL);
    assert_int_equal(mbedtls_ssl_setup(&c->ssl, &c->conf), 0);
    assert_int_equal(mbedtls_ssl_set_hostname(&c->ssl, "api.example.com"), 0);
    mbedtls_ssl_set_bio(&c->ssl, &p->client_end, bare_send, bare_recv, NULL);
}

/* One connection; `session` is used when `resume`, and taken for the next. Was it resumed? */
static bool bare_connection(const struct tls_conf_params *server, size_t v,
                            mbedtls_ssl_session *session, bool resume)
{
    struct bare_client c;
    struct tls_pair p;
    bool resumed;
    unsigned char buf[16];
    int rc = MBEDTLS_ERR_SSL_WANT_READ;
    enum hop_status st = HOP_WANT_READ;

    tls_pair_init(&p, NULL, server, "valid");
    bare_start(&c, &p, v);
    if (resume)
        assert_int_equal(mbedtls_ssl_set_session(&c.ssl, session), 0);
    mbedtls_ssl_session_free(session);
    mbedtls_ssl_session_init(session);
    for (int i = 0; i < 20 && (rc != 0 || st != HOP_OK); i++) {
        if (rc != 0)
            rc = mbedtls_ssl_handshake(&c.ssl);
        if (st != HOP_OK)
            st = tls_engine_handshake(p.server);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(st, HOP_OK);
    /* TLS 1.3: the first call answers WANT_READ though the ticket is there, the next one tells. */
    for (int i = 0; i < 6; i++) {
        if (mbedtls_ssl_read(&c.ssl, buf, sizeof buf) ==
            MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            assert_int_equal(mbedtls_ssl_get_session(&c.ssl, session), 0);
    }
    if (v == 0)
        assert_int_equal(mbedtls_ssl_get_session(&c.ssl, session), 0);
    /* A resumed handshake shows no certificate: the whole of it is shorter than the chain. */
    resumed = p.server_end.tapped_out < test_cert("valid")->chain.at[0]->der.len;
    mbedtls_ssl_free(&c.ssl);
    mbedtls_ssl_config_free(&c.conf);
    tls_pair_clear(&p);
    return resumed;
}

static void tickets_resume(void **state)
{
    struct err err = { 0 };

    (void)state;
    (void)test_cert("valid");
    for (size_t v = 0; v < 2; v++) {
        struct tls_conf_params with = only[v][1], other = only[v][1];
        struct tls_tickets *tickets = tls_tickets_new(3600, &err),
                           *foreign = tls_tickets_new(3600, &err);
        mbedtls_ssl_session session;

        assert_non_null(tickets);
        assert_non_null(foreign);
        with.tickets = tickets;
        other.tickets = foreign;
        mbedtls_ssl_session_init(&session);
        assert_false(bare_connection(&with, v, &session, false));
        assert_true(bare_connection(&with, v, &session, true));
        assert_true(bare_connection(&with, v, &session, true));
        /* Keys of another listener do not open it: a full handshake, no failure. */
        assert_false(bare_connection(&other, v, &session, true));
        /* A server without tickets gives none and takes none. */
        assert_false(bare_connection(&only[v][1], v, &session, true));
        mbedtls_ssl_session_free(&session);
        tls_tickets_free(tickets);
        tls_tickets_free(foreign);
    }
}

/* TLS 1.3: tickets, data and close_notify come in one read of the socket. No call may answer
 * WANT_READ while bytes of it are left inside: no edge would ever tell of them. */
static void data_right_behind_a_ticket(void **state)
{
    struct err err = { 0 };

    (void)state;
    (void)test_cert("valid");
    for (size_t v = 0; v < 2; v++) {
        struct tls_conf_params server = only[v][1];
        struct tls_tickets *tickets = tls_tickets_new(3600, &err);
        struct tls_pair p;
        uint8_t buf[64];
        size_t put, got = 0;

        server.tickets = tickets;
        tls_pair_init(&p, &only[v][0], &server, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_true(v == 0 || p.down.len > 0); /* the ticket waits */
        assert_int_equal(tls_engine_write(p.server, "hello", 5, &put), HOP_OK);
        assert_int_equal(tls_engine_close_notify(p.server), HOP_OK);
        assert_int_equal(tls_engine_read(p.client, buf, sizeof buf, &got), HOP_OK);
        assert_int_equal(got, 5);
        assert_int_equal(tls_engine_read(p.client, buf, sizeof buf, &got), HOP_EOF);
        assert_true(tls_engine_closed_in_order(p.client));
        tls_pair_clear(&p);
        tls_tickets_free(tickets);
    }
}

/* What the hop must keep from mbedTLS (test_hop_tls.c, fragmented_hello), and not from OpenSSL. */
static void a_short_first_fragment(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;
        uint8_t pieces[16384];
        size_t n;

        start(&p, v, "valid");
        assert_int_equal(tls_engine_handshake(p.client), HOP_WANT_READ);
        n = hello_records(p.up.at + 9, p.up.len - 9, 3, pieces, sizeof pieces);
        p.up.len = 0;
        p.client_end.hiccup = false;
        for (size_t at = 0; at < n; at += 1000)
            assert_true(mem_send(&p.client_end, pieces + at, n - at < 1000 ? n - at : 1000) > 0);
        assert_int_equal(tls_engine_handshake(p.server),
                         tls_pair_library[1] == TLS_LIBRARY_OPENSSL ? HOP_WANT_READ : HOP_FAILED);
        tls_pair_clear(&p);
    }
}

/* A certificate message over 16 KiB can be sent and read by OpenSSL alone. */
static void a_huge_certificate(void **state)
{
    const bool both =
        tls_pair_library[0] == TLS_LIBRARY_OPENSSL && tls_pair_library[1] == TLS_LIBRARY_OPENSSL;

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct tls_pair p;

        start(&p, v, "sans-1000");
        assert_int_equal(tls_pair_handshake(&p), both);
        assert_int_equal(tls_engine_peer_chain(p.client)->n,
                         both ? test_cert("sans-1000")->chain.n : 0);
        tls_pair_clear(&p);
    }
}

/* A client's suites and schemes in the order of its policy, a version below TLS 1.2 and RSA-PSS in
 * TLS 1.2: OpenSSL alone. */
static void old_versions_and_pss(void **state)
{
    static const uint16_t pss[] = { TLS_SIG_rsa_pss_rsae_sha256 };

    (void)state;
    if (tls_pair_library[0] != TLS_LIBRARY_OPENSSL || tls_pair_library[1] != TLS_LIBRARY_OPENSSL)
        return;
    for (uint16_t v = TLS_1_0; v <= TLS_1_2; v++) {
        struct tls_conf_params c = { .min_version = TLS_1_0, .max_version = TLS_1_3 };
        struct tls_conf_params s = { .server = true, .min_version = v, .max_version = v };
        struct tls_pair p;

        c.sig_schemes = s.sig_schemes = v == TLS_1_2 ? pss : NULL;
        c.n_sig_schemes = s.n_sig_schemes = v == TLS_1_2 ? 1 : 0;
        tls_pair_init(&p, &c, &s, "rsa-2048");
        assert_true(tls_pair_handshake(&p));
        assert_int_equal(tls_engine_version(p.client), v);
        assert_int_equal(tls_engine_version(p.server), v);
        tls_pair_send(&p, true, 40000, v);
        tls_pair_send(&p, false, 40000, v);
        tls_pair_clear(&p);
    }
}

static void hybrid_group(void **state)
{
    static const uint16_t groups[] = { TLS_GROUP_X25519MLKEM768, TLS_GROUP_x25519 };
    struct tls_conf_params c = { .min_version = TLS_1_3, .max_version = TLS_1_3 }, s = c;
    struct tls_pair p;

    (void)state;
    s.server = true;
    c.groups = s.groups = groups;
    c.n_groups = s.n_groups = 2;
    tls_pair_init(&p, &c, &s, "valid");
    assert_true(tls_pair_handshake(&p));
    /* Two shares, and a server's share of 1,120 bytes: only where both have the group. */
    assert_int_equal(p.client_end.tapped_out > 1500, tls_pair_library[0] == TLS_LIBRARY_OPENSSL);
    tls_pair_clear(&p);
}

static void key_log_lines(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        FILE *f = tmpfile();
        struct tls_pair p;
        char line[300];
        int lines = 0;

        assert_non_null(f);
        tls_key_log_to(fileno(f));
        start(&p, v, "valid");
        tls_key_log_to(-1);
        tls_key_log_to(fileno(f));
        assert_true(tls_pair_handshake(&p));
        tls_key_log_to(-1);
        rewind(f);
        while (fgets(line, sizeof line, f) != NULL) {
            char label[64], random[80], secret[200];

            assert_int_equal(sscanf(line, "%63s %79s %199s", label, random, secret), 3);
            if (strcmp(label, "EXPORTER_SECRET") == 0)
                continue; /* of OpenSSL alone */
            assert_int_equal(strlen(random), 64);
            assert_true(strlen(secret) >= 64);
            assert_non_null(strstr(v == 0 ? "CLIENT_RANDOM"
                                          : "CLIENT_HANDSHAKE_TRAFFIC_SECRET "
                                            "SERVER_HANDSHAKE_TRAFFIC_SECRET "
                                            "CLIENT_TRAFFIC_SECRET_0 SERVER_TRAFFIC_SECRET_0",
                                   label));
            lines++;
        }
        assert_int_equal(lines, v == 0 ? 2 : 8); /* both engines write */
        fclose(f);
        tls_pair_clear(&p);
    }
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
        cmocka_unit_test(handshake_and_facts),
        cmocka_unit_test(late_at_every_byte),
        cmocka_unit_test(tiny_socket_buffers),
        cmocka_unit_test(large_transfers),
        cmocka_unit_test(a_full_socket_takes_nothing_more),
        cmocka_unit_test(alpn_in_the_servers_order),
        cmocka_unit_test(close_notify_is_an_end_in_order),
        cmocka_unit_test(close_notify_waits_for_room),
        cmocka_unit_test(truncation_is_an_end_out_of_order),
        cmocka_unit_test(reset_is_a_reset),
        cmocka_unit_test(fin_inside_the_handshake),
        cmocka_unit_test(alerts_go_both_ways),
        cmocka_unit_test(alerts_after_the_handshake),
        cmocka_unit_test(the_alert_behind_a_failed_send_is_read),
        cmocka_unit_test(a_failed_send_with_nothing_to_read),
        cmocka_unit_test(replayed_bytes_come_first),
        cmocka_unit_test(pending_tells_of_bytes_inside),
        cmocka_unit_test(changed_bytes_fail),
        cmocka_unit_test(tickets_resume),
        cmocka_unit_test(data_right_behind_a_ticket),
        cmocka_unit_test(a_short_first_fragment),
        cmocka_unit_test(a_huge_certificate),
        cmocka_unit_test(old_versions_and_pss),
        cmocka_unit_test(hybrid_group),
        cmocka_unit_test(key_log_lines),
    };

    return TLS_PAIR_RUN_ALL(tests, free_certs);
}
