/* SPDX-License-Identifier: Apache-2.0
 * The readers of first bytes and ClientHellos: made ones and recorded ones, in every chunking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hello.h"
#include "tls/tls_wire.h"

static const uint16_t versions[] = { 0x7a7a, TLS_1_3, TLS_1_2, 0 };
static const uint16_t suites[] = { 0x1301, 0xc02b, TLS_SCSV_FALLBACK, 0 };
static const uint16_t groups[] = { 0x0a0a, TLS_GROUP_x25519, TLS_GROUP_secp256r1, 0 };
static const uint16_t shares[] = { TLS_GROUP_x25519, 0 };
static const uint16_t sigs[] = { TLS_SIG_ecdsa_secp256r1_sha256, TLS_SIG_rsa_pss_rsae_sha256, 0 };
static const char *const alpn[] = { "h2", "http/1.1", NULL };
static const struct hello_spec usual = { .versions = versions,
                                         .suites = suites,
                                         .groups = groups,
                                         .shares = shares,
                                         .sigs = sigs,
                                         .sni = "Api.Example.com",
                                         .alpn = alpn };

/* --- offers --- */

static void assert_list(struct tls_list list, const uint16_t *want)
{
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.at[i], want[i]);
    assert_int_equal(want[list.count], 0);
}

static void test_offer_of_a_made_hello(void **state)
{
    uint8_t body[1024];
    size_t n = hello_body(&usual, body, sizeof body), at = 0, len;
    const uint8_t *name;
    struct tls_offer o;

    (void)state;
    assert_int_equal(tls_offer_parse(&o, body, n), 0);
    assert_null(o.malformed);
    assert_list(o.versions, versions);
    assert_list(o.suites, suites);
    assert_list(o.groups, groups);
    assert_list(o.key_shares, shares);
    assert_list(o.sigs, sigs);
    assert_int_equal(o.sigs_cert.count, 0);
    assert_int_equal(o.extensions.count, 6);
    assert_int_equal(o.extensions.at[0], TLS_EXT_server_name);
    assert_int_equal(o.extensions.at[5], TLS_EXT_application_layer_protocol_negotiation);
    assert_int_equal(o.sni_state, TLS_SNI_NAME);
    assert_string_equal(o.sni, "Api.Example.com"); /* as sent */
    assert_true(o.has_extensions && o.has_alpn && o.fallback_scsv);
    assert_false(o.psk || o.early_data || o.session_ticket || o.secure_renegotiation);
    assert_int_equal(o.size, n);
    assert_int_equal(o.alpn_count, 2);
    assert_true(tls_offer_alpn_next(&o, &at, &name, &len));
    assert_int_equal(len, 2);
    assert_true(tls_offer_alpn_next(&o, &at, &name, &len));
    assert_memory_equal(name, "http/1.1", 8);
    assert_false(tls_offer_alpn_next(&o, &at, &name, &len));
    assert_true(tls_offer_has_alpn(&o, "h2"));
    assert_false(tls_offer_has_alpn(&o, "http/1.0"));
    assert_false(tls_offer_has_alpn(&o, "h"));
    assert_int_equal(tls_offer_max_version(&o), TLS_1_3); /* not the GREASE one */
    assert_false(tls_offer_has_version(&o, TLS_1_1));
    tls_offer_clear(&o);
}

static void test_versions_without_the_extension(void **state)
{
    struct hello_spec spec = { .legacy_version = TLS_1_1, .suites = suites, .no_extensions = 1 };
    uint8_t body[256];
    struct tls_offer o;

    (void)state;
    assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), 0);
    assert_false(o.has_extensions);
    assert_int_equal(o.sni_state, TLS_SNI_NONE);
    assert_int_equal(tls_offer_max_version(&o), TLS_1_1);
    assert_true(tls_offer_has_version(&o, TLS_1_0));
    assert_false(tls_offer_has_version(&o, TLS_1_2));
    tls_offer_clear(&o);
    spec.legacy_version = 0x0305; /* TLS 1.3 is never meant without the extension */
    assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), 0);
    assert_true(tls_offer_has_version(&o, TLS_1_2));
    assert_false(tls_offer_has_version(&o, TLS_1_3));
    tls_offer_clear(&o);
}

/* Every cut of a good hello is malformed, and the parser never reads past the end (ASan). */
static void test_every_truncation_is_malformed(void **state)
{
    uint8_t body[1024];
    size_t n = hello_body(&usual, body, sizeof body);

    (void)state;
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *exact = malloc(cut + 1);
        struct tls_offer o;
        int rc;

        memcpy(exact, body, cut);
        rc = tls_offer_parse(&o, exact, cut);
        if (rc == 0) /* only where the hello may end: before the extensions */
            assert_false(o.has_extensions);
        else
            assert_non_null(o.malformed);
        tls_offer_clear(&o);
        free(exact);
    }
}

static void assert_sni(const void *extension, size_t n, enum tls_sni_state want)
{
    struct hello_spec spec = { .suites = suites, .extra = extension, .extra_len = n };
    uint8_t body[1024];
    struct tls_offer o;

    (void)tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body));
    assert_int_equal(o.sni_state, want);
    tls_offer_clear(&o);
}

static void test_odd_server_names(void **state)
{
    char long_name[301];
    struct hello_spec spec = { .suites = suites, .sni = long_name };
    uint8_t body[1024];
    struct tls_offer o;

    (void)state;
    memset(long_name, 'a', 300);
    long_name[300] = '\0';
    assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), 0);
    assert_int_equal(o.sni_state, TLS_SNI_TOO_LONG);
    assert_int_equal(strlen(o.sni), 255);
    tls_offer_clear(&o);
    assert_sni("\0\0\0\0", 4, TLS_SNI_MALFORMED);                  /* empty body */
    assert_sni("\0\0\0\2\0\0", 6, TLS_SNI_MALFORMED);              /* empty list */
    assert_sni("\0\0\0\5\0\3\0\0\0", 9, TLS_SNI_MALFORMED);        /* empty name */
    assert_sni("\0\0\0\10\0\6\0\0\3a\0b", 12, TLS_SNI_MALFORMED);  /* NUL byte */
    assert_sni("\0\0\0\7\0\5\0\0\3ab", 11, TLS_SNI_MALFORMED);     /* cut name */
    assert_sni("\0\0\0\13\0\11\1\0\1x\0\0\2ab", 15, TLS_SNI_NAME); /* other type first */
}

static void test_malformed_extensions_are_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } cases[] = {
        { "\0\12\0\3\0\1\0", 7, "supported_groups" },
        { "\0\12\0\2\0\0", 6, "supported_groups" },
        { "\0\15\0\4\0\4\4\3", 8, "signature_algorithms" },
        { "\0\53\0\2\1\3", 6, "supported_versions" },
        { "\0\63\0\6\0\4\0\35\0\11", 10, "key_share" },
        { "\0\20\0\5\0\3\5h2", 9, "ALPN" },
        { "\0\20\0\3\0\1\0", 7, "ALPN" },
        { "\0\20\0\77x", 5, "extensions" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hello_spec spec = { .suites = suites,
                                   .sni = "a.example",
                                   .extra = (const uint8_t *)cases[i].bytes,
                                   .extra_len = cases[i].n };
        uint8_t body[512];
        struct tls_offer o;

        assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), -1);
        assert_string_equal(o.malformed, cases[i].what);
        assert_string_equal(o.sni, "a.example"); /* what was readable is there */
        tls_offer_clear(&o);
    }
}

static void test_the_first_of_a_repeated_extension_counts(void **state)
{
    static const uint8_t extra[] = { 0, 10, 0, 4, 0, 2, 0, 25 };
    struct hello_spec spec = usual;
    uint8_t body[512];
    struct tls_offer o;

    (void)state;
    spec.extra = extra;
    spec.extra_len = sizeof extra;
    assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), 0);
    assert_list(o.groups, groups);
    assert_int_equal(o.extensions.count, 7);
    tls_offer_clear(&o);
}

static void test_lists_are_bounded(void **state)
{
    uint16_t many[1001];
    struct hello_spec spec = { .suites = many };
    uint8_t body[4096];
    struct tls_offer o;

    (void)state;
    for (uint16_t i = 0; i < 1000; i++)
        many[i] = (uint16_t)(i + 1);
    many[1000] = 0;
    assert_int_equal(tls_offer_parse(&o, body, hello_body(&spec, body, sizeof body)), 0);
    assert_int_equal(o.suites.count, TLS_OFFER_LIST_MAX);
    assert_true(o.truncated);
    tls_offer_clear(&o);
}

/* --- recorded hellos --- */

static void test_recorded_hellos(void **state)
{
    static const struct {
        const char *file;
        uint16_t max;
        bool sni, h2, ems, ticket;
    } cases[] = {
        { "hello/openssl-13", TLS_1_3, true, true, true, true },
        { "hello/openssl-12-only", TLS_1_2, true, false, true, true },
        { "hello/openssl-no-sni", TLS_1_3, false, false, true, true },
        { "hello/curl-13", TLS_1_3, true, true, true, false },
        { "hello/gnutls-13", TLS_1_3, true, true, true, true },
        { "hello/gnutls-12", TLS_1_2, true, false, true, true },
        { "hello/java-13", TLS_1_3, true, false, true, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n;
        uint8_t *data = hello_corpus(cases[i].file, &n);
        struct tls_hello_reader r;
        struct tls_offer o;

        tls_hello_reader_init(&r);
        assert_int_equal(tls_hello_reader_feed(&r, data, n), TLS_FIRST_HELLO);
        assert_null(r.heap); /* one record, one chunk: nothing is copied */
        assert_int_equal(tls_offer_parse(&o, r.body, r.body_len), 0);
        assert_int_equal(tls_offer_max_version(&o), cases[i].max);
        assert_int_equal(o.sni_state, cases[i].sni ? TLS_SNI_NAME : TLS_SNI_NONE);
        if (cases[i].sni)
            assert_string_equal(o.sni, "api.example.com");
        assert_int_equal(tls_offer_has_alpn(&o, "h2"), cases[i].h2);
        assert_int_equal(o.extended_master_secret, cases[i].ems);
        assert_int_equal(o.session_ticket, cases[i].ticket);
        assert_true(o.secure_renegotiation || cases[i].max == TLS_1_3);
        assert_true(tls_list_has(o.groups, TLS_GROUP_secp256r1));
        assert_true(tls_list_has(o.sigs, TLS_SIG_ecdsa_secp256r1_sha256));
        tls_offer_clear(&o);
        tls_hello_reader_clear(&r);
        free(data);
    }
}

static void test_recorded_ticket_and_fallback(void **state)
{
    size_t n;
    uint8_t *data = hello_corpus("hello/openssl-12-ticket", &n);
    struct tls_hello_reader r;
    struct tls_offer o;

    (void)state;
    tls_hello_reader_init(&r);
    assert_int_equal(tls_hello_reader_feed(&r, data, n), TLS_FIRST_HELLO);
    assert_int_equal(tls_offer_parse(&o, r.body, r.body_len), 0);
    assert_true(o.session_ticket_data);
    assert_false(o.fallback_scsv);
    tls_offer_clear(&o);
    tls_hello_reader_clear(&r);
    free(data);
    data = hello_corpus("hello/openssl-fallback", &n);
    assert_int_equal(tls_hello_reader_feed(&r, data, n), TLS_FIRST_HELLO);
    assert_int_equal(tls_offer_parse(&o, r.body, r.body_len), 0);
    assert_true(o.fallback_scsv);
    tls_offer_clear(&o);
    tls_hello_reader_clear(&r);
    free(data);
}

/* --- first bytes --- */

static void test_every_fragment_size_and_chunk_size(void **state)
{
    uint8_t body[1024], wire[8192];
    size_t n = hello_body(&usual, body, sizeof body);

    (void)state;
    for (size_t fragment = 1; fragment < n + 5; fragment += fragment < 8 ? 1 : 37) {
        size_t total = hello_records(body, n, fragment, wire, sizeof wire);

        for (size_t chunk = 1; chunk <= total; chunk = chunk < 9 ? chunk + 1 : chunk * 3) {
            struct tls_hello_reader r;
            enum tls_first verdict = TLS_FIRST_MORE;

            tls_hello_reader_init(&r);
            for (size_t at = 0; at < total && verdict == TLS_FIRST_MORE; at += chunk)
                verdict =
                    tls_hello_reader_feed(&r, wire + at, at + chunk < total ? chunk : total - at);
            assert_int_equal(verdict, TLS_FIRST_HELLO);
            assert_int_equal(r.body_len, n);
            assert_memory_equal(r.body, body, n);
            assert_int_equal(r.records, (n + 4 + fragment - 1) / fragment);
            assert_int_equal(r.record_version, 0x0301);
            tls_hello_reader_clear(&r);
        }
    }
}

/* What follows the hello, in its last record and behind it, is told apart and lost nowhere. */
static void test_what_follows_the_hello(void **state)
{
    static const uint8_t wire[] = "\x16\x03\x01\x00\x05\x01\x00\x00\x02x"
                                  "\x16\x03\x01\x00\x09yabcdefgh"
                                  "\x14\x03\x03";
    struct tls_hello_reader r;

    (void)state;
    for (size_t cut = 0; cut < sizeof wire - 1; cut++) {
        tls_hello_reader_init(&r);
        if (cut > 0 && tls_hello_reader_feed(&r, wire, cut) == TLS_FIRST_HELLO) {
            assert_true(cut >= 16);
            assert_int_equal(r.rest_len, cut - 16);
        } else {
            assert_int_equal(tls_hello_reader_feed(&r, wire + cut, sizeof wire - 1 - cut),
                             TLS_FIRST_HELLO);
            assert_int_equal(r.rest_len, sizeof wire - 1 - 16);
        }
        assert_memory_equal(r.body, "xy", 2);
        assert_ptr_equal(r.rest, wire + 16);
        assert_int_equal(r.in_record, 8);
        tls_hello_reader_clear(&r);
    }
}

static void test_a_large_hello_and_a_too_large_one(void **state)
{
    uint8_t *body = calloc(1, TLS_HELLO_MAX + 1), *wire = malloc(TLS_HELLO_MAX + 1024);
    struct tls_hello_reader r;

    (void)state;
    tls_hello_reader_init(&r);
    assert_int_equal(
        tls_hello_reader_feed(
            &r, wire, hello_records(body, TLS_HELLO_MAX, 16384, wire, TLS_HELLO_MAX + 1024)),
        TLS_FIRST_HELLO);
    assert_int_equal(r.body_len, TLS_HELLO_MAX);
    tls_hello_reader_clear(&r);
    assert_int_equal(
        tls_hello_reader_feed(
            &r, wire, hello_records(body, TLS_HELLO_MAX + 1, 16384, wire, TLS_HELLO_MAX + 1024)),
        TLS_FIRST_TOO_LARGE);
    assert_null(r.heap); /* said from its header alone */
    tls_hello_reader_clear(&r);
    free(body);
    free(wire);
}

static void assert_first(const char *bytes, size_t n, enum tls_first want)
{
    struct tls_hello_reader r;
    enum tls_first verdict = TLS_FIRST_MORE;

    tls_hello_reader_init(&r);
    assert_int_equal(tls_hello_reader_feed(&r, bytes, n), want);
    assert_int_equal(tls_hello_reader_feed(&r, "more", 4), want); /* final */
    tls_hello_reader_clear(&r);
    for (size_t i = 0; i < n && verdict == TLS_FIRST_MORE; i++)
        verdict = tls_hello_reader_feed(&r, bytes + i, 1);
    assert_int_equal(verdict, want);
    tls_hello_reader_clear(&r);
}
#define FIRST(bytes, want) assert_first(bytes, sizeof bytes - 1, want)

static void test_what_is_no_hello(void **state)
{
    (void)state;
    FIRST("GET / HTTP/1.1\r\n", TLS_FIRST_HTTP);
    FIRST("POST /x HTTP/1.1\r\n", TLS_FIRST_HTTP);
    FIRST("PUT /", TLS_FIRST_HTTP);
    FIRST("PATCH /", TLS_FIRST_HTTP);
    FIRST("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", TLS_FIRST_HTTP);
    FIRST("PROXY TCP4 127.0.0.1", TLS_FIRST_PROXY_V1);
    FIRST("\r\n\r\n\0\r\nQUIT\n\x21\x11", TLS_FIRST_PROXY_V2);
    FIRST("\x80\x2e\x01\x00\x02", TLS_FIRST_SSLV2);
    FIRST("\x80\x2e\x01\x03\x01", TLS_FIRST_SSLV2);
    FIRST("\x80\x2e\x02", TLS_FIRST_NOT_TLS);
    FIRST("SSH-2.0-OpenSSH", TLS_FIRST_NOT_TLS);
    FIRST("GETX", TLS_FIRST_NOT_TLS);
    FIRST("\0\0\0\0", TLS_FIRST_NOT_TLS);
    FIRST("\x16\x05\x01\x00\x10", TLS_FIRST_NOT_TLS);
    FIRST("\x15\x03\x01\x00\x02\x02\x28", TLS_FIRST_ALERT);
    FIRST("\x15\x03\x01\x00\x03", TLS_FIRST_MALFORMED);
    FIRST("\x16\x03\x01\x00\x00", TLS_FIRST_MALFORMED);
    FIRST("\x16\x03\x01\x40\x01", TLS_FIRST_MALFORMED);
    FIRST("\x16\x03\x01\x00\x04\x02\x00\x00\x00", TLS_FIRST_MALFORMED);
    FIRST("\x16\x03\x01\x00\x02\x01\x00\x17\x03\x03\x00\x01", TLS_FIRST_MALFORMED);
    FIRST("\x16\x03\x01\x00\x04\x01\x01\x00\x01", TLS_FIRST_TOO_LARGE);
}

static void test_alert_instead_of_hello(void **state)
{
    struct tls_hello_reader r;

    (void)state;
    tls_hello_reader_init(&r);
    assert_int_equal(tls_hello_reader_feed(&r, "\x15\x03\x01\x00\x02\x02", 6), TLS_FIRST_MORE);
    assert_int_equal(tls_hello_reader_feed(&r, "\x30", 1), TLS_FIRST_ALERT);
    assert_int_equal(r.alert_level, 2);
    assert_int_equal(r.alert_number, TLS_ALERT_unknown_ca);
    assert_string_equal(tls_first_text(TLS_FIRST_HTTP), "plain HTTP request");
    tls_hello_reader_clear(&r);
}

static void test_undecided_bytes_wait(void **state)
{
    static const char *const starts[] = { "",         "G",    "PR",           "PRO",
                                          "\r\n\r\n", "\x16", "\x16\x03\x01", "\x80\x20" };
    struct tls_hello_reader r;

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        tls_hello_reader_init(&r);
        assert_int_equal(tls_hello_reader_feed(&r, starts[i], strlen(starts[i])), TLS_FIRST_MORE);
        tls_hello_reader_clear(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offer_of_a_made_hello),
        cmocka_unit_test(test_versions_without_the_extension),
        cmocka_unit_test(test_every_truncation_is_malformed),
        cmocka_unit_test(test_odd_server_names),
        cmocka_unit_test(test_malformed_extensions_are_named),
        cmocka_unit_test(test_the_first_of_a_repeated_extension_counts),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_recorded_hellos),
        cmocka_unit_test(test_recorded_ticket_and_fallback),
        cmocka_unit_test(test_every_fragment_size_and_chunk_size),
        cmocka_unit_test(test_what_follows_the_hello),
        cmocka_unit_test(test_a_large_hello_and_a_too_large_one),
        cmocka_unit_test(test_what_is_no_hello),
        cmocka_unit_test(test_alert_instead_of_hello),
        cmocka_unit_test(test_undecided_bytes_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
