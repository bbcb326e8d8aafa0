/* SPDX-License-Identifier: Apache-2.0
 * The sniffer on recorded handshakes (tests/fuzz/capture.py) of OpenSSL, curl, GnuTLS and a JDK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "tests/lib/hello.h"
#include "tls/tls_wire.h"

enum { CLIENT, SERVER };

struct pair {
    struct tls_sniffer side[2];
};

static void play(struct pair *p, const char *file, size_t chunk)
{
    char path[128];
    size_t n;
    uint8_t *data;
    struct bytes in;

    snprintf(path, sizeof path, "sniffer/%s", file);
    data = hello_corpus(path, &n);
    in = bytes_of(data, n);
    tls_sniffer_init(&p->side[CLIENT]);
    tls_sniffer_init(&p->side[SERVER]);
    tls_sniffer_pair(&p->side[CLIENT], &p->side[SERVER]);
    while (in.left > 0) {
        size_t side = bytes_u8(&in);
        struct bytes frame = bytes_vec(&in, 2);

        assert_false(in.bad);
        while (frame.left > 0) {
            struct bytes part = bytes_take(&frame, chunk < frame.left ? chunk : frame.left);

            (void)tls_sniffer_feed(&p->side[side], part.at, part.left);
        }
    }
    free(data);
}

static void done(struct pair *p)
{
    tls_sniffer_clear(&p->side[CLIENT]);
    tls_sniffer_clear(&p->side[SERVER]);
}

static void assert_saw(const struct tls_sniffer *s, unsigned wanted, unsigned unwanted)
{
    assert_int_equal(s->seen & wanted, wanted);
    assert_int_equal(s->seen & (unwanted | TLS_SAW_NOT_TLS | TLS_SAW_MALFORMED), 0);
}

static const size_t chunks[] = { 1, 3, 5, 100, 16384 };
#define EACH_CHUNK(i) (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++)

static void test_tls_13(void **state)
{
    struct pair p;

    (void)state;
    for
        EACH_CHUNK(i)
        {
            play(&p, "openssl-13", chunks[i]);
            assert_saw(&p.side[SERVER],
                       TLS_SAW_SERVER_HELLO | TLS_SAW_CCS | TLS_SAW_ENCRYPTED | TLS_SAW_APP_DATA,
                       TLS_SAW_CERTIFICATE | TLS_SAW_ALERT | TLS_SAW_RETRY);
            assert_saw(&p.side[CLIENT], TLS_SAW_CLIENT_HELLO | TLS_SAW_APP_DATA, TLS_SAW_ALERT);
            assert_int_equal(p.side[SERVER].version, TLS_1_3);
            assert_int_equal(p.side[CLIENT].version, TLS_1_3); /* told by the peer */
            assert_int_equal(p.side[SERVER].suite, TLS_SUITE_AES_256_GCM_SHA384);
            assert_int_equal(p.side[SERVER].group, TLS_GROUP_x25519);
            done(&p);
        }
}

static void test_hello_retry_request(void **state)
{
    struct pair p;

    (void)state;
    for
        EACH_CHUNK(i)
        {
            play(&p, "openssl-retry", chunks[i]);
            assert_saw(&p.side[SERVER], TLS_SAW_RETRY | TLS_SAW_SERVER_HELLO, 0);
            assert_int_equal(p.side[SERVER].retry_group, TLS_GROUP_secp384r1);
            assert_int_equal(p.side[SERVER].group, TLS_GROUP_secp384r1);
            /* The second hello follows ChangeCipherSpec in the clear. */
            assert_saw(&p.side[CLIENT], TLS_SAW_CLIENT_HELLO | TLS_SAW_CCS | TLS_SAW_APP_DATA,
                       TLS_SAW_OTHER_HANDSHAKE);
            done(&p);
        }
}

static void test_tls_12(void **state)
{
    struct pair p;
    size_t len;
    const uint8_t *leaf;

    (void)state;
    for
        EACH_CHUNK(i)
        {
            const struct tls_sniffer *s = &p.side[SERVER];

            play(&p, "openssl-12", chunks[i]);
            assert_saw(s,
                       TLS_SAW_SERVER_HELLO | TLS_SAW_CERTIFICATE | TLS_SAW_KEY_EXCHANGE |
                           TLS_SAW_HELLO_DONE | TLS_SAW_TICKET | TLS_SAW_CCS | TLS_SAW_ENCRYPTED |
                           TLS_SAW_APP_DATA,
                       TLS_SAW_CERT_REQUEST | TLS_SAW_ALERT | TLS_SAW_ENCRYPTED_ALERT);
            assert_int_equal(s->version, TLS_1_2);
            assert_int_equal(s->suite, TLS_SUITE_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
            assert_int_equal(s->group, TLS_GROUP_x25519);
            assert_string_equal(s->alpn, "http/1.1");
            assert_true(s->extended_master_secret && s->secure_renegotiation);
            assert_false(s->session_resumed_hint);
            leaf = tls_sniffer_cert(s, 0, &len);
            assert_non_null(leaf);
            assert_int_equal(leaf[0], 0x30); /* a DER SEQUENCE that fills it */
            assert_int_equal((size_t)leaf[2] << 8 | leaf[3], len - 4);
            assert_null(tls_sniffer_cert(s, 1, &len));
            assert_saw(&p.side[CLIENT], TLS_SAW_CCS | TLS_SAW_ENCRYPTED, TLS_SAW_CERT_VERIFY);
            assert_null(p.side[CLIENT].msg);
            done(&p);
        }
}

static void test_certificate_request(void **state)
{
    struct pair p;
    size_t len;

    (void)state;
    for
        EACH_CHUNK(i)
        {
            play(&p, "openssl-12-proves", chunks[i]);
            assert_saw(&p.side[SERVER], TLS_SAW_CERT_REQUEST | TLS_SAW_CERTIFICATE, 0);
            /* The client sent its certificate and proved it. */
            assert_saw(&p.side[CLIENT], TLS_SAW_CERTIFICATE | TLS_SAW_CERT_VERIFY, 0);
            assert_non_null(tls_sniffer_cert(&p.side[CLIENT], 0, &len));
            done(&p);
            play(&p, "openssl-12-asked", chunks[i]); /* asked, but it has none */
            assert_saw(&p.side[CLIENT], TLS_SAW_CERTIFICATE, TLS_SAW_CERT_VERIFY);
            assert_null(tls_sniffer_cert(&p.side[CLIENT], 0, &len));
            done(&p);
        }
}

/* Who refuses how: OpenSSL and curl in plaintext even in TLS 1.3; GnuTLS and JDK encrypt there. */
static void test_alerts(void **state)
{
    static const struct {
        const char *file;
        int side;
        int number; /* -1: nothing in plaintext */
        int version;
    } cases[] = {
        { "openssl-13-refuses", CLIENT, TLS_ALERT_unknown_ca, TLS_1_3 },
        { "openssl-12-refuses", CLIENT, TLS_ALERT_unknown_ca, TLS_1_2 },
        { "curl-13-refuses", CLIENT, TLS_ALERT_unknown_ca, TLS_1_3 },
        { "gnutls-13-refuses", CLIENT, -1, TLS_1_3 },
        { "gnutls-12-refuses", CLIENT, TLS_ALERT_bad_certificate, TLS_1_2 },
        { "java-13-refuses", CLIENT, -1, TLS_1_3 },
        { "java-12-refuses", CLIENT, TLS_ALERT_certificate_unknown, TLS_1_2 },
        { "openssl-no-suite", SERVER, TLS_ALERT_handshake_failure, 0 },
        { "openssl-no-version", SERVER, TLS_ALERT_protocol_version, 0 },
    };
    struct pair p;

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        for
            EACH_CHUNK(i)
            {
                const struct tls_sniffer *s = &p.side[cases[c].side];

                play(&p, cases[c].file, chunks[i]);
                assert_int_equal(s->version, cases[c].version);
                if (cases[c].number < 0) {
                    assert_saw(s, TLS_SAW_APP_DATA, TLS_SAW_ALERT);
                } else {
                    assert_saw(s, TLS_SAW_ALERT, TLS_SAW_ENCRYPTED_ALERT);
                    assert_int_equal(s->alerts, 1);
                    assert_int_equal(s->alert_level, 2);
                    assert_int_equal(s->alert_number, cases[c].number);
                    assert_int_equal(s->last_alert_number, cases[c].number);
                }
                done(&p);
            }
    }
}

static void test_encrypted_alert_of_tls_12(void **state)
{
    struct pair p;

    (void)state;
    play(&p, "gnutls-12", 16384);
    (void)tls_sniffer_feed(&p.side[CLIENT], "\x15\x03\x03\x00\x1a", 5);
    assert_saw(&p.side[CLIENT], TLS_SAW_ENCRYPTED_ALERT, TLS_SAW_ALERT);
    assert_true(p.side[CLIENT].encrypted_alerts > 0);
    done(&p);
}

static void test_what_a_call_learns(void **state)
{
    struct tls_sniffer s;

    (void)state;
    tls_sniffer_init(&s);
    assert_int_equal(tls_sniffer_feed(&s, "\x15\x03\x03\x00\x02\x01", 6), 0);
    assert_int_equal(tls_sniffer_feed(&s, "\x5a", 1), TLS_SAW_ALERT);
    assert_int_equal(s.alert_level, 1);
    assert_int_equal(s.alert_number, TLS_ALERT_user_canceled);
    assert_int_equal(tls_sniffer_feed(&s, "\x15\x03\x03\x00\x02\x02\x28", 7), TLS_SAW_ALERT);
    assert_int_equal(s.alert_number, TLS_ALERT_user_canceled); /* the first */
    assert_int_equal(s.last_alert_number, TLS_ALERT_handshake_failure);
    assert_int_equal(tls_sniffer_feed(&s, "HTTP/1.1 400 Bad Request", 24), TLS_SAW_NOT_TLS);
    assert_int_equal(tls_sniffer_feed(&s, "\x15\x03\x03\x00\x02\x02\x28", 7), 0);
    tls_sniffer_clear(&s);
}

/* A chain larger than the bound is not kept in part, and costs no memory. */
static void test_too_long_a_chain(void **state)
{
    struct tls_sniffer s;
    uint8_t record[5 + 16384] = { 22, 3, 3, 0x40, 0 };
    size_t len;

    (void)state;
    memcpy(record + 5, "\x0b\x02\x00\x00\x01\xff\xfd\x01\xff\xfa", 10);
    tls_sniffer_init(&s);
    for (int i = 0; i < 8; i++)
        (void)tls_sniffer_feed(&s, record, sizeof record);
    assert_null(s.msg);
    assert_null(tls_sniffer_cert(&s, 0, &len));
    assert_false(s.seen & TLS_SAW_CERTIFICATE);
    assert_int_equal(s.records, 8);
    tls_sniffer_clear(&s);
}

/* A chain over several records is put together; memory grows with what came, not with the claim. */
static void test_chain_over_records(void **state)
{
    struct tls_sniffer s;
    uint8_t record[5 + 10000] = { 22, 3, 3, 10000 >> 8, 10000 & 0xff };
    size_t len;

    (void)state;
    /* Message of 19996 bytes: list of 19993, one certificate of 19990. */
    memcpy(record + 5, "\x0b\x00\x4e\x1c\x00\x4e\x19\x00\x4e\x16", 10);
    tls_sniffer_init(&s);
    assert_int_equal(tls_sniffer_feed(&s, record, 2000), 0);
    assert_in_range(s.msg_cap, 1, 4096);
    (void)tls_sniffer_feed(&s, record + 2000, sizeof record - 2000);
    memset(record + 5, 7, 10000);
    assert_int_equal(tls_sniffer_feed(&s, record, sizeof record), TLS_SAW_CERTIFICATE);
    assert_non_null(tls_sniffer_cert(&s, 0, &len));
    assert_int_equal(len, 19990);
    assert_int_equal(tls_sniffer_cert(&s, 0, &len)[len - 1], 7);
    assert_int_equal(s.chain_len, 19996);
    tls_sniffer_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_13),
        cmocka_unit_test(test_hello_retry_request),
        cmocka_unit_test(test_tls_12),
        cmocka_unit_test(test_certificate_request),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_encrypted_alert_of_tls_12),
        cmocka_unit_test(test_what_a_call_learns),
        cmocka_unit_test(test_too_long_a_chain),
        cmocka_unit_test(test_chain_over_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
