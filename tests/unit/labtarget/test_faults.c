/* SPDX-License-Identifier: Apache-2.0
 * The table of faults: names, arguments, bounds, help. What each does is tested with real clients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "labtarget/faults.h"

static void rows_parse_as_they_stand(void **state)
{
    size_t n;
    const struct fault_row *rows = fault_rows(&n);
    struct fault f;
    struct err err;

    (void)state;
    assert_true(n > 35);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(rows[i].name, rows[k].name);
        if (rows[i].def >= 0) {
            assert_int_equal(fault_parse(rows[i].name, &f, &err), 0);
            assert_ptr_equal(f.row, &rows[i]);
            assert_int_equal(f.number, rows[i].def);
            assert_string_equal(f.text, "");
        } else {
            assert_int_equal(fault_parse(rows[i].name, &f, &err), -1);
            assert_non_null(strstr(err.text, rows[i].name));
        }
        assert_non_null(rows[i].action);
        assert_true(strlen(rows[i].help) > 10);
    }
}

static void arguments(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t number;
        const char *name;
    } cases[] = {
        { "none", 0, 0, "" },
        { "alert:handshake_failure", 0, 40, "" },
        { "alert:close_notify", 0, 0, "" },
        { "alert:255", 0, 255, "" },
        { "alert:256", -1, 0, NULL },
        { "alert:", -1, 0, NULL },
        { "close-in-flight:1", 0, 1, "" },
        { "close-in-flight:0", -1, 0, NULL },
        { "close-in-flight:1x", -1, 0, NULL },
        { "delay-hello:3600000", 0, 3600000, "" },
        { "delay-hello:3600001", -1, 0, NULL },
        { "status:200", 0, 200, "" },
        { "status:199", -1, 0, NULL },
        { "status:600", -1, 0, NULL },
        { "close-after-request:2", 0, 2, "" },
        { "refuse-unknown-sni:a.example", 0, 0, "a.example" },
        { "plain-http:1", -1, 0, NULL },
        { "pin-client-certificate:"
          "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
          0, 0, "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff" },
        { "pin-client-certificate:0011", -1, 0, NULL },
        { "Alert:40", -1, 0, NULL },
        { "", -1, 0, NULL },
        { ":", -1, 0, NULL },
        { "resett-after-helloooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo",
          -1, 0, NULL },
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault f;

        if (fault_parse(cases[i].text, &f, &err) != cases[i].rc)
            fail_msg("%s", cases[i].text);
        if (cases[i].rc != 0)
            continue;
        assert_int_equal(f.number, cases[i].number);
        assert_string_equal(f.text, cases[i].name);
    }
}

static void every_row_is_in_the_help(void **state)
{
    size_t n, size;
    const struct fault_row *rows = fault_rows(&n);
    char *text;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    fault_print_help(out);
    fault_print_markdown(out);
    fclose(out);
    for (size_t i = 0; i < n; i++) {
        char line[64];

        snprintf(line, sizeof line, "\n  %s", rows[i].name);
        assert_true(strstr(text, line) != NULL || strncmp(text, line + 1, strlen(line) - 1) == 0);
        snprintf(line, sizeof line, "| `%s", rows[i].name);
        assert_non_null(strstr(text, line));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_parse_as_they_stand),
        cmocka_unit_test(arguments),
        cmocka_unit_test(every_row_is_in_the_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
