/* SPDX-License-Identifier: Apache-2.0
 * Codes of ends: each is one, and is found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/ends.h"

static void codes_are_found_again(void **state)
{
    (void)state;
    for (enum flow_end e = 0; e < END_N; e++) {
        const char *code = flow_end_code(e);

        assert_int_equal(flow_end_find(code), e); /* so no two ends share a code */
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz_"), strlen(code));
        assert_true(*code != '\0');
    }
    assert_string_equal(flow_end_code(END_TARGET_REFUSED), "target_refused");
}

static void what_is_no_end_has_no_code(void **state)
{
    (void)state;
    assert_string_equal(flow_end_code(END_N), "");
    assert_int_equal(flow_end_find(""), END_N);
    assert_int_equal(flow_end_find("target_refused "), END_N);
    assert_int_equal(flow_end_find("TARGET_REFUSED"), END_N);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_found_again),
        cmocka_unit_test(what_is_no_end_has_no_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
