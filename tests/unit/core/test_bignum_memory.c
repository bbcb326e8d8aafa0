/* SPDX-License-Identifier: Apache-2.0
 * A computation with GMP that runs out of memory is left, and its numbers are freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gmp.h>
#include <pthread.h>

#include "core/bignum_memory.h"

#define FACTORIAL 3000
#define BITS      30332 /* of 3000! */

static _Thread_local size_t left = SIZE_MAX; /* allocations that do not fail */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool can_fail = false; /* the sanitizer's own function stands there */
#else
static const bool can_fail = true;
void *__libc_malloc(size_t n);

void *malloc(size_t n)
{
    if (left == 0) {
        left = SIZE_MAX;
        return NULL;
    }
    left -= left != SIZE_MAX;
    return __libc_malloc(n);
}
#endif

static void work_within_memory(void *arg)
{
    mpz_t product;

    mpz_init_set_ui(product, 1);
    for (unsigned long i = 2; i <= FACTORIAL; i++)
        mpz_mul_ui(product, product, i);
    *(size_t *)arg = mpz_sizeinbase(product, 2);
    mpz_clear(product);
}

/* The sixth allocation from here fails: some are held then. */
static void work_without_memory(void *arg)
{
    left = 5;
    work_within_memory(arg);
}

static void a_computation_is_done_or_left(void **state)
{
    size_t bits = 0;

    (void)state;
    if (!can_fail)
        skip();
    assert_true(bignum_guarded(work_within_memory, &bits));
    assert_int_equal(bits, BITS);
    assert_false(bignum_guarded(work_without_memory, &bits));
    assert_true(bignum_guarded(work_within_memory, &bits)); /* the next one knows nothing of it */
    assert_int_equal(bits, BITS);
}

static void *guarded(void *arg)
{
    size_t lost;

    for (int i = 0; i < 20; i++) {
        if (!bignum_guarded(work_within_memory, arg) ||
            (can_fail && bignum_guarded(work_without_memory, &lost)))
            return arg;
    }
    return NULL;
}

static void threads_have_guards_of_their_own(void **state)
{
    pthread_t threads[4];
    size_t bits[4];
    void *failed;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, guarded, &bits[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
        assert_int_equal(bits[i], BITS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_computation_is_done_or_left),
        cmocka_unit_test(threads_have_guards_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
