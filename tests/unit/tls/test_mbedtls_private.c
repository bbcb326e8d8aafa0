/* SPDX-License-Identifier: Apache-2.0
 * mbedTLS from the inside: the replaced parser, the private fields, the check at start-up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/x509_crt.h>

#include "certs/lab/lab.h"
#include "tests/lib/tlspair.h"
#include "tls/mbedtls_private.h"

static void self_test_passes(void **state)
{
    struct err err = { 0 };

    (void)state;
    if (tls_private_self_test(&err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(err.code, ERR_NONE);
}

/* Spike: "a peer chain with an unknown critical extension, or critical nameConstraints, fails in
 * the parser even with verification off": mbedTLS's own entry with the callback is the proof, the
 * replaced parser the cure. */
static int refuse_extension(void *ctx, const mbedtls_x509_crt *crt, const mbedtls_x509_buf *oid,
                            int critical, const unsigned char *p, const unsigned char *end)
{
    (void)ctx, (void)crt, (void)oid, (void)p, (void)end;
    return critical != 0 ? MBEDTLS_ERR_X509_INVALID_EXTENSIONS : 0;
}

static bool parses(struct der_span der, bool library_alone)
{
    mbedtls_x509_crt crt;
    int rc;

    mbedtls_x509_crt_init(&crt);
    /* Without a callback for what it does not know, the library behaves as with one that refuses
     * everything critical (x509_crt.c, x509_get_crt_ext). */
    rc = library_alone ? mbedtls_x509_crt_parse_der_with_ext_cb(&crt, der.at, der.len, 1,
                                                                refuse_extension, NULL)
                       : mbedtls_x509_crt_parse_der(&crt, der.at, der.len);
    mbedtls_x509_crt_free(&crt);
    return rc == 0;
}

static void critical_extensions_are_accepted(void **state)
{
    static const struct {
        const char *profile;
        size_t at; /* which certificate of the chain is the odd one */
    } rows[] = {
        { "unknown-critical-extension", 0 },
        { "unknown-critical-extension-intermediate", 1 },
        { "name-constraints-violated", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct identity *cert = test_cert(rows[i].profile);
        struct der_span der = cert->chain.at[rows[i].at]->der;

        assert_false(parses(der, true));
        assert_true(parses(der, false));
    }
    assert_true(parses(test_cert("valid")->chain.at[0]->der, true));
}

/* The handshake goes through the replaced parser: a client that verifies nothing accepts them. */
static void handshakes_with_critical_extensions(void **state)
{
    static const char *const profiles[] = { "unknown-critical-extension",
                                            "unknown-critical-extension-intermediate",
                                            "name-constraints-violated", "expired", "self-signed" };

    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        for (uint16_t v = 0x0303; v <= 0x0304; v++) {
            const struct tls_conf_params client = { .min_version = v, .max_version = v };
            const struct identity *cert = test_cert(profiles[i]);
            struct tls_pair p;
            const struct tls_chain *chain;

            tls_pair_init(&p, &client, NULL, profiles[i]);
            if (!tls_pair_handshake(&p))
                fail_msg("%s does not get through", profiles[i]);
            chain = tls_engine_peer_chain(p.client);
            assert_int_equal(chain->n, cert->chain.n);
            assert_memory_equal(chain->at[0].der, cert->leaf->der.at, cert->leaf->der.len);
            tls_pair_clear(&p);
        }
    }
}

/* Whatever was parsed while capturing is there as it was presented, readable or not. */
static void capture_keeps_what_cannot_be_read(void **state)
{
    static const uint8_t junk[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };
    struct tls_chain seen = { 0 };
    struct der_span good = test_cert("valid")->chain.at[0]->der;
    uint8_t *broken = malloc(good.len);
    mbedtls_x509_crt crt;

    (void)state;
    assert_non_null(broken);
    memcpy(broken, good.at, good.len);
    broken[good.len / 3] ^= 0xff;
    mbedtls_x509_crt_init(&crt);
    tls_private_capture(&seen);
    assert_int_not_equal(mbedtls_x509_crt_parse_der(&crt, junk, sizeof junk), 0);
    (void)mbedtls_x509_crt_parse_der(&crt, broken, good.len);
    assert_int_equal(mbedtls_x509_crt_parse_der(&crt, good.at, good.len), 0);
    tls_private_capture(NULL);
    assert_int_equal(mbedtls_x509_crt_parse_der(&crt, good.at, good.len), 0); /* not captured */
    mbedtls_x509_crt_free(&crt);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.presented, 3);
    assert_memory_equal(seen.at[0].der, junk, sizeof junk);
    assert_memory_equal(seen.at[1].der, broken, good.len);
    assert_memory_equal(seen.at[2].der, good.at, good.len);
    assert_int_equal(seen.bytes, sizeof junk + 2 * good.len);
    free(broken);
    tls_chain_clear(&seen);
    assert_int_equal(seen.n, 0);
}

static void a_long_chain_is_bounded_but_counted(void **state)
{
    struct tls_chain c = { 0 };
    uint8_t *big = calloc(1, TLS_CHAIN_BYTES_MAX);

    (void)state;
    assert_non_null(big);
    for (size_t i = 0; i < TLS_CHAIN_MAX + 5; i++)
        tls_chain_add(&c, big, 10);
    assert_int_equal(c.n, TLS_CHAIN_MAX);
    assert_int_equal(c.presented, TLS_CHAIN_MAX + 5);
    tls_chain_clear(&c);
    tls_chain_add(&c, big, TLS_CHAIN_BYTES_MAX - 1);
    tls_chain_add(&c, big, 2); /* does not fit any more */
    tls_chain_add(&c, big, 1);
    tls_chain_add(&c, big, 0); /* nothing to keep */
    assert_int_equal(c.n, 2);
    assert_int_equal(c.presented, 4);
    assert_int_equal(c.bytes, TLS_CHAIN_BYTES_MAX);
    tls_chain_clear(&c);
    free(big);
}

/* Spike: an mbedTLS server refuses to present a leaf without serverAuth or digitalSignature; with
 * the private bits cleared it does. The store does that to every certificate that it loads. */
static void any_key_usage_can_be_presented(void **state)
{
    static const char *const profiles[] = { "eku-client-only", "ku-no-digital-signature" };
    (void)state;
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        struct tls_pair p;

        tls_pair_init(&p, NULL, NULL, profiles[i]);
        assert_true(tls_pair_handshake(&p));
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
        cmocka_unit_test(self_test_passes),
        cmocka_unit_test(critical_extensions_are_accepted),
        cmocka_unit_test(handshakes_with_critical_extensions),
        cmocka_unit_test(capture_keeps_what_cannot_be_read),
        cmocka_unit_test(a_long_chain_is_bounded_but_counted),
        cmocka_unit_test(any_key_usage_can_be_presented),
    };

    return cmocka_run_group_tests(tests, NULL, free_certs);
}
