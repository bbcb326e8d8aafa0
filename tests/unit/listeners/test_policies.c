/* SPDX-License-Identifier: Apache-2.0
 * The policy table as code sees it; its content is compared in tests/golden/test_policies.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "listeners/policies.h"

#define P "ELBSecurityPolicy-"

static void test_find(void **state)
{
    size_t n;
    const struct policy *all = policy_all(&n);

    (void)state;
    assert_int_equal(n, 46);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(policy_find(all[i].name), &all[i]);
        assert_ptr_equal(policy_find(all[i].name + strlen(P)), &all[i]);
    }
    assert_non_null(policy_find(POLICY_DEFAULT));
    assert_null(policy_find("elbsecuritypolicy-2016-08")); /* case counts, as in the API */
    assert_null(policy_find(""));
    assert_null(policy_find(P));
}

/* What the rest of the program leans on. */
static void test_every_row_is_sound(void **state)
{
    size_t n;
    const struct policy *all = policy_all(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const struct policy *p = &all[i];
        const char *names[POLICY_UNSUPPORTED_MAX];

        assert_true(p->versions.count > 0 && p->suites.count > 0 && p->groups.count > 0);
        for (size_t j = 1; j < p->versions.count; j++)
            assert_int_equal(p->versions.at[j], p->versions.at[j - 1] - 1); /* newest first */
        for (size_t j = 0; j < p->suites.count; j++) {
            const struct tls_suite *s = tls_suite_find(p->suites.at[j]);
            bool used = false;

            for (size_t v = 0; v < p->versions.count; v++)
                used = used || tls_suite_fits_version(s, p->versions.at[v]);
            assert_true(used); /* no suite that no version of the policy can use */
        }
        assert_true(p->strong_group == 0 || tls_list_has(p->groups, p->strong_group));
        assert_non_null(policy_backend(p));
        assert_ptr_equal(policy_backend(policy_backend(p)), policy_backend(p));
        assert_true(policy_unsupported(p, names, POLICY_UNSUPPORTED_MAX) < POLICY_UNSUPPORTED_MAX);
    }
}

static void test_backend_of_a_load_balancer(void **state)
{
    const struct policy *some[] = { policy_find("2016-08"),
                                    policy_find("TLS13-1-2-2021-06"),
                                    policy_find("TLS13-1-2-PQ-2025-09"),
                                    policy_find("TLS13-1-2-FIPS-2023-04"),
                                    policy_find("TLS13-1-2-FIPS-PQ-2025-09"),
                                    policy_find("TLS13-1-3-RFC9151-FIPS-2023-07") };
    static const char *const want[] = { P "2016-08",
                                        P "TLS13-1-0-2021-06",
                                        P "TLS13-1-0-PQ-2025-09",
                                        P "TLS13-1-0-FIPS-2023-04",
                                        P "TLS13-1-0-FIPS-PQ-2025-09",
                                        P "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07" };

    (void)state;
    for (size_t n = 1; n <= 6; n++) {
        assert_string_equal(policy_backend_of(some, n)->name, want[n - 1]);
        assert_string_equal(policy_backend(some[n - 1])->name, want[n - 1]);
    }
    assert_string_equal(policy_backend_of(NULL, 0)->name, P "2016-08");
}

static void test_nearest(void **state)
{
    (void)state;
    assert_string_equal(policy_nearest(P "2016-80"), P "2016-08");
    assert_string_equal(policy_nearest("TLS13-1-2-Res-PQ-2025"), P "TLS13-1-2-Res-PQ-2025-09");
    assert_string_equal(policy_nearest("ELBSecurityPolicy_TLS13-1-2-2021-06"),
                        P "TLS13-1-2-2021-06");
    assert_string_equal(policy_nearest("elbsecuritypolicy-2016-08"), P "2016-08");
    assert_null(policy_nearest("nonsense altogether"));
    assert_null(policy_nearest(P "XYZXYZXYZXYZXYZ"));
}

static void test_unsupported_respects_its_bound(void **state)
{
    const char *names[2] = { NULL, "kept" };

    (void)state;
    assert_int_equal(policy_unsupported(policy_find("TLS-1-0-2015-04"), names, 1), 1);
    assert_string_equal(names[0], "DES-CBC3-SHA");
    assert_string_equal(names[1], "kept");
    assert_int_equal(policy_unsupported(policy_find("TLS-1-0-2015-04"), names + 1, 0), 1);
    assert_string_equal(names[1], "kept");
    assert_int_equal(policy_unsupported(policy_find("TLS13-1-0-PQ-2025-09"), names, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_every_row_is_sound),
        cmocka_unit_test(test_backend_of_a_load_balancer),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_unsupported_respects_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
