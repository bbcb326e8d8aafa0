/* SPDX-License-Identifier: Apache-2.0
 * Revocation lists: of the lab, of files, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/x509_crl.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/store/revocation_list.h"
#include "certs/x509/pem_file.h"

static struct cert_lab *lab;
static char dir[64];

static int set_up(void **state)
{
    struct err err;

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/nlbsim-crl-XXXXXX");
    lab = cert_lab_new("crl", 1795000000, &err);
    return mkdtemp(dir) != NULL && lab != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cert_lab_free(lab);
    return rmdir(dir);
}

static size_t count(const struct revocation_list *crl)
{
    size_t n = 0;

    for (const mbedtls_x509_crl_entry *e = &revocation_list_mbedtls(crl)->entry;
         e != NULL && e->serial.len > 0; e = e->next)
        n++;
    return n;
}

static void the_lab_revokes_what_a_profile_says(void **state)
{
    struct err err = { 0 };
    struct revocation_list *none = revocation_list_load("lab:valid/a.example.com", NULL, lab, &err);
    struct revocation_list *one;

    (void)state;
    assert_non_null(none);
    assert_int_equal(count(none), 0);
    one = revocation_list_load("lab:revoked/a.example.com", NULL, lab, &err);
    assert_non_null(one);
    assert_int_equal(count(one), 1);
    revocation_list_free(none);
    revocation_list_free(one);
    assert_null(revocation_list_mbedtls(NULL));
    revocation_list_free(NULL);
}

static void files_are_read(void **state)
{
    struct pem_text text = { 0 };
    struct revocation_list *crl;
    struct cert_lab_item item;
    struct err err = { 0 };
    uint8_t *der = NULL;
    char path[80];
    size_t len = 0;

    (void)state;
    assert_int_equal(cert_lab_issue(lab, "revoked", "b.example.com", &item, &err), 0);
    assert_int_equal(
        cert_lab_crl(lab, lab_profile_issuer(lab_profile_find("revoked", &err)), &der, &len, &err),
        0);
    pem_put(&text, "X509 CRL", der_span_of(der, len));
    snprintf(path, sizeof path, "%s/list.pem", dir);
    assert_int_equal(file_write(path, text.at, text.len, FILE_REPLACE, &err), 0);
    crl = revocation_list_load("list.pem", dir, NULL, &err);
    assert_non_null(crl);
    assert_true(count(crl) >= 1);
    revocation_list_free(crl);
    assert_int_equal(file_write(path, "-----BEGIN X509 CRL-----\n", 25, FILE_REPLACE, &err), 0);
    assert_null(revocation_list_load("list.pem", dir, NULL, &err));
    assert_non_null(strstr(err.text, "list.pem: the revocation list "));
    unlink(path);
    assert_null(revocation_list_load("list.pem", dir, NULL, &err));
    assert_non_null(strstr(err.text, "list.pem"));
    pem_text_clear(&text);
    free(der);
}

static void what_has_no_list_says_so(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_null(revocation_list_load("lab:self-signed/a.example.com", NULL, lab, &err));
    assert_non_null(strstr(err.text, "no authority publishes a list for it"));
    assert_null(revocation_list_load("lab:valid/a.example.com", NULL, NULL, &err));
    assert_non_null(strstr(err.text, "there is no certificate lab here"));
    assert_null(revocation_list_load("lab:vaild/a.example.com", NULL, lab, &err));
    assert_non_null(strstr(err.text, "did you mean 'valid'?"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lab_revokes_what_a_profile_says),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(what_has_no_list_says_so),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
