/* SPDX-License-Identifier: Apache-2.0
 * A client's verify hook: it sees the chain as presented, its alert is the one that goes out, and
 * mbedTLS's own opinion counts for nothing; and the client certificate that is kept back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/tlspair.h"
#include "tls/tls_params.h"

static const uint16_t versions[] = { TLS_1_2, TLS_1_3 };

struct hook {
    int answer;
    unsigned asked;
    size_t presented;
    uint16_t version, suite;
};

static int hook(void *arg, const struct tls_presented *p)
{
    struct hook *h = arg;

    h->asked++;
    h->presented = p->chain->n;
    h->version = p->version;
    h->suite = p->suite;
    return h->answer;
}

/* The last alert that the client sent: mbedTLS sends it in the clear on TLS 1.3, too, where an
 * mbedTLS server cannot read it (the hop's sniffer does; docs/libraries.md). */
static uint8_t sent_alert;

static void watch_client(void *arg, bool incoming, uint8_t *data, size_t n)
{
    (void)arg;
    if (!incoming && n == 7 && data[0] == 21)
        sent_alert = data[6];
}

/* A judged client against a server with this certificate. True: the handshake went through. */
static bool shake(const char *profile, uint16_t version, struct hook *h, uint8_t *alert)
{
    const struct tls_conf_params client = { .min_version = version,
                                            .max_version = version,
                                            .judged = true };
    const struct tls_conf_params server = { .server = true,
                                            .min_version = version,
                                            .max_version = version };
    struct tls_pair p;
    bool done;

    sent_alert = 0;
    tls_pair_init(&p, &client, &server, profile);
    tls_engine_set_tap(p.client, watch_client);
    tls_engine_set_verify(p.client, hook, h);
    done = tls_pair_handshake(&p);
    *alert = sent_alert;
    tls_pair_clear(&p);
    return done;
}

static void accepted_whatever_the_library_thinks(void **state)
{
    static const char *const profiles[] = { "valid",
                                            "expired",
                                            "self-signed",
                                            "wrong-host",
                                            "bad-signature",
                                            "leaf-only",
                                            "eku-client-only",
                                            "ku-no-digital-signature",
                                            "unknown-critical-extension",
                                            "name-constraints-violated",
                                            "long-chain-11",
                                            "md5" };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
            const struct identity *cert = test_cert(profiles[i]);
            struct hook h = { 0 };
            uint8_t alert;

            if (!shake(profiles[i], versions[v], &h, &alert))
                fail_msg("%s on 0x%04x", profiles[i], versions[v]);
            assert_int_equal(h.asked, 1);
            assert_int_equal(h.presented, cert->chain.n);
            assert_int_equal(h.version, versions[v]);
            assert_non_null(tls_suite_find(h.suite));
        }
    }
}

static void the_alert_is_the_hooks(void **state)
{
    static const int alerts[][2] = {
        { TLS_ALERT_bad_certificate, 42 },
        { TLS_ALERT_unsupported_certificate, 43 },
        { TLS_ALERT_certificate_revoked, 44 },
        { TLS_ALERT_certificate_expired, 45 },
        { TLS_ALERT_certificate_unknown, 46 },
        { TLS_ALERT_unknown_ca, 48 },
        { TLS_ALERT_access_denied, 49 },
        { TLS_ALERT_internal_error, 46 }, /* cannot be sent */
    };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
            struct hook h = { .answer = alerts[i][0] };
            uint8_t alert = 0;

            assert_false(shake("valid", versions[v], &h, &alert));
            assert_int_equal(h.asked, 1);
            /* OpenSSL has no verdict that sends access_denied. */
            if (alerts[i][0] == TLS_ALERT_access_denied &&
                tls_pair_library[0] == TLS_LIBRARY_OPENSSL)
                assert_int_equal(alert, TLS_ALERT_certificate_unknown);
            else if (alert != alerts[i][1])
                fail_msg("0x%04x %zu: %d", versions[v], i, alert);
        }
    }
}

/* Without a hook a client verifies nothing, as a load balancer does. */
static void no_hook(void **state)
{
    const struct tls_conf_params client = { .min_version = TLS_1_2, .max_version = TLS_1_3 };
    const struct tls_conf_params server = { .server = true,
                                            .min_version = TLS_1_2,
                                            .max_version = TLS_1_3 };
    struct tls_pair p;

    (void)state;
    tls_pair_init(&p, &client, &server, "self-signed");
    assert_true(tls_pair_handshake(&p));
    tls_pair_clear(&p);
}

/* TLS 1.2, where mbedTLS's server names its authorities: only their children are presented. */
static void a_certificate_of_another_issuer_is_kept_back(void **state)
{
    const struct identity *own = test_cert("self-signed"), *other = test_cert("wrong-host");
    const struct identity *ca[] = { own, other };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct tls_conf_params client = { .min_version = TLS_1_2,
                                                .max_version = TLS_1_2,
                                                .own_chain = own->crt,
                                                .own_key = own->key };
        const struct tls_conf_params server = { .server = true,
                                                .min_version = TLS_1_2,
                                                .max_version = TLS_1_2,
                                                .client_auth = TLS_CLIENT_AUTH_REQUEST,
                                                .client_ca = ca[i]->crt };
        const struct tls_cert_request *request;
        struct tls_pair p;

        tls_pair_init(&p, &client, &server, "valid");
        assert_true(tls_pair_handshake(&p));
        request = tls_engine_cert_request(p.client);
        assert_true(request->seen);
        assert_int_equal(request->authorities, ca[i]->chain.n);
        assert_int_equal(request->withheld, i == 1);
        assert_int_equal(tls_engine_peer_chain(p.server)->n, request->withheld ? 0 : 1);
        tls_pair_clear(&p);
    }
}

static void nobody_asks(void **state)
{
    const struct identity *own = test_cert("self-signed");

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        const struct tls_conf_params client = { .min_version = versions[v],
                                                .max_version = versions[v],
                                                .own_chain = own->crt,
                                                .own_key = own->key };
        struct tls_conf_params server = { .server = true,
                                          .min_version = versions[v],
                                          .max_version = versions[v] };
        struct tls_pair p;

        tls_pair_init(&p, &client, &server, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_false(tls_engine_cert_request(p.client)->seen);
        tls_pair_clear(&p);
        server.client_auth = TLS_CLIENT_AUTH_REQUEST; /* and names nobody */
        tls_pair_init(&p, &client, &server, "valid");
        assert_true(tls_pair_handshake(&p));
        assert_true(tls_engine_cert_request(p.client)->seen);
        assert_false(tls_engine_cert_request(p.client)->withheld);
        assert_int_equal(tls_engine_peer_chain(p.server)->n, 1);
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
        cmocka_unit_test(accepted_whatever_the_library_thinks),
        cmocka_unit_test(the_alert_is_the_hooks),
        cmocka_unit_test(no_hook),
        cmocka_unit_test(a_certificate_of_another_issuer_is_kept_back),
        cmocka_unit_test(nobody_asks),
    };

    return TLS_PAIR_RUN_ALL(tests, free_certs);
}
