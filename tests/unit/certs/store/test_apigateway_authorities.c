/* SPDX-License-Identifier: Apache-2.0
 * API Gateway's list is sorted, or nothing would be found in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/store/apigateway_authorities.h"

static void the_list_is_sorted_and_whole(void **state)
{
    (void)state;
    assert_int_equal(apigateway_n_authorities, 247);
    for (size_t i = 0; i < apigateway_n_authorities; i++) {
        const char *sha256 = apigateway_authorities[i].sha256;

        assert_int_equal(strlen(sha256), 64);
        assert_int_equal(strspn(sha256, "0123456789abcdef"), 64);
        if (i > 0)
            assert_true(strcmp(apigateway_authorities[i - 1].sha256, sha256) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_sorted_and_whole),
    };

    return cmocka_run_group_tests_name("apigateway_authorities", tests, NULL, NULL);
}
