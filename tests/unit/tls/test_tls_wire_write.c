/* SPDX-License-Identifier: Apache-2.0
 * The hand-written ClientHello reads back as what it was made of; answers are told apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tls_wire.h"
#include "tls/tls_wire_write.h"

static const uint16_t versions[] = { TLS_1_3, TLS_1_2, TLS_1_1, TLS_1_0 };
static const uint16_t suites[] = { TLS_SUITE_AES_128_GCM_SHA256, 0xc02f, 0x002f };
static const uint16_t groups[] = { TLS_GROUP_x25519, TLS_GROUP_secp256r1 };
static const uint16_t sigs[] = { TLS_SIG_rsa_pss_pss_sha256, TLS_SIG_rsa_pkcs1_sha256 };

static void same(struct tls_list a, struct tls_list b, size_t more)
{
    assert_int_equal(a.count, b.count + more);
    for (size_t i = 0; i < b.count; i++)
        assert_int_equal(a.at[i], b.at[i]);
}

static void reads_back(const struct tls_full_offer *o)
{
    uint8_t out[TLS_HELLO_WRITE_MAX];
    size_t n = tls_hello_write(o, out);
    struct tls_hello_reader r;
    struct tls_offer read;
    bool has_13 = tls_list_has(o->versions, TLS_1_3);

    assert_true(n > 0);
    tls_hello_reader_init(&r);
    assert_int_equal(tls_hello_reader_feed(&r, out, n), TLS_FIRST_HELLO);
    assert_int_equal(r.rest_len, 0);
    assert_int_equal(tls_offer_parse(&read, r.body, r.body_len), 0);
    same(read.suites, o->suites, 1); /* and the renegotiation signal */
    same(read.groups, o->groups, 0);
    same(read.sigs, o->sigs, 0);
    assert_int_equal(read.versions.count, has_13 ? o->versions.count : 0);
    assert_int_equal(read.key_shares.count, has_13 ? o->groups.count : 0);
    assert_int_equal(tls_offer_max_version(&read), o->versions.at[0]);
    if (o->sni == NULL)
        assert_null(read.sni);
    else
        assert_string_equal(read.sni, o->sni);
    tls_offer_clear(&read);
    tls_hello_reader_clear(&r);
}

static void hellos(void **state)
{
    struct tls_full_offer o = { .versions = { versions, 4 },
                                .suites = { suites, 3 },
                                .groups = { groups, 2 },
                                .sigs = { sigs, 2 } };

    (void)state;
    reads_back(&o);
    o.sni = "api.example.com";
    reads_back(&o);
    o.versions = (struct tls_list){ versions + 1, 3 };
    reads_back(&o);
    o.versions = (struct tls_list){ versions + 2, 1 };
    reads_back(&o);
}

static void what_does_not_fit(void **state)
{
    static uint16_t many[TLS_HELLO_WRITE_MAX];
    const struct tls_full_offer o = { .versions = { versions, 4 }, .suites = { many, 1000 } };
    uint8_t out[TLS_HELLO_WRITE_MAX];

    (void)state;
    assert_int_equal(tls_hello_write(&o, out), 0);
}

static void more_than_ours(void **state)
{
    static const uint16_t pkcs1[] = { TLS_SIG_rsa_pkcs1_sha256 };
    struct tls_full_offer o = { .versions = { versions + 1, 1 },
                                .suites = { suites + 1, 2 },
                                .groups = { groups, 2 },
                                .sigs = { pkcs1, 1 } };

    (void)state;
    assert_false(tls_offer_is_more_than_ours(&o));
    o.versions.count = 2; /* TLS 1.1 */
    assert_true(tls_offer_is_more_than_ours(&o));
    o.versions.count = 1;
    o.sigs = (struct tls_list){ sigs, 1 };
    assert_true(tls_offer_is_more_than_ours(&o));
}

/* A ServerHello of TLS 1.1, an alert, and what is neither. */
static void answers(void **state)
{
    uint8_t hello[5 + 4 + 38] = { 22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2 };
    static const uint8_t alert[] = { 21, 3, 1, 0, 2, 2, 70 };
    struct tls_hello_answer a;
    char text[64];

    (void)state;
    hello[sizeof hello - 2] = 0x2f; /* the suite's low octet; then the compression method */
    for (size_t cut = 0; cut < sizeof hello; cut++)
        assert_false(tls_hello_answer_read(&a, hello, cut));
    assert_true(tls_hello_answer_read(&a, hello, sizeof hello));
    assert_true(a.answered);
    assert_string_equal(tls_hello_answer_lacking(&a, TLS_LIBRARY_MBEDTLS, text, sizeof text),
                        "TLSv1.1");
    assert_false(tls_hello_answer_read(&a, alert, 6));
    assert_true(tls_hello_answer_read(&a, alert, sizeof alert));
    assert_false(a.answered);
    assert_true(tls_hello_answer_read(&a, (const uint8_t *)"HTTP/1.1 400", 12));
    assert_false(a.answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hellos),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(more_than_ours),
        cmocka_unit_test(answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
