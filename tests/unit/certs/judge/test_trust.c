/* SPDX-License-Identifier: Apache-2.0
 * The judge on certificates issued by the lab: profiles, the skip flag, pinning, order, words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/lab/profiles.h"
#include "certs/store/trust_store.h"
#include "core/clock.h"

#define NOW  1795000000 /* 2026-11-18 */
#define DAY  86400
#define HOST "api.example.com"

static struct cert_lab *lab;

static int make_lab(void **state)
{
    struct err err = { 0 };

    (void)state;
    lab = cert_lab_new("judge", NOW, &err);
    return lab != NULL ? 0 : -1;
}

static int free_lab(void **state)
{
    (void)state;
    cert_lab_free(lab);
    return 0;
}

struct bench { /* a request with everything it needs */
    struct cert_list chain;
    struct trust_store *store;
    struct trust_anchors *anchors;
    struct trust_request req;
    struct verdict v;
};

static void lay_out(struct bench *b, const char *profile, const char *store)
{
    struct cert_lab_item item;
    struct err err = { 0 };
    char spec[64];

    memset(b, 0, sizeof *b);
    if (cert_lab_issue(lab, profile, HOST, &item, &err) != 0)
        fail_msg("%s: %s", profile, err.text);
    for (size_t i = 0; i < item.chain_len; i++)
        assert_int_equal(
            cert_list_take(&b->chain, cert_facts_new(item.chain[i].at, item.chain[i].len), &err),
            0);
    snprintf(spec, sizeof spec, "lab:%s", store);
    b->store = trust_store_load(spec, NULL, lab, &err);
    if (b->store == NULL)
        fail_msg("%s: %s", spec, err.text);
    b->anchors = trust_anchors_new(b->store->list.at, b->store->list.n, false);
    b->req = (struct trust_request){ .chain = b->chain.at,
                                     .chain_len = b->chain.n,
                                     .anchors = b->anchors,
                                     .host = HOST,
                                     .at_utc = NOW };
}

static const struct verdict *judge(struct bench *b)
{
    trust_judge(&b->req, &b->v);
    return &b->v;
}

static void clear(struct bench *b)
{
    trust_anchors_free(b->anchors);
    trust_store_unref(b->store);
    cert_list_clear(&b->chain);
}

static void a_sound_chain(void **state)
{
    struct bench b;

    (void)state;
    lay_out(&b, "valid", "public");
    assert_int_equal(judge(&b)->code, VERDICT_OK);
    assert_string_equal(b.v.error, "");
    b.req.client = TRUST_JDK;
    assert_true(judge(&b)->ok);
    b.req.host = "other.example.com";
    assert_string_equal(judge(&b)->error,
                        "No subject alternative DNS name matching other.example.com found.");
    assert_int_equal(b.v.alert_tls13, 46);
    b.req.client = TRUST_APACHE;
    assert_non_null(strstr(judge(&b)->error, "Host name 'other.example.com' does not match the "
                                             "certificate subject provided by the peer (CN="));
    assert_int_equal(b.v.alert_tls13, -1); /* after the handshake */
    assert_string_equal(b.v.evidence, "documented");
    b.req.chain_len = 1;
    assert_int_equal(judge(&b)->code, VERDICT_NO_PATH);
    b.req.chain_len = 0;
    assert_int_equal(judge(&b)->code, VERDICT_CHAIN_EMPTY);
    clear(&b);
}

static void the_moment_decides(void **state)
{
    char sentence[2048];
    struct bench b;

    (void)state;
    lay_out(&b, "valid", "public");
    b.req.at_utc = NOW + 20000 * (int64_t)DAY;
    assert_int_equal(judge(&b)->code, VERDICT_EXPIRED);
    assert_non_null(strstr(b.v.error, "validity check failed"));
    assert_non_null(strstr(b.v.detail, "CertificateExpiredException: NotAfter: "));
    assert_non_null(strstr(b.v.detail, " UTC 20"));
    assert_int_equal(b.v.alert_tls12, 45);
    assert_int_equal(b.v.alert_tls13, 46);
    assert_non_null(
        strstr(verdict_what(&b.v, b.chain.at[0], sentence, sizeof sentence), "it expired on 20"));
    b.req.at_utc = b.chain.at[0]->not_after_utc; /* the last good second */
    if (b.chain.at[1]->not_after_utc > b.req.at_utc)
        assert_true(judge(&b)->ok);
    b.req.at_utc = 0;
    assert_int_equal(judge(&b)->code, VERDICT_NOT_YET_VALID);
    assert_int_equal(b.v.alert_tls12, 42);
    clear(&b);
}

static void pinning(void **state)
{
    struct bench b;

    (void)state;
    lay_out(&b, "expired", "public");
    assert_int_equal(judge(&b)->code, VERDICT_EXPIRED);
    assert_int_equal(b.v.index, 0);
    trust_anchors_free(b.anchors);
    b.anchors = trust_anchors_new(b.chain.at, 1, false); /* the leaf itself is trusted */
    b.req.anchors = b.anchors;
    assert_true(judge(&b)->ok);
    trust_anchors_free(b.anchors);
    b.anchors = trust_anchors_new(NULL, 0, false);
    b.req.anchors = b.anchors;
    assert_int_equal(judge(&b)->code, VERDICT_NO_ANCHORS);
    clear(&b);
}

static void the_skip_flag(void **state)
{
    struct bench b;

    (void)state;
    lay_out(&b, "self-signed", "public");
    assert_int_equal(judge(&b)->code, VERDICT_NO_PATH);
    b.req.insecure_skip = true;
    assert_true(judge(&b)->ok);
    b.req.skip_refuses_plain_self_signed = true;
    assert_int_equal(judge(&b)->code, VERDICT_ANCHOR_NOT_A_CA);
    b.req.skip_refuses_plain_self_signed = false;
    b.req.host = "other.example.com";
    assert_int_equal(judge(&b)->code, VERDICT_HOST_MISMATCH);
    b.req.host = HOST;
    b.req.at_utc = NOW + 20000 * (int64_t)DAY;
    assert_int_equal(judge(&b)->code, VERDICT_EXPIRED);
    clear(&b);
    lay_out(&b, "valid", "private"); /* another authority, and its root is not presented */
    b.req.insecure_skip = true;
    assert_int_equal(judge(&b)->code, VERDICT_NO_PATH);
    clear(&b);
    lay_out(&b, "with-root", "private");
    assert_int_equal(judge(&b)->code, VERDICT_NO_PATH);
    b.req.insecure_skip = true;
    assert_true(judge(&b)->ok);
    clear(&b);
}

static void every_profile_says_what_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < lab_n_profiles; i++) {
        const struct lab_profile *p = &lab_profiles[i];
        struct bench b;

        if (p->store == NULL || strncmp(p->hop, "listener", 8) != 0 ||
            strstr(p->name, "rsa-") != NULL)
            continue; /* RSA keys take seconds to make; the behaviour tests have them */
        lay_out(&b, p->name, p->store);
        judge(&b);
        if (p->says == NULL ? !b.v.ok : strstr(b.v.error, p->says) == NULL)
            fail_msg("%s: says '%s', expected '%s'", p->name, b.v.error,
                     p->says != NULL ? p->says : "(accepted)");
        clear(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_chain),
        cmocka_unit_test(the_moment_decides),
        cmocka_unit_test(pinning),
        cmocka_unit_test(the_skip_flag),
        cmocka_unit_test(every_profile_says_what_its_row_says),
    };

    return cmocka_run_group_tests(tests, make_lab, free_lab);
}
