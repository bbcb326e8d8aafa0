/* SPDX-License-Identifier: Apache-2.0
 * Audit: thresholds to the day, roles, and findings that say whom they are about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "certs/audit/audit.h"
#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"

#define NOW  1795000000
#define DAY  86400
#define HOST "api.example.com"

static struct cert_lab *lab;
static struct trust_store *trusted;
static struct trust_anchors *anchors;
static struct audit_store store;

static int set_up(void **state)
{
    struct err err;

    (void)state;
    lab = cert_lab_new("audit", NOW, &err);
    trusted = trust_store_load("lab:public", NULL, lab, &err);
    anchors = trust_anchors_new(trusted->list.at, trusted->list.n, false);
    store = (struct audit_store){ .name = "public", .list = &trusted->list, .anchors = anchors };
    return lab != NULL && anchors != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    trust_anchors_free(anchors);
    trust_store_unref(trusted);
    cert_lab_free(lab);
    return 0;
}

struct look {
    const char *profile;
    int64_t at;
    unsigned days;
    enum audit_role role;
    const char *host;
    bool judged;
};

static struct audit_report look(const struct look *l)
{
    struct audit_options o = { .now_s = l->at != 0 ? l->at : NOW, .days = l->days };
    struct audit_report report = { 0 };
    struct err err = { 0 };
    struct identity *cert;
    char spec[96];

    snprintf(spec, sizeof spec, "lab:%s/" HOST, l->profile);
    cert = identity_load(spec, NULL, lab, &err);
    if (cert == NULL)
        fail_msg("%s", err.text);
    struct audit_subject s = { .file = "f.pem",
                               .where = "listener x",
                               .line = 7,
                               .role = l->role,
                               .chain = &cert->chain,
                               .store = l->judged ? &store : NULL,
                               .host = l->host };

    assert_int_equal(audit_chain(&report, &o, &s, &err), 0);
    identity_unref(cert);
    return report;
}

static void expect_only(const struct look *l, enum audit_code code, enum audit_severity severity)
{
    struct audit_report r = look(l);

    if (r.n != 1)
        fail_msg("%s: %zu findings", l->profile, r.n);
    assert_string_equal(audit_rules[r.at[0].code].code, audit_rules[code].code);
    assert_int_equal(r.at[0].severity, severity);
    assert_string_equal(r.at[0].file, "f.pem");
    assert_string_equal(r.at[0].where, "listener x");
    assert_int_equal(r.at[0].line, 7);
    audit_report_clear(&r);
}

static void expect_nothing(const struct look *l)
{
    struct audit_report r = look(l);

    if (r.n != 0)
        fail_msg("%s: %s", l->profile, r.at[0].message);
    audit_report_clear(&r);
}

static void the_threshold_to_the_day(void **state)
{
    const int64_t end = NOW + 198 * DAY; /* of profile valid */

    (void)state;
    expect_nothing(&(struct look){ "valid", end - 30 * DAY, 30, AUDIT_ROLE_UNKNOWN, HOST, true });
    expect_only(&(struct look){ "valid", end - 30 * DAY + 1, 30, AUDIT_ROLE_UNKNOWN, HOST, true },
                AUDIT_EXPIRES_SOON, AUDIT_WARNING);
    expect_only(&(struct look){ "valid", end - 1, 30, AUDIT_ROLE_UNKNOWN, HOST, true },
                AUDIT_EXPIRES_SOON, AUDIT_WARNING);
    expect_only(&(struct look){ "valid", end + 1, 30, AUDIT_ROLE_UNKNOWN, HOST, true },
                AUDIT_EXPIRED, AUDIT_ERROR);
    expect_nothing(&(struct look){ "valid", end - 1, 0, AUDIT_ROLE_UNKNOWN, HOST, true });
}

static void the_role_decides_who_minds(void **state)
{
    (void)state;
    expect_only(&(struct look){ "expired", 0, 30, AUDIT_ROLE_TLS_LISTENER, HOST, true },
                AUDIT_EXPIRED, AUDIT_ERROR);
    expect_only(&(struct look){ "expired", 0, 30, AUDIT_ROLE_TARGET_IGNORED, HOST, true },
                AUDIT_EXPIRED, AUDIT_NOTE);
    expect_nothing(&(struct look){ "wrong-host", 0, 30, AUDIT_ROLE_TARGET_IGNORED, HOST, true });
    expect_only(&(struct look){ "wrong-host", 0, 30, AUDIT_ROLE_TARGET_VALIDATED, HOST, true },
                AUDIT_NAME_MISMATCH, AUDIT_ERROR);
    expect_nothing(&(struct look){ "stage-client", 0, 30, AUDIT_ROLE_CLIENT, NULL, true });
    expect_only(&(struct look){ "stage-client-expired", 0, 30, AUDIT_ROLE_CLIENT, NULL, true },
                AUDIT_EXPIRED, AUDIT_ERROR);
}

static void what_the_judge_says_is_not_said_twice(void **state)
{
    (void)state;
    expect_only(&(struct look){ "not-yet-valid", 0, 30, AUDIT_ROLE_UNKNOWN, HOST, true },
                AUDIT_NOT_YET_VALID, AUDIT_ERROR);
    expect_only(&(struct look){ "leaf-only", 0, 30, AUDIT_ROLE_UNKNOWN, HOST, true },
                AUDIT_CHAIN_INCOMPLETE, AUDIT_ERROR);
    expect_only(&(struct look){ "md5", 0, 30, AUDIT_ROLE_UNKNOWN, HOST, true }, AUDIT_HASH_REFUSED,
                AUDIT_ERROR);
    expect_only(&(struct look){ "pathlen-violated", 0, 30, AUDIT_ROLE_UNKNOWN, HOST, true },
                AUDIT_REFUSED, AUDIT_ERROR);
}

static void a_root_that_is_sent_does_not_count(void **state)
{
    struct look l = { "with-root", NOW, 30, AUDIT_ROLE_UNKNOWN, HOST, true };

    (void)state;
    expect_nothing(&l);
}

static void a_finding_names_the_certificate(void **state)
{
    struct look l = { "expired-intermediate", 0, 30, AUDIT_ROLE_UNKNOWN, HOST, true };
    struct audit_report r = look(&l);

    (void)state;
    assert_int_equal(r.n, 1);
    assert_int_equal(r.at[0].code, AUDIT_ISSUER_EXPIRED);
    assert_string_equal(r.at[0].subject, "nlbsim Lab Expired Issuing");
    assert_non_null(strstr(r.at[0].message, "30 days ago"));
    audit_report_clear(&r);
}

static void codes_are_lower_case_and_unlike(void **state)
{
    (void)state;
    for (size_t i = 0; i < AUDIT_N; i++) {
        assert_int_equal(strspn(audit_rules[i].code, "abcdefghijklmnopqrstuvwxyz-"),
                         strlen(audit_rules[i].code));
        assert_true(strlen(audit_rules[i].effect) > 10 && strlen(audit_rules[i].remedy) > 4);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(audit_rules[i].code, audit_rules[k].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_threshold_to_the_day),
        cmocka_unit_test(the_role_decides_who_minds),
        cmocka_unit_test(what_the_judge_says_is_not_said_twice),
        cmocka_unit_test(a_root_that_is_sent_does_not_count),
        cmocka_unit_test(a_finding_names_the_certificate),
        cmocka_unit_test(codes_are_lower_case_and_unlike),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
