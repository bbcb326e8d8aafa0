/* SPDX-License-Identifier: Apache-2.0
 * Client certificates: the state of a rotation, and what an interruption at any write leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/audit/client_store.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"

#define NOW 1795000000

static char dir[40], inside[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/nlbsim-client-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(inside, sizeof inside, "%s/stage", dir);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", dir, dir);
    return system(command);
}

static struct client_store *open_store(void)
{
    struct err err = { 0 };
    struct client_store *s = client_store_open(inside, true, &err);

    if (s == NULL)
        fail_msg("%s", err.text);
    return s;
}

/* What the stage presents must be among what the backend accepts. */
static void assert_accepted(void)
{
    struct err err = { 0 };
    struct identity *current = identity_load("current.pem", inside, NULL, &err);
    struct trust_store *accepted = trust_store_load("accepted.pem", inside, NULL, &err);
    bool found = false;

    assert_non_null(current);
    assert_non_null(accepted);
    for (size_t i = 0; i < accepted->list.n; i++)
        found |= der_span_eq(accepted->list.at[i]->der, current->leaf->der);
    assert_true(found);
    identity_unref(current);
    trust_store_unref(accepted);
}

static int step(struct client_store *s, enum client_step *which)
{
    struct err err = { 0 };
    json_t *state = client_store_rotate(s, NULL, NULL, NOW, which, &err);

    json_decref(state);
    return state != NULL ? 0 : -1;
}

static void steps_come_in_their_order(void **state)
{
    static const enum client_step order[] = { CLIENT_STEP_ACCEPT, CLIENT_STEP_SWITCH,
                                              CLIENT_STEP_ACCEPT, CLIENT_STEP_SWITCH,
                                              CLIENT_STEP_REMOVE, CLIENT_STEP_ACCEPT,
                                              CLIENT_STEP_SWITCH, CLIENT_STEP_REMOVE };
    struct client_store *s = open_store();
    enum client_step which;

    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_int_equal(step(s, &which), 0);
        assert_int_equal(which, order[i]);
        if (i > 0)
            assert_accepted();
    }
    client_store_close(s);
}

/* A full disk or a crash: from some write on, none succeeds. Whatever was written until then, the
 * stage is accepted, and the next call goes on. */
static void an_interrupted_step_is_taken_again(void **state)
{
    struct client_store *s = open_store();
    enum client_step which;

    (void)state;
    if (geteuid() == 0) { /* root writes anyway: take the file names instead */
        static const char *const blocked[] = { "accepted.pem", "current.pem", "state.json" };

        for (int i = 0; i < 2; i++)
            assert_int_equal(step(s, &which), 0);
        for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++) {
            char path[96], saved[96];

            for (int round = 0; round < 3; round++) {
                struct stat st;

                snprintf(path, sizeof path, "%s/%s", inside, blocked[i]);
                snprintf(saved, sizeof saved, "%s/%s", dir, blocked[i]);
                assert_int_equal(rename(path, saved), 0);
                assert_int_equal(mkdir(path, 0700), 0); /* rename() onto it fails */
                (void)step(s, &which);
                assert_int_equal(stat(path, &st), 0);
                if (S_ISDIR(st.st_mode)) {
                    assert_int_equal(rmdir(path), 0);
                    assert_int_equal(rename(saved, path), 0);
                }
                assert_accepted();
                assert_int_equal(step(s, &which), 0);
                assert_accepted();
            }
        }
    } else {
        assert_int_equal(step(s, &which), 0);
        assert_int_equal(step(s, &which), 0);
        assert_int_equal(chmod(inside, 0500), 0);
        assert_int_equal(step(s, &which), -1);
        assert_accepted();
        assert_int_equal(chmod(inside, 0700), 0);
        assert_int_equal(step(s, &which), 0);
        assert_accepted();
    }
    client_store_close(s);
}

static void damage_is_told(void **state)
{
    struct client_store *s = open_store();
    struct err err = { 0 };
    json_t *made = client_store_generate(s, "d", NULL, NOW, &err);
    char path[160];
    FILE *f;

    (void)state;
    assert_non_null(made);
    snprintf(path, sizeof path, "%s/%s.json", inside,
             json_string_value(json_object_get(made, "clientCertificateId")));
    f = fopen(path, "w");
    fputs("{ broken", f);
    fclose(f);
    assert_null(client_store_list(s, &err));
    assert_non_null(strstr(err.text, ".json:1"));
    json_decref(made);
    client_store_close(s);
}

static void identifiers_do_not_lead_out_of_the_directory(void **state)
{
    static const char *const bad[] = { "", "..", "../x", "abc12", "abc1234", "ABC123", "abc/12" };
    struct client_store *s = open_store();

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = { 0 };

        assert_null(client_store_get(s, bad[i], &err));
        assert_int_equal(client_store_delete(s, bad[i], &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
    }
    client_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_come_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_step_is_taken_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identifiers_do_not_lead_out_of_the_directory, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
