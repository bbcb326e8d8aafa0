/* SPDX-License-Identifier: Apache-2.0
 * Certificates that are presented: what loads, what is refused and how the refusal reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/x509/pem_file.h"

#define NOW  1795000000
#define HOST "api.example.com"

static char dir[64];
static struct cert_lab *lab;

static int set_up(void **state)
{
    struct err err;

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/nlbsim-store-XXXXXX");
    lab = cert_lab_new("store", NOW, &err);
    return mkdtemp(dir) != NULL && lab != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    cert_lab_free(lab);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct cert_lab_item item_of(const char *profile)
{
    struct cert_lab_item item;
    struct err err = { 0 };

    if (cert_lab_issue(lab, profile, HOST, &item, &err) != 0)
        fail_msg("%s", err.text);
    return item;
}

static void write_file(const char *name, const void *data, size_t len)
{
    struct err err = { 0 };
    char *path = pem_path(dir, name);

    if (file_write(path, data, len, FILE_REPLACE, &err) != 0)
        fail_msg("%s", err.text);
    free(path);
}

enum { WITH_CHAIN = 1, WITH_KEY = 2 };

static void write_item(const char *name, const struct cert_lab_item *item, int what)
{
    struct pem_text t = { 0 };

    for (size_t i = 0; i < item->chain_len && (what & WITH_CHAIN) != 0; i++)
        pem_put(&t, "CERTIFICATE", item->chain[i]);
    if ((what & WITH_KEY) != 0)
        pem_put_key(&t, item->key);
    write_file(name, t.at, t.len);
    pem_text_clear(&t);
}

static void refused(const char *spec, const char *part)
{
    struct err err = { 0 };
    struct identity *cert = identity_load(spec, dir, lab, &err);

    assert_null(cert);
    if (strstr(err.text, part) == NULL)
        fail_msg("%s: '%s' lacks '%s'", spec, err.text, part);
}

static void from_the_lab(void **state)
{
    struct err err = { 0 };
    struct identity *a = identity_load("lab:valid/" HOST, NULL, lab, &err);
    struct identity *b = identity_load("lab:valid/" HOST, NULL, lab, &err);

    (void)state;
    assert_non_null(a);
    assert_int_equal(a->chain.n, 2);
    assert_ptr_equal(a->leaf, a->chain.at[0]);
    assert_int_equal(a->leaf->key, CERT_KEY_EC);
    assert_int_equal(mbedtls_pk_get_bitlen(a->key), 256);
    assert_int_equal(strlen(a->id), IDENTITY_ID_TEXT - 1);
    assert_string_equal(a->id, b->id);
    identity_unref(b);
    assert_string_equal(a->spec, "lab:valid/" HOST);
    identity_unref(a);
    identity_unref(NULL);
}

static void a_certificate_outlives_its_lab(void **state)
{
    struct err err = { 0 };
    struct cert_lab *brief = cert_lab_new(NULL, NOW, &err);
    struct identity *cert = identity_load("lab:expired/" HOST, NULL, brief, &err);

    (void)state;
    cert_lab_free(brief);
    assert_non_null(cert);
    assert_int_equal(mbedtls_pk_get_type(cert->key), MBEDTLS_PK_ECKEY);
    assert_true(cert->leaf->not_after_utc < NOW);
    identity_unref(cert);
}

static void key_in_the_file_or_beside_it(void **state)
{
    struct cert_lab_item item = item_of("valid");
    struct err err = { 0 };
    struct identity *cert;

    (void)state;
    write_item("one.pem", &item, WITH_CHAIN | WITH_KEY);
    cert = identity_load("one.pem", dir, NULL, &err);
    assert_non_null(cert);
    identity_unref(cert);
    write_item("two.pem", &item, WITH_CHAIN);
    refused("two.pem", "two.key: cannot read");
    refused("two.pem", "holds no private key, so it is looked for beside it");
    write_item("two.key", &item, WITH_KEY);
    cert = identity_load("two.pem", dir, NULL, &err);
    assert_non_null(cert);
    assert_int_equal(cert->chain.n, 2);
    identity_unref(cert);
}

static void the_order_is_kept_even_if_wrong(void **state)
{
    struct cert_lab_item item = item_of("wrong-order");
    struct err err = { 0 };
    struct identity *cert;

    (void)state;
    write_item("order.pem", &item, WITH_CHAIN | WITH_KEY);
    cert = identity_load("order.pem", dir, NULL, &err);
    assert_non_null(cert);
    assert_int_equal(cert->chain.n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(der_span_eq(cert->chain.at[i]->der, item.chain[i]));
    assert_memory_equal(cert->crt->next->raw.p, item.chain[1].at, item.chain[1].len);
    identity_unref(cert);
}

static void odd_extensions_load(void **state)
{
    static const char *const odd[] = { "unknown-critical-extension",
                                       "name-constraints-violated",
                                       "unknown-critical-extension-intermediate",
                                       "eku-client-only",
                                       "ku-no-digital-signature",
                                       "v1-leaf",
                                       "no-subject",
                                       "bad-signature" };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct err err = { 0 };
        char spec[96];
        struct identity *cert;

        snprintf(spec, sizeof spec, "lab:%s/" HOST, odd[i]);
        cert = identity_load(spec, NULL, lab, &err);
        if (cert == NULL)
            fail_msg("%s: %s", spec, err.text);
        /* Whatever the usages say, it can be presented: the call of tls/mbedtls_private.c was made.
         */
        assert_int_equal(
            mbedtls_x509_crt_check_key_usage(cert->crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE), 0);
        identity_unref(cert);
    }
}

static void what_is_refused_says_why(void **state)
{
    struct cert_lab_item item = item_of("valid"), other = item_of("expired");
    struct pem_text t = { 0 };
    static const char encrypted[] =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMBwwFwYJKoZIhvcNAQUDMAoECAAAAAAAAAAAAgEBBAEA\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n";

    (void)state;
    refused("nowhere.pem", "nowhere.pem: cannot read: No such file");
    refused(".", "it is a directory");
    write_file("empty.pem", "", 0);
    refused("empty.pem", "empty.pem");
    write_file("text.pem", "no certificate here\n", 20);
    refused("text.pem", "text.pem");
    write_item("keyonly.pem", &item, WITH_KEY);
    refused("keyonly.pem", "keyonly.pem");
    write_item("pair.pem", &item, WITH_CHAIN);
    write_item("pair.key", &other, WITH_KEY);
    refused("pair.pem", "does not belong to the first certificate");
    write_file("pair.key", "rubbish", 7);
    refused("pair.pem", "pair.key: the private key is not in a format that can be read");
    write_file("pair.key", encrypted, sizeof encrypted - 1);
    refused("pair.pem", "encrypted");
    pem_put(&t, "CERTIFICATE", item.chain[0]);
    pem_put_line(&t, "-----BEGIN EC PRIVATE KEY-----");
    write_file("cut.pem", t.at, t.len);
    refused("cut.pem", "cut.pem: the private key");
    pem_text_clear(&t);
}

static void lab_specs_are_checked(void **state)
{
    struct err err = { 0 };

    (void)state;
    refused("lab:valid", "lab:PROFILE/HOST");
    refused("lab:/x", "lab:PROFILE/HOST");
    refused("lab:valid/", "lab:PROFILE/HOST");
    refused("lab:vaild/x", "did you mean 'valid'?");
    refused("lab:valid/a b", "not a host name");
    assert_int_equal(cert_spec_check("lab:valid/x", &err), 0);
    assert_int_equal(cert_spec_check("some.pem", &err), 0);
    assert_int_equal(cert_spec_check("lab:vaild/x", &err), -1);
    assert_null(identity_load("lab:valid/x", NULL, NULL, &err));
    assert_non_null(strstr(err.text, "no certificate lab here"));
}

/* Two hundred ways to spoil a certificate; each gives an error that names the file, none a crash.
 */
static void malformed_certificates_give_a_clear_error(void **state)
{
    struct cert_lab_item item = item_of("valid");
    struct der_span leaf = item.chain[0];
    int n = 0;

    (void)state;
    for (size_t cut = 1; cut < leaf.len && n < 120; cut += 2, n++) { /* cut short */
        struct cert_lab_item spoilt = item;

        spoilt.chain[0] = der_span_of(leaf.at, cut);
        write_item("spoilt.pem", &spoilt, WITH_CHAIN | WITH_KEY);
        refused("spoilt.pem", "spoilt.pem: certificate 1 of 2");
    }
    for (size_t at = 0; n < 160; at++, n++) { /* a wrong tag or length in the first forty octets */
        struct cert_lab_item spoilt = item;
        uint8_t *copy = malloc(leaf.len);
        struct err err = { 0 };
        struct identity *cert;

        memcpy(copy, leaf.at, leaf.len);
        copy[at] = (uint8_t)(copy[at] ^ 0xff);
        spoilt.chain[0] = der_span_of(copy, leaf.len);
        write_item("spoilt.pem", &spoilt, WITH_CHAIN | WITH_KEY);
        cert = identity_load("spoilt.pem", dir, NULL, &err);
        /* Octets 15 to 30 are the serial number: any value will do. */
        if (cert == NULL)
            assert_non_null(strstr(err.text, "spoilt.pem"));
        else
            assert_true(at >= 15 && at < 31);
        identity_unref(cert);
        free(copy);
    }
    for (size_t at = 30; n < 200; at += 3, n++) { /* something that is not base64 */
        struct pem_text t = { 0 };

        pem_put(&t, "CERTIFICATE", leaf);
        t.at[at] = '!';
        pem_put_key(&t, item.key);
        write_file("spoilt.pem", t.at, t.len);
        refused("spoilt.pem", "spoilt.pem");
        pem_text_clear(&t);
    }
    assert_int_equal(n, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_the_lab),
        cmocka_unit_test(a_certificate_outlives_its_lab),
        cmocka_unit_test(key_in_the_file_or_beside_it),
        cmocka_unit_test(the_order_is_kept_even_if_wrong),
        cmocka_unit_test(odd_extensions_load),
        cmocka_unit_test(what_is_refused_says_why),
        cmocka_unit_test(lab_specs_are_checked),
        cmocka_unit_test(malformed_certificates_give_a_clear_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
