/* SPDX-License-Identifier: Apache-2.0
 * Every allocation of the reader and the judge fails once, those of GMP and the text libraries
 * included: the answer is "no memory" each time, never a verdict, above all never "accepted". */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "certs/judge/trust.h"

#define SEEDS "tests/fuzz/corpus/trust"

/* --- allocations that fail, of this thread only --- */
static _Thread_local bool counting;
static _Thread_local size_t counted, fails_at;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool can_fail = false; /* the sanitizer's own functions stand there */
#else
static const bool can_fail = true;
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool may(void)
{
    return !counting || counted++ != fails_at;
}
void *malloc(size_t n)
{
    return may() ? __libc_malloc(n) : NULL;
}
void *calloc(size_t n, size_t size)
{
    return may() ? __libc_calloc(n, size) : NULL;
}
void *realloc(void *p, size_t n)
{
    return may() ? __libc_realloc(p, n) : NULL;
}
#endif

/* --- one chain --- */
struct attempt {
    struct cert_list list;
    const char *host;
    enum trust_client client;
    bool skip;
    size_t fail, allocations; /* which one fails; how many there were */
    struct verdict v;
};

/* In a thread of its own: good signatures are remembered per thread. */
static void *judge(void *arg)
{
    struct attempt *a = arg;
    struct trust_anchors *anchors = trust_anchors_new(a->list.at + a->list.n - 1, 1, true);
    struct trust_request req = { .chain = a->list.at,
                                 .chain_len = a->list.n > 1 ? a->list.n - 1 : 1,
                                 .anchors = anchors,
                                 .host = a->host,
                                 .at_utc = 1767225600,
                                 .client = a->client,
                                 .insecure_skip = a->skip };

    counted = 0;
    fails_at = a->fail;
    counting = true;
    trust_judge(&req, &a->v);
    counting = false;
    a->allocations = counted;
    trust_anchors_free(anchors);
    return NULL;
}

static void judge_failing(struct attempt *a, size_t fail)
{
    pthread_t thread;

    a->fail = fail;
    assert_int_equal(pthread_create(&thread, NULL, judge, a), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void fail_one_by_one(struct attempt *a, const char *what)
{
    size_t n;

    judge_failing(a, SIZE_MAX);
    n = a->allocations;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        judge_failing(a, i);
        if (a->v.ok || a->v.code != VERDICT_NO_MEMORY)
            fail_msg("%s, host %s, client %d: allocation %zu of %zu fails, and the verdict is %s",
                     what, a->host, a->client, i, n, verdict_name(a->v.code));
    }
}

static size_t read_seed(const char *name, uint8_t *out, size_t size)
{
    char path[512];
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, SEEDS "/%s", name);
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(out, 1, size, f);
    fclose(f);
    return n;
}

static void read_chain(struct attempt *a, struct der_span rest)
{
    struct err err;
    struct der d;

    while (a->list.n < 12 && der_next(&rest, &d) == NULL)
        assert_int_equal(cert_list_add_der(&a->list, d.all, &err), 0);
}

static void for_each_seed(void (*what)(const char *name, struct der_span der))
{
    static uint8_t der[1 << 16];
    DIR *dir = opendir(SEEDS);
    size_t n = 0;

    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        what(e->d_name, der_span_of(der, read_seed(e->d_name, der, sizeof der)));
        n++;
    }
    closedir(dir);
    assert_true(n > 5);
}

static void judge_seed(const char *name, struct der_span der)
{
    static const char *const hosts[] = { "api.lab.test", "127.0.0.1",
                                         "b\xc3\xbc"
                                         "cher.lab.test" };
    struct attempt a = { .host = NULL };

    read_chain(&a, der);
    for (size_t i = 0; a.list.n > 0 && i < 2 * sizeof hosts / sizeof hosts[0]; i++) {
        a.host = hosts[i / 2];
        a.client = i % 2 == 0 ? TRUST_JDK : TRUST_APACHE;
        a.skip = i == 1;
        fail_one_by_one(&a, name);
    }
    cert_list_clear(&a.list);
}

static void test_judge(void **state)
{
    (void)state;
    if (!can_fail)
        skip();
    for_each_seed(judge_seed);
}

static struct cert_facts *read_failing(struct der_span der, size_t fail)
{
    struct cert_facts *f;

    counted = 0;
    fails_at = fail;
    counting = true;
    f = cert_facts_new(der.at, der.len);
    counting = false;
    return f;
}

static void read_one_by_one(const char *name, struct der_span rest)
{
    struct der d;

    while (der_next(&rest, &d) == NULL) {
        size_t n;

        cert_facts_free(read_failing(d.all, SIZE_MAX));
        n = counted;
        for (size_t i = 0; i < n; i++) {
            struct cert_facts *f = read_failing(d.all, i);

            if (f != NULL)
                fail_msg("%s: allocation %zu of %zu fails, and a certificate is read all the same",
                         name, i, n);
        }
    }
}

static void test_reader(void **state)
{
    (void)state;
    if (!can_fail)
        skip();
    for_each_seed(read_one_by_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_reader),
    };
    char year[8];
    const time_t epoch = 0;
    struct tm tm;

    /* the C library reads the time zone once, and does without when it cannot */
    assert_int_not_equal(strftime(year, sizeof year, "%Y", gmtime_r(&epoch, &tm)), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
