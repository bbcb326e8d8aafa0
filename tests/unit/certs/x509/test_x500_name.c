/* SPDX-License-Identifier: Apache-2.0
 * When two names are the same to the JDK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/x509/x500_name.h"

#define UTF8      0x0c
#define PRINTABLE 0x13
#define TELETEX   0x14

/* A name of relative names with one CN each, in this string type. */
static struct der_span name_of(uint8_t *out, uint8_t type, const char *const *cns, size_t n)
{
    size_t at = 2;

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(cns[i]);
        const uint8_t head[] = {
            0x31, (uint8_t)(9 + len), 0x30, (uint8_t)(7 + len), 0x06, 3, 0x55, 4, 3,
            type, (uint8_t)len
        };

        memcpy(out + at, head, sizeof head);
        memcpy(out + at + sizeof head, cns[i], len);
        at += sizeof head + len;
    }
    out[0] = 0x30;
    out[1] = (uint8_t)(at - 2);
    return der_span_of(out, at);
}

static bool same(uint8_t type_a, const char *a, uint8_t type_b, const char *b)
{
    uint8_t one[130], two[130];

    return x500_name_equal(name_of(one, type_a, &a, 1), name_of(two, type_b, &b, 1));
}

static void what_does_not_count(void **state)
{
    (void)state;
    assert_true(same(UTF8, "Lab Root", UTF8, "Lab Root"));
    assert_true(same(UTF8, "Lab Root", PRINTABLE, "Lab Root"));
    assert_true(same(UTF8, "Lab Root", UTF8, "lab ROOT"));
    assert_true(same(UTF8, "Lab  Root", UTF8, "Lab Root"));
    assert_true(same(UTF8, " Lab Root ", UTF8, "Lab Root"));
}

static void what_counts(void **state)
{
    (void)state;
    assert_false(same(UTF8, "Lab Root", UTF8, "LabRoot"));
    assert_false(same(UTF8, "Lab Root", UTF8, "Lab Root 2"));
    assert_false(same(UTF8, "Lab Root", TELETEX, "Lab Root")); /* octets of another string type */
    assert_false(same(UTF8, "a,b", UTF8, "a\\,b"));
}

static void the_order_of_relative_names_counts(void **state)
{
    const char *ab[] = { "a", "b" }, *ba[] = { "b", "a" }, *joined[] = { "a,CN=b" };
    uint8_t one[64], two[64];

    (void)state;
    assert_true(x500_name_equal(name_of(one, UTF8, ab, 2), name_of(two, UTF8, ab, 2)));
    assert_false(x500_name_equal(name_of(one, UTF8, ab, 2), name_of(two, UTF8, ba, 2)));
    /* a comma within a value is no border between two */
    assert_false(x500_name_equal(name_of(one, UTF8, ab, 2), name_of(two, UTF8, joined, 1)));
}

static void parts_are_counted(void **state)
{
    const char *ab[] = { "a", "b" };
    struct arena arena = { 0 };
    struct x500_name name;
    uint8_t out[64];

    (void)state;
    assert_null(x500_name_parse(name_of(out, UTF8, ab, 2), &arena, &name));
    assert_int_equal(name.n, 2);
    assert_int_equal(name.n_avas[0], 1);
    assert_false(name.empty);
    assert_null(x500_name_parse(name_of(out, UTF8, ab, 0), &arena, &name));
    assert_true(name.empty);
    assert_non_null(
        x500_name_parse(der_span_of((const uint8_t *)"\x30\x05\x31", 3), &arena, &name));
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_count),
        cmocka_unit_test(what_counts),
        cmocka_unit_test(the_order_of_relative_names_counts),
        cmocka_unit_test(parts_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
