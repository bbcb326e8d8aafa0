/* SPDX-License-Identifier: Apache-2.0
 * observe/event_watch.c: events in memory while somebody watches, whole lines only. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "observe/event_watch.h"

#define THREADS 4
#define LINES   500

static void nobody_watches(void **state)
{
    struct event_watch *w = event_watch_new();

    (void)state;
    assert_false(event_watched(NULL));
    assert_false(event_watched(w));
    event_watch_add(w, "lost");
    event_watch_free(w);
    event_watch_free(NULL);
}

static void two_watch(void **state)
{
    struct event_watch *w = event_watch_new();
    char buf[32] = "";
    int one = event_watch_begin(w), two;

    (void)state;
    assert_true(one >= 0);
    event_watch_add(w, "a");
    two = event_watch_begin(w);
    assert_int_equal(one, two);
    event_watch_end(w);
    assert_true(event_watched(w));
    event_watch_add(w, "bc");
    assert_int_equal(pread(two, buf, sizeof buf - 1, 0), 5);
    assert_string_equal(buf, "a\nbc\n");
    event_watch_end(w);
    assert_false(event_watched(w));
    assert_int_equal(fcntl(one, F_GETFD), -1);
    one = event_watch_begin(w);
    assert_int_equal(pread(one, buf, sizeof buf - 1, 0), 0);
    event_watch_free(w);
}

static void *add_lines(void *arg)
{
    struct event_watch *w = arg;
    char line[64];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < LINES; i++)
        event_watch_add(w, line);
    return NULL;
}

static void lines_do_not_mix(void **state)
{
    struct event_watch *w = event_watch_new();
    int fd = event_watch_begin(w);
    const size_t size = (size_t)THREADS * LINES * 64;
    char *text = malloc(size + 1);
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_lines, w), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(pread(fd, text, size + 1, 0), size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(text[i], i % 64 == 63 ? '\n' : 'x');
    free(text);
    event_watch_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_watches),
        cmocka_unit_test(two_watch),
        cmocka_unit_test(lines_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
