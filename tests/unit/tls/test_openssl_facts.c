/* SPDX-License-Identifier: Apache-2.0
 * What OpenSSL's library does, by itself: the facts of docs/libraries.md that the second engine
 * rests on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static X509 *cert;
static EVP_PKEY *key;

/* A self-signed certificate of a fresh P-256 key. */
static int make_cert(void **state)
{
    (void)state;
    assert_int_equal(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL), 1);
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    assert_non_null(key);
    assert_non_null(cert);
    assert_true(X509_set_version(cert, X509_VERSION_3));
    assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_true(X509_set_pubkey(cert, key));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    return 0;
}

static int free_cert(void **state)
{
    (void)state;
    X509_free(cert);
    EVP_PKEY_free(key);
    return 0;
}

struct ends {
    SSL_CTX *ctx[2];
    SSL *ssl[2]; /* client, server */
};

static void set_up_ends(struct ends *e, int version, int level)
{
    BIO *up, *down;

    assert_true(BIO_new_bio_pair(&up, 0, &down, 0));
    for (int i = 0; i < 2; i++) {
        e->ctx[i] = SSL_CTX_new(i == 0 ? TLS_client_method() : TLS_server_method());
        assert_non_null(e->ctx[i]);
        SSL_CTX_set_security_level(e->ctx[i], level);
        assert_true(SSL_CTX_set_min_proto_version(e->ctx[i], version));
        assert_true(SSL_CTX_set_max_proto_version(e->ctx[i], version));
    }
    assert_true(SSL_CTX_use_certificate(e->ctx[1], cert));
    assert_true(SSL_CTX_use_PrivateKey(e->ctx[1], key));
    for (int i = 0; i < 2; i++) {
        e->ssl[i] = SSL_new(e->ctx[i]);
        assert_non_null(e->ssl[i]);
    }
    SSL_set_bio(e->ssl[0], up, up);
    SSL_set_bio(e->ssl[1], down, down);
    SSL_set_connect_state(e->ssl[0]);
    SSL_set_accept_state(e->ssl[1]);
}

static void tear_down_ends(struct ends *e)
{
    for (int i = 0; i < 2; i++) {
        SSL_free(e->ssl[i]);
        SSL_CTX_free(e->ctx[i]);
    }
    ERR_clear_error();
}

static bool shake_hands(struct ends *e)
{
    for (int i = 0; i < 20; i++)
        (void)SSL_do_handshake(e->ssl[i % 2]);
    return SSL_is_init_finished(e->ssl[0]) && SSL_is_init_finished(e->ssl[1]);
}

/* Debian's default is level 2. No configuration file of the system's may raise it: it is not read.
 */
static void old_versions_need_level_0(void **state)
{
    static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION };
    struct ends e;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (int level = 0; level < 2; level++) {
            set_up_ends(&e, versions[i], level);
            assert_int_equal(shake_hands(&e), level == 0);
            if (level == 0)
                assert_int_equal(SSL_version(e.ssl[1]), versions[i]);
            tear_down_ends(&e);
        }
    }
}

static void hybrid_groups(void **state)
{
    static const char *const names[] = { "X25519MLKEM768", "SecP256r1MLKEM768",
                                         "SecP384r1MLKEM1024" };
    struct ends e;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        set_up_ends(&e, TLS1_3_VERSION, 0);
        for (int side = 0; side < 2; side++)
            assert_true(SSL_set1_groups_list(e.ssl[side], names[i]));
        assert_true(shake_hands(&e));
        assert_string_equal(SSL_get0_group_name(e.ssl[1]), names[i]);
        tear_down_ends(&e);
    }
}

static void no_triple_des(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    (void)state;
    assert_non_null(ctx);
    assert_false(SSL_CTX_set_cipher_list(ctx, "DES-CBC3-SHA:@SECLEVEL=0"));
    assert_true(SSL_CTX_set_cipher_list(ctx, "AES128-SHA:@SECLEVEL=0"));
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_versions_need_level_0),
        cmocka_unit_test(hybrid_groups),
        cmocka_unit_test(no_triple_des),
    };
    return cmocka_run_group_tests(tests, make_cert, free_cert);
}
