/* SPDX-License-Identifier: Apache-2.0
 * Errors: text, prefix, length, exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"

static void sets_and_prefixes(void **state)
{
    struct err e = { 0 };

    (void)state;
    err_set(&e, ERR_CONFIG, "%s: port %d", "x.ini", 7);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.text, "x.ini: port 7");
    err_prefix(&e, "listener %s", "https");
    assert_string_equal(e.text, "listener https: x.ini: port 7");
    assert_int_equal(e.code, ERR_CONFIG);
}

static void nobody_need_listen(void **state)
{
    (void)state;
    err_set(NULL, ERR_BUG, "%s", "unheard");
    err_prefix(NULL, "%s", "unheard");
}

static void long_text_is_cut_not_overrun(void **state)
{
    struct {
        struct err e;
        char guard[8];
    } s;
    char big[2000];

    (void)state;
    memset(&s, 0x5a, sizeof s);
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    err_set(&s.e, ERR_FORMAT, "%s", big);
    assert_int_equal(strlen(s.e.text), ERR_TEXT_MAX - 1);
    err_prefix(&s.e, "%s", "head");
    assert_int_equal(strlen(s.e.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(s.e.text, "head: aaa", 9);
    err_prefix(&s.e, "%s", big);
    assert_int_equal(strlen(s.e.text), ERR_TEXT_MAX - 1);
    assert_memory_equal(s.guard, "ZZZZZZZZ", 8);
}

static void exit_statuses(void **state)
{
    static const struct {
        enum err_code code;
        int status;
    } rows[] = {
        { ERR_USAGE, 2 }, { ERR_CONFIG, 2 }, { ERR_FORMAT, 2 }, { ERR_ENVIRONMENT, 3 },
        { ERR_NOMEM, 3 }, { ERR_CRYPTO, 3 }, { ERR_BUG, 3 },    { ERR_NONE, 3 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct err e = { .code = rows[i].code };

        assert_int_equal(err_exit_status(&e), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_prefixes),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(long_text_is_cut_not_overrun),
        cmocka_unit_test(exit_statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
