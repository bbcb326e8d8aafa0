/* SPDX-License-Identifier: Apache-2.0
 * Lab targets as a set: start, addresses, changes, stop, and what keeps them from starting. What
 * they answer is tested with real clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "labtarget/lab_target.h"
#include "testbed/sections.h"
#include "testbed/testbed.h"
#include "tls/tls_conf.h"

#define TWO                                                                                        \
    "[lab_target a]\nprotocol = HTTP\n"                                                            \
    "[lab_target b]\ncertificate = lab:self-signed/b.example\n"                                    \
    "[target_group g]\nprotocol = TCP\ntarget = lab:b\ntarget = lab:a\n"                           \
    "[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\ntarget_group = g\n"

static struct nlb_config *parse(const char *text)
{
    struct problems problems = { .path = "t.ini" };
    struct nlb_config *c = nlb_config_parse(text, strlen(text), "t.ini", ".", lab_section_kinds,
                                            lab_n_section_kinds, true, &problems);

    problems_print(&problems, stderr);
    problems_clear(&problems);
    assert_non_null(c);
    return c;
}

static bool answers(const struct addr *a)
{
    int fd = socket(a->u.sa.sa_family, SOCK_STREAM, 0);
    bool fine = connect(fd, &a->u.sa, a->len) == 0;

    close(fd);
    return fine;
}

static void started_bound_and_stopped(void **state)
{
    struct nlb_config *c = parse(TWO);
    struct err err;
    struct lab_targets *t = testbed_lab_targets(c, &err);
    struct addr at;

    (void)state;
    assert_non_null(t);
    assert_int_equal(lab_targets_count(t), 2);
    assert_string_equal(lab_targets_at(t, 0)->name, "a");
    assert_string_equal(lab_targets_at(t, 0)->protocol, "HTTP");
    assert_string_equal(lab_targets_at(t, 1)->protocol, "HTTPS");
    at = lab_targets_at(t, 1)->addr;
    assert_true(addr_equal(&c->groups[0].targets[0].addr, &at));
    assert_true(answers(&at));
    lab_targets_stop(t);
    assert_false(answers(&at));
    nlb_config_unref(c);
}

/* A change of `t` to what `text` says. */
static struct lab_targets_change *prepare(struct lab_targets *t, const char *text)
{
    struct nlb_config *c = parse(text);
    struct err err = { 0 };
    struct lab_targets_change *change = testbed_lab_targets_prepare(t, c, &err);

    if (change == NULL)
        fail_msg("%s", err.text);
    nlb_config_unref(c); /* its targets hold it */
    return change;
}

static void a_change_is_committed_or_dropped(void **state)
{
    static const char other[] = "[lab_target new]\nprotocol = HTTP\n"
                                "[lab_target b]\nprotocol = HTTP\nfault = status:503\n";
    struct nlb_config *c = parse(TWO);
    struct err err;
    struct lab_targets *t = testbed_lab_targets(c, &err);
    struct addr a, b;

    (void)state;
    assert_non_null(t);
    nlb_config_unref(c);
    a = lab_targets_at(t, 0)->addr;
    b = lab_targets_at(t, 1)->addr;
    for (int i = 0; i < 3; i++) {
        lab_targets_drop(prepare(t, other));
        assert_int_equal(lab_targets_count(t), 2);
        assert_string_equal(lab_targets_at(t, 1)->protocol, "HTTPS");
        assert_true(answers(&a) && answers(&b));
    }
    for (int i = 0; i < 3; i++) {
        lab_targets_commit(prepare(t, other));
        assert_int_equal(lab_targets_count(t), 2);
        assert_string_equal(lab_targets_at(t, 0)->name, "new");
        assert_string_equal(lab_targets_at(t, 1)->protocol, "HTTP");
        assert_true(addr_equal(&lab_targets_at(t, 1)->addr, &b));
        assert_false(answers(&a));
        assert_true(answers(&b) && answers(&lab_targets_at(t, 0)->addr));
        lab_targets_commit(prepare(t, "[lab_target b]\nprotocol = HTTP\n"));
        assert_int_equal(lab_targets_count(t), 1);
        assert_true(addr_equal(&lab_targets_at(t, 0)->addr, &b));
    }
    lab_targets_stop(t);
    assert_false(answers(&b));
}

static void the_first_target_comes_with_a_change(void **state)
{
    static const char none_yet[] = "[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\n"
                                   "target_group = g\n[target_group g]\nprotocol = TCP\n"
                                   "target = 127.0.0.1:1\n";
    struct nlb_config *c = parse(none_yet);
    struct err err;
    struct lab_targets *t = testbed_lab_targets(c, &err);

    (void)state;
    nlb_config_unref(c);
    lab_targets_commit(prepare(t, none_yet));
    lab_targets_drop(prepare(t, TWO));
    assert_int_equal(lab_targets_count(t), 0);
    lab_targets_commit(prepare(t, TWO));
    assert_int_equal(lab_targets_count(t), 2);
    assert_true(answers(&lab_targets_at(t, 0)->addr));
    lab_targets_commit(prepare(t, none_yet));
    assert_int_equal(lab_targets_count(t), 0);
    lab_targets_stop(t);
}

/* Not to listen, and to listen again, on one port: one that was chosen, and one that was given. */
static void a_port_stays_while_nobody_listens(void **state)
{
    char text[2][256], addr[ADDR_TEXT_MAX];
    const char *listen = "127.0.0.1:0";

    (void)state;
    for (int given = 0; given < 2; given++) {
        struct nlb_config *c;
        struct lab_targets *t;
        struct addr at;
        struct err err;

        for (int deaf = 0; deaf < 2; deaf++)
            snprintf(text[deaf], sizeof text[deaf],
                     "[lab_target a]\nprotocol = HTTP\nlisten = %s\nfault = %s\n", listen,
                     deaf ? "not-listening" : "none");
        c = parse(text[0]);
        t = testbed_lab_targets(c, &err);
        if (t == NULL)
            fail_msg("%s", err.text);
        nlb_config_unref(c);
        at = lab_targets_at(t, 0)->addr;
        for (int i = 0; i < 4; i++) {
            int deaf = i % 2 == 0, other = socket(AF_INET, SOCK_STREAM, 0);

            lab_targets_commit(prepare(t, text[deaf]));
            assert_true(addr_equal(&lab_targets_at(t, 0)->addr, &at));
            assert_int_equal(answers(&at), !deaf);
            assert_int_equal(bind(other, &at.u.sa, at.len), -1); /* still the target's */
            close(other);
        }
        lab_targets_stop(t);
        listen = addr_format(&at, addr);
    }
}

static void none(void **state)
{
    struct nlb_config *c = parse("[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\n"
                                 "target_group = g\n[target_group g]\nprotocol = TCP\n"
                                 "target = 127.0.0.1:1\n");
    struct err err;
    struct lab_targets *t = testbed_lab_targets(c, &err);

    (void)state;
    assert_non_null(t);
    assert_int_equal(lab_targets_count(t), 0);
    lab_targets_stop(t);
    lab_targets_stop(NULL);
    assert_int_equal(lab_targets_count(NULL), 0);
    nlb_config_unref(c);
}

static void a_taken_port_stops_all(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct nlb_config *c;
    struct addr taken;
    char text[256], addr[ADDR_TEXT_MAX];
    struct err err;

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(fd, 1), 0);
    taken = addr_local(fd);
    snprintf(text, sizeof text,
             "[lab_target a]\nprotocol = HTTP\n[lab_target b]\nprotocol = HTTP\nlisten = %s\n",
             addr_format(&taken, addr));
    c = parse(text);
    assert_null(testbed_lab_targets(c, &err));
    assert_int_equal(err.code, ERR_ENVIRONMENT);
    assert_non_null(strstr(err.text, "lab target 'b'"));
    nlb_config_unref(c);
    close(fd);
}

static void listening_everywhere_is_reached_on_loopback(void **state)
{
    struct nlb_config *c = parse("[lab_target a]\nprotocol = HTTP\nlisten = 0.0.0.0:0\n"
                                 "[target_group g]\nprotocol = TCP\ntarget = lab:a\n"
                                 "[listener l]\nprotocol = TCP\nlisten = 127.0.0.1:0\n"
                                 "target_group = g\n");
    struct err err;
    struct lab_targets *t = testbed_lab_targets(c, &err);
    char host[ADDR_TEXT_MAX];

    (void)state;
    assert_non_null(t);
    assert_string_equal(addr_format_host(&c->groups[0].targets[0].addr, host), "127.0.0.1");
    lab_targets_stop(t);
    nlb_config_unref(c);
}

static void many_sets_at_once(void **state)
{
    struct lab_targets *sets[8];
    struct nlb_config *c[8];
    struct err err;

    (void)state;
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < 8; i++) {
            c[i] = parse(TWO);
            sets[i] = testbed_lab_targets(c[i], &err);
            assert_non_null(sets[i]);
        }
        for (size_t i = 0; i < 8; i++) {
            assert_true(answers(&lab_targets_at(sets[i], 0)->addr));
            lab_targets_stop(sets[i]);
            nlb_config_unref(c[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(started_bound_and_stopped),
        cmocka_unit_test(a_change_is_committed_or_dropped),
        cmocka_unit_test(the_first_target_comes_with_a_change),
        cmocka_unit_test(a_port_stays_while_nobody_listens),
        cmocka_unit_test(none),
        cmocka_unit_test(a_taken_port_stops_all),
        cmocka_unit_test(listening_everywhere_is_reached_on_loopback),
        cmocka_unit_test(many_sets_at_once),
    };
    struct err err;

    if (tls_init(&err) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
