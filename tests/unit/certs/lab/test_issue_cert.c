/* SPDX-License-Identifier: Apache-2.0
 * What the lab is made of: DER writing, names, certificates, revocation lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#include "certs/lab/crl_write.h"
#include "certs/lab/issue_cert.h"
#include "certs/lab/issue_key.h"
#include "certs/x509/der_write.h"
#include "certs/x509/parse.h"
#include "core/clock.h"

static void der_lengths(void **state)
{
    static const size_t lengths[] = { 0, 1, 127, 128, 255, 256, 65535, 65536 };
    uint8_t *buf = malloc(70000), *content = calloc(1, 65536);

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct der_out o = der_out_of(buf, 70000);
        struct der_span rest;
        struct der d;

        der_put_element(&o, DER_OCTET_STRING, content, lengths[i]);
        assert_false(o.bad);
        rest = der_span_of(o.at, der_out_len(&o));
        assert_null(der_next(&rest, &d)); /* our own reader takes it, to the last octet */
        assert_int_equal(d.body.len, lengths[i]);
        assert_int_equal(rest.len, 0);
    }
    free(buf);
    free(content);
}

static void der_that_does_not_fit_is_bad(void **state)
{
    uint8_t buf[4];
    struct der_out o = der_out_of(buf, sizeof buf);

    (void)state;
    der_put_element(&o, DER_OCTET_STRING, "abc", 3);
    assert_true(o.bad);
    der_put(&o, "", 0);
    assert_true(o.bad);
}

static void der_times(void **state)
{
    uint8_t buf[32];
    struct der_out o = der_out_of(buf, sizeof buf);

    (void)state;
    der_put_time(&o, clock_utc_of(2049, 12, 31, 23, 59, 59));
    assert_memory_equal(o.at,
                        "\x17\x0d"
                        "491231235959Z",
                        15);
    o = der_out_of(buf, sizeof buf);
    der_put_time(&o, clock_utc_of(2050, 1, 1, 0, 0, 0));
    assert_memory_equal(o.at,
                        "\x18\x0f"
                        "20500101000000Z",
                        17);
}

static void names_are_escaped(void **state)
{
    char name[64] = "C=US";

    (void)state;
    assert_true(issue_name_add(name, sizeof name, "CN", "a,b+c=d\\e"));
    assert_string_equal(name, "C=US,CN=a\\,b\\+c\\=d\\\\e");
    assert_false(
        issue_name_add(name, sizeof name, "O", "much longer than what is left of the room"));
}

static struct cert_facts *write_cert(const struct issue_cert *c, mbedtls_hmac_drbg_context *rng)
{
    struct cert_facts *facts;
    struct err err = { 0 };
    uint8_t *der;
    size_t len;

    if (issue_cert_write(c, mbedtls_hmac_drbg_random, rng, "test", &der, &len, &err) != 0)
        fail_msg("%s", err.text);
    facts = cert_facts_new(der, len);
    free(der);
    return facts;
}

/* The extension whose identifier has this content (three octets). */
static bool is_critical(const struct cert_facts *f, const char *oid)
{
    for (size_t i = 0; i < f->n_extensions; i++) {
        if (f->extensions[i].oid.len == 3 && memcmp(f->extensions[i].oid.at, oid, 3) == 0)
            return f->extensions[i].critical;
    }
    return false;
}

static void a_certificate_says_what_was_asked(void **state)
{
    static const char *const names[] = { "a.example", "*.b.example", "192.0.2.1" };
    mbedtls_hmac_drbg_context rng;
    mbedtls_pk_context key;
    struct cert_facts *f;
    struct err err;
    char text[128];
    struct issue_cert c = { .subject = "C=US,CN=a\\,b",
                            .issuer = "CN=i",
                            .key = &key,
                            .issuer_key = &key,
                            .md = MBEDTLS_MD_SHA384,
                            .serial = { 1, 2, 3 },
                            .serial_len = 3,
                            .not_before_utc = 1000000000,
                            .not_after_utc = clock_utc_of(2060, 1, 2, 3, 4, 5),
                            .basic = ISSUE_BASIC_CA,
                            .path_len = 2,
                            .usage = MBEDTLS_X509_KU_KEY_CERT_SIGN,
                            .eku = ISSUE_EKU_BOTH,
                            .names = names,
                            .n_names = 3,
                            .nc_permitted = "p.example",
                            .nc_excluded = "10.1.2.3",
                            .nc_critical = true,
                            .key_ids = true,
                            .unknown_critical = true,
                            .ev_policy = true };

    (void)state;
    assert_int_equal(issue_rng_init(&rng, "x", "y", &err), 0);
    mbedtls_pk_init(&key);
    assert_int_equal(issue_key_make(&key, ISSUE_KEY_EC256, "x", "k", &err), 0);
    f = write_cert(&c, &rng);
    assert_string_equal(f->refusal, "");
    assert_true(cert_name_cn(f->subject, 0, text, sizeof text));
    assert_string_equal(text, "a,b");
    assert_int_equal(f->serial.len, 3);
    assert_int_equal(f->not_before_utc, 1000000000);
    assert_int_equal(f->not_after_utc, c.not_after_utc);
    assert_true(f->ca);
    assert_int_equal(f->path_len, 2);
    assert_int_equal(f->key_usage, CERT_KU_KEY_CERT_SIGN);
    assert_int_equal(f->n_eku, 2);
    assert_int_equal(f->n_sans, 3);
    assert_int_equal(f->sans[2].kind, CERT_NAME_IP);
    assert_int_equal(f->n_nc_permitted, 1);
    assert_int_equal(f->nc_excluded[0].kind, CERT_NAME_IP);
    assert_int_equal(f->nc_excluded[0].value.len, 8);
    assert_true(is_critical(f, "\x55\x1d\x1e"));
    assert_true(is_critical(f, "\x88\x37\x01"));
    assert_true(f->has_policies);
    assert_int_equal(f->ski.len, 20);
    assert_true(der_span_eq(f->ski, f->aki_key));
    cert_facts_free(f);
    c.bare = c.v1 = true;
    f = write_cert(&c, &rng);
    assert_int_equal(f->version, 1);
    assert_int_equal(f->n_extensions, 0);
    cert_facts_free(f);
    mbedtls_pk_free(&key);
    issue_rng_free(&rng);
}

static void revocation_lists_of_any_length(void **state)
{
    static const size_t counts[] = { 0, 1, 2, 300 };
    mbedtls_hmac_drbg_context rng;
    mbedtls_pk_context key;
    struct cert_facts *ca;
    struct crl_entry entries[300];
    uint8_t serials[300][2];
    struct err err;
    struct issue_cert c = { .subject = "CN=ca",
                            .issuer = "CN=ca",
                            .key = &key,
                            .issuer_key = &key,
                            .md = MBEDTLS_MD_SHA256,
                            .serial = { 1 },
                            .serial_len = 1,
                            .not_after_utc = 2000000000,
                            .basic = ISSUE_BASIC_CA,
                            .path_len = -1,
                            .key_ids = true };

    (void)state;
    assert_int_equal(issue_rng_init(&rng, "x", "y", &err), 0);
    mbedtls_pk_init(&key);
    assert_int_equal(issue_key_make(&key, ISSUE_KEY_EC256, "x", "k", &err), 0);
    ca = write_cert(&c, &rng);
    for (size_t i = 0; i < 300; i++) {
        serials[i][0] = (uint8_t)(1 + i / 256);
        serials[i][1] = (uint8_t)i;
        entries[i] = (struct crl_entry){ .serial = der_span_of(serials[i], 2),
                                         .revoked_utc = 1700000000 + (int64_t)i,
                                         .reason = i % 2 == 0 ? CRL_REASON_UNSPECIFIED
                                                              : CRL_REASON_KEY_COMPROMISE };
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct crl_spec spec = { .issuer = ca->der,
                                 .key = &key,
                                 .md = MBEDTLS_MD_SHA256,
                                 .this_update_utc = 1800000000,
                                 .next_update_utc = 1800600000,
                                 .number = 0x80U << (8 * i),
                                 .entries = entries,
                                 .n_entries = counts[i] };
        mbedtls_x509_crl crl;
        uint8_t *der;
        size_t len, n = 0;

        assert_int_equal(crl_write(&spec, mbedtls_hmac_drbg_random, &rng, &der, &len, &err), 0);
        mbedtls_x509_crl_init(&crl);
        assert_int_equal(mbedtls_x509_crl_parse_der(&crl, der, len), 0);
        for (const mbedtls_x509_crl_entry *e = &crl.entry; e != NULL && e->serial.len > 0;
             e = e->next, n++)
            assert_memory_equal(e->serial.p, serials[n], 2);
        assert_int_equal(n, counts[i]);
        mbedtls_x509_crl_free(&crl);
        free(der);
    }
    cert_facts_free(ca);
    mbedtls_pk_free(&key);
    issue_rng_free(&rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(der_lengths),
        cmocka_unit_test(der_that_does_not_fit_is_bad),
        cmocka_unit_test(der_times),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(a_certificate_says_what_was_asked),
        cmocka_unit_test(revocation_lists_of_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
