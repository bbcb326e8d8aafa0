/* SPDX-License-Identifier: Apache-2.0
 * Certificates within the JSON of AWS command lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "certs/lab/lab.h"
#include "certs/x509/parse.h"
#include "certs/x509/pem_file.h"

static struct cert_lab *lab;
static char *leaf, *issuer; /* PEM */

static char *pem_of(struct der_span der)
{
    struct pem_text t = { 0 };

    pem_put(&t, "CERTIFICATE", der);
    return t.at;
}

static int set_up(void **state)
{
    struct cert_lab_item item;
    struct err err;

    (void)state;
    lab = cert_lab_new("json", 1795000000, &err);
    if (lab == NULL || cert_lab_issue(lab, "valid", "api.example.com", &item, &err) != 0)
        return -1;
    leaf = pem_of(item.chain[0]);
    issuer = pem_of(item.chain[1]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(leaf);
    free(issuer);
    cert_lab_free(lab);
    return 0;
}

/* Takes `document`; how many certificates are read from it, -1 with `err`. */
static int read_document(json_t *document, struct cert_list *list, struct err *err)
{
    char *text = json_dumps(document, 0);
    int rc = cert_list_read_json(list, text, strlen(text), "in.json", err);

    free(text);
    json_decref(document);
    return rc == 0 ? (int)list->n : -1;
}

static void what_aws_prints_is_read_leaf_first(void **state)
{
    struct cert_list list = { 0 };
    struct err err = { 0 };
    char cn[64];

    (void)state;
    /* aws acm get-certificate */
    assert_int_equal(
        read_document(json_pack("{ss ss}", "Certificate", leaf, "CertificateChain", issuer), &list,
                      &err),
        2);
    assert_false(list.at[0]->ca);
    assert_true(list.at[1]->ca);
    assert_true(cert_name_cn(list.at[0]->subject, 0, cn, sizeof cn));
    cert_list_clear(&list);
    /* aws iam get-server-certificate: one deeper, beside other members */
    assert_int_equal(read_document(json_pack("{s{s{ss} ss ss}}", "ServerCertificate",
                                             "ServerCertificateMetadata", "Path", "/",
                                             "CertificateBody", leaf, "CertificateChain", issuer),
                                   &list, &err),
                     2);
    cert_list_clear(&list);
    /* a list of them */
    assert_int_equal(
        read_document(json_pack("[{ss} {ss}]", "pem", leaf, "pem", issuer), &list, &err), 2);
    cert_list_clear(&list);
}

static void what_is_not_there_is_said(void **state)
{
    struct cert_list list = { 0 };
    struct err err = { 0 };
    json_t *deep = json_string(leaf);

    (void)state;
    assert_int_equal(read_document(json_pack("{ss}", "Certificate", "none"), &list, &err), -1);
    assert_non_null(strstr(err.text, "in.json: is JSON without a certificate in it"));
    assert_int_equal(cert_list_read_json(&list, "{\n\"a\":", 6, "in.json", &err), -1);
    assert_non_null(strstr(err.text, "in.json:2: begins like JSON, but"));
    for (int i = 0; i < 9; i++)
        deep = json_pack("[o]", deep);
    assert_int_equal(read_document(deep, &list, &err), -1); /* nobody prints one so deep */
    assert_int_equal(list.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_aws_prints_is_read_leaf_first),
        cmocka_unit_test(what_is_not_there_is_said),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
