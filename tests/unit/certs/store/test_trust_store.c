/* SPDX-License-Identifier: Apache-2.0
 * Trust stores: of the lab, of files, of the system, pinned leaves, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/store/trust_store.h"
#include "certs/x509/pem_file.h"

static struct cert_lab *lab;
static char dir[64];

static int set_up(void **state)
{
    struct err err;

    (void)state;
    snprintf(dir, sizeof dir, "/tmp/nlbsim-trust-XXXXXX");
    lab = cert_lab_new("store", 1795000000, &err);
    return mkdtemp(dir) != NULL && lab != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cert_lab_free(lab);
    return rmdir(dir);
}

static void holds(const char *spec, const char *base_dir, size_t n)
{
    struct err err = { 0 };
    struct trust_store *b = trust_store_load(spec, base_dir, lab, &err);

    if (b == NULL)
        fail_msg("%s: %s", spec, err.text);
    assert_string_equal(b->spec, spec);
    assert_int_equal(b->list.n, n);
    assert_non_null(b->crt);
    trust_store_unref(b);
}

static void the_labs_own(void **state)
{
    (void)state;
    holds("lab:public", NULL, 2);
    holds("lab:all", NULL, 3);
    holds("lab:stage-client/x", NULL, 1); /* pinning: the leaf alone */
}

static void files_in_their_order(void **state)
{
    struct cert_lab_item item;
    struct pem_text text = { 0 };
    struct trust_store *b;
    struct err err = { 0 };
    char path[80];

    (void)state;
    assert_int_equal(cert_lab_issue(lab, "valid", "api.example.com", &item, &err), 0);
    pem_put(&text, "CERTIFICATE", item.root);
    pem_put(&text, "CERTIFICATE", item.chain[1]);
    snprintf(path, sizeof path, "%s/roots.pem", dir);
    assert_int_equal(file_write(path, text.at, text.len, FILE_REPLACE, &err), 0);
    holds("roots.pem", dir, 2);
    b = trust_store_load(path, NULL, NULL, &err);
    assert_non_null(b);
    assert_true(der_span_eq(b->list.at[0]->der, item.root));
    assert_true(der_span_eq(b->list.at[1]->der, item.chain[1]));
    trust_store_unref(b);
    unlink(path);
    pem_text_clear(&text);
}

static void what_is_refused_says_why(void **state)
{
    static const struct {
        const char *spec, *why;
        bool with_lab;
        enum err_code code;
    } rows[] = {
        { "lab:pubic", "did you mean 'public'?", true, ERR_CONFIG },
        { "lab:public", "there is no certificate lab here; give a PEM file", false, ERR_CONFIG },
        { "lab:vaild/x", "did you mean 'valid'?", true, ERR_CONFIG },
        { "nowhere.pem", "nowhere.pem", true, ERR_ENVIRONMENT },
        { "https://example.com/roots.pem", "URL", true, ERR_CONFIG },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = { 0 };

        assert_null(trust_store_load(rows[i].spec, dir, rows[i].with_lab ? lab : NULL, &err));
        if (strstr(err.text, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].spec, err.text);
        assert_int_equal(err.code, rows[i].code);
    }
    trust_store_unref(NULL);
}

/* Where there is a store of the system, it is read. */
static void the_systems(void **state)
{
    struct err err = { 0 };
    struct trust_store *b = trust_store_load("system", NULL, NULL, &err);

    (void)state;
    if (b == NULL) {
        assert_int_equal(err.code, ERR_ENVIRONMENT);
        skip();
    }
    assert_true(b->list.n > 20);
    trust_store_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_labs_own),
        cmocka_unit_test(files_in_their_order),
        cmocka_unit_test(what_is_refused_says_why),
        cmocka_unit_test(the_systems),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
