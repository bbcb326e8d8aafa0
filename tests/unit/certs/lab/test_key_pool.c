/* SPDX-License-Identifier: Apache-2.0
 * Keys that several threads want are made once, or filed from elsewhere once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>

#include "certs/lab/key_pool.h"

static void *get_same(void *pool)
{
    return key_pool_get(pool, ISSUE_KEY_RSA1024, "shared", NULL);
}

static void threads_that_want_one_key_get_one_key(void **state)
{
    struct key_pool *pool = key_pool_new("pool");
    pthread_t threads[4];
    void *first = NULL, *key;
    struct err err;

    (void)state;
    assert_int_equal(key_pool_want(pool, ISSUE_KEY_RSA1024, "shared", &err), 0);
    assert_int_equal(key_pool_want(pool, ISSUE_KEY_RSA1024, "shared", &err), 0);
    assert_int_equal(key_pool_want(pool, ISSUE_KEY_EC256, "cheap", &err), 0);
    assert_int_equal(key_pool_start(pool, &err), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_same, pool), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &key);
        assert_non_null(key);
        first = first == NULL ? key : first;
        assert_ptr_equal(key, first);
    }
    assert_non_null(key_pool_get(pool, ISSUE_KEY_EC256, "cheap", &err));
    key_pool_free(pool);
}

static void a_key_made_elsewhere_is_filed_once(void **state)
{
    struct key_pool *pool = key_pool_new("pool");
    mbedtls_pk_context key, *filed;
    struct err err;

    (void)state;
    mbedtls_pk_init(&key);
    assert_int_equal(issue_key_make(&key, ISSUE_KEY_EC256, "seed", "read", &err), 0);
    filed = key_pool_put(pool, ISSUE_KEY_EC256, "read", &key, &err);
    assert_non_null(filed);
    assert_int_equal(mbedtls_pk_get_type(&key), MBEDTLS_PK_NONE); /* moved from */
    assert_ptr_equal(key_pool_get(pool, ISSUE_KEY_EC256, "read", &err), filed);
    assert_int_equal(issue_key_make(&key, ISSUE_KEY_EC256, "seed", "other", &err), 0);
    assert_null(key_pool_put(pool, ISSUE_KEY_EC256, "read", &key, &err));
    assert_string_equal(err.text, "key read is there already");
    assert_int_equal(mbedtls_pk_get_type(&key), MBEDTLS_PK_NONE); /* on failure, too */
    key_pool_free(pool);
}

static void what_has_not_begun_is_dropped(void **state)
{
    struct key_pool *pool = key_pool_new("pool");
    struct err err;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char label[16];

        snprintf(label, sizeof label, "key %d", i);
        assert_int_equal(key_pool_want(pool, ISSUE_KEY_RSA4096, label, &err), 0);
    }
    key_pool_free(pool); /* a hundred of them would take minutes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_want_one_key_get_one_key),
        cmocka_unit_test(a_key_made_elsewhere_is_filed_once),
        cmocka_unit_test(what_has_not_begun_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
