/* SPDX-License-Identifier: Apache-2.0
 * The transition table: every cell, filled or empty, and the copy of it in docs/ARCHITECTURE.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "flow/actions.h"
#include "tests/lib/flowrig.h"
#include "tests/lib/sockets.h"

static const struct {
    flow_action action;
    const char *name;
} actions[] = {
    { flow_begin_front, "begin_front" },
    { flow_resume_front, "resume_front" },
    { flow_pick_and_connect, "pick_and_connect" },
    { flow_begin_back, "begin_back" },
    { flow_begin_relay, "begin_relay" },
    { flow_pass_eof, "pass_eof" },
    { flow_expire, "expire" },
    { flow_target_lost, "lose_target" },
    { flow_finish, "finish" },
};

static const char *action_name(flow_action a)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (actions[i].action == a)
            return actions[i].name;
    }
    return NULL;
}

static void names_are_complete(void **state)
{
    (void)state;
    for (int s = 0; s < FLOW_N_STATES; s++) {
        assert_non_null(flow_state_name((enum flow_state)s));
        for (int t = 0; t < s; t++)
            assert_string_not_equal(flow_state_name((enum flow_state)s),
                                    flow_state_name((enum flow_state)t));
    }
    for (int e = 0; e < FLOW_N_EVENTS; e++) {
        assert_non_null(flow_event_name((enum flow_event)e));
        for (int t = 0; t < e; t++)
            assert_string_not_equal(flow_event_name((enum flow_event)e),
                                    flow_event_name((enum flow_event)t));
    }
}

static void filled_cells_lead_somewhere(void **state)
{
    (void)state;
    for (int s = 0; s < FLOW_N_STATES; s++) {
        assert_null(flow_rules[s][ON_NOTHING].action); /* waiting is no event */
        for (int e = 0; e < FLOW_N_EVENTS; e++) {
            const struct flow_rule *rule = &flow_rules[s][e];

            if (rule->action == NULL)
                continue;
            assert_int_not_equal(s, FLOW_CLOSED);
            assert_in_range(rule->next, 0, FLOW_CLOSED);
            assert_non_null(action_name(rule->action));
            /* Only finish leads out, and it leads nowhere else. */
            assert_int_equal(rule->next == FLOW_CLOSED, rule->action == flow_finish);
        }
        if (s == FLOW_CLOSED)
            continue;
        assert_ptr_equal(flow_rules[s][ON_FAILED].action, flow_finish);
        assert_ptr_equal(flow_rules[s][ON_TIMEOUT].action, flow_finish);
    }
}

static void every_state_can_be_reached(void **state)
{
    bool reached[FLOW_N_STATES] = { [FLOW_ACCEPTED] = true };

    (void)state;
    for (int round = 0; round < FLOW_N_STATES; round++) {
        for (int s = 0; s < FLOW_N_STATES; s++) {
            for (int e = 0; reached[s] && e < FLOW_N_EVENTS; e++) {
                if (flow_rules[s][e].action != NULL)
                    reached[flow_rules[s][e].next] = true;
            }
        }
    }
    for (int s = 0; s < FLOW_N_STATES; s++)
        assert_true(reached[s]);
}

/* flow_step() with standard error in a file; what was logged, malloc'ed. */
static char *step_logged(struct flow *f, enum flow_event e)
{
    int saved = dup(STDERR_FILENO), file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    char *text;
    off_t n;

    assert_true(saved >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    flow_step(f, e);
    dup2(saved, STDERR_FILENO);
    n = lseek(file, 0, SEEK_END);
    text = calloc(1, (size_t)n + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)n, 0), n);
    close(file);
    close(saved);
    return text;
}

/* An empty cell is our own mistake: it is logged as a bug and ends the flow as elb_internal, with
 * RST to the client; in FLOW_CLOSED it is only logged. */
static void empty_cells_end_the_flow_as_a_bug(void **state)
{
    (void)state;
    for (int s = 0; s < FLOW_N_STATES; s++) {
        for (int e = ON_NOTHING + 1; e < FLOW_N_EVENTS; e++) {
            struct rig r;
            struct flow *f;
            char *log, expected[128];
            int fd[2];

            if (flow_rules[s][e].action != NULL)
                continue;
            rig_init(&r, FLOW_RELAY_COPY);
            sock_pair(fd, 0);
            f = rig_flow(&r, hop_tcp_new(fd[1]));
            if (s == FLOW_CLOSED)
                flow_step(f, ON_FAILED);
            f->state = (enum flow_state)s;
            log = step_logged(f, (enum flow_event)e);
            snprintf(expected, sizeof expected, "Z err flow_bug flow=1 state=%s event=%s\n",
                     flow_state_name((enum flow_state)s), flow_event_name((enum flow_event)e));
            assert_non_null(strchr(log, 'Z')); /* the end of the time */
            assert_string_equal(strchr(log, 'Z'), expected);
            free(log);
            assert_int_equal(f->state, FLOW_CLOSED);
            assert_int_equal(r.ended, 1); /* once, also where it had ended before */
            assert_int_equal(r.end, s == FLOW_CLOSED ? END_COMPLETED : END_ELB_INTERNAL);
            assert_int_equal(metric_read(&r.env.metrics, METRIC_TCP_ELB_RESETS),
                             s == FLOW_CLOSED ? 0 : 1);
            if (s != FLOW_CLOSED)
                assert_int_equal(sock_ending(fd[0]), 104 /* ECONNRESET */);
            close(fd[0]);
            rig_clear(&r);
        }
    }
}

static void nothing_is_no_step(void **state)
{
    struct rig r;
    struct flow *f;
    int fd[2];

    (void)state;
    rig_init(&r, FLOW_RELAY_COPY);
    sock_pair(fd, 0);
    f = rig_flow(&r, hop_tcp_new(fd[1]));
    flow_step(f, ON_NOTHING);
    assert_int_equal(f->state, FLOW_ACCEPTED);
    assert_int_equal(r.ended, 0);
    flow_abort(f, END_STOPPED);
    flow_abort(f, END_ELB_INTERNAL); /* once is enough */
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.end, END_STOPPED);
    close(fd[0]);
    rig_clear(&r);
}

/* --- docs/ARCHITECTURE.md --- */
#define BEGIN "<!-- state table: compared with flow_rules by tests/unit/flow/test_rules.c -->\n"
#define END   "<!-- end of state table -->\n"

static void print_table(FILE *out)
{
    fputs("| state | event | next state | action |\n| --- | --- | --- | --- |\n", out);
    for (int s = 0; s < FLOW_N_STATES; s++) {
        for (int e = 0; e < FLOW_N_EVENTS; e++) {
            const struct flow_rule *rule = &flow_rules[s][e];

            if (rule->action != NULL)
                fprintf(out, "| %s | %s | %s | %s |\n", flow_state_name((enum flow_state)s),
                        flow_event_name((enum flow_event)e), flow_state_name(rule->next),
                        action_name(rule->action));
        }
    }
}

static void the_document_has_this_table(void **state)
{
    static char text[200000];
    FILE *f = fopen("docs/ARCHITECTURE.md", "r"), *table;
    char *begin, *end, *printed = NULL;
    size_t n;

    (void)state;
    assert_non_null(f); /* tests run from the top of the tree */
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    table = open_memstream(&printed, &n);
    assert_non_null(table);
    print_table(table);
    fclose(table);
    begin = strstr(text, BEGIN);
    end = strstr(text, END);
    if (begin == NULL || end == NULL || (size_t)(end - begin) != strlen(BEGIN) + n ||
        memcmp(begin + strlen(BEGIN), printed, n) != 0)
        fail_msg("docs/ARCHITECTURE.md is stale; the table is now\n%s%s%s", BEGIN, printed, END);
    free(printed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_complete),
        cmocka_unit_test(filled_cells_lead_somewhere),
        cmocka_unit_test(every_state_can_be_reached),
        cmocka_unit_test(empty_cells_end_the_flow_as_a_bug),
        cmocka_unit_test(nothing_is_no_step),
        cmocka_unit_test(the_document_has_this_table),
    };

    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        print_table(stdout); /* to paste into the document */
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
