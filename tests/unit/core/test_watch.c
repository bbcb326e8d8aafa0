/* SPDX-License-Identifier: Apache-2.0
 * Which thread stalls is told once, with where it is, and that it came round after all. */
#include "core/watch.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/loop.h"

static uint64_t tick(unsigned n)
{
    uint64_t longest = 0;

    for (; n > 0; n--) {
        clock_fake_advance(WATCH_TICK_MS * 1000);
        longest = watch_tick();
    }
    return longest;
}

static void a_round(void)
{
    turn_begin("a test", 0, NULL);
    turn_end();
}

struct fixture {
    struct event_base *base;
    struct watch watch;
};

static void set_up(struct fixture *f)
{
    clock_fake_set(1000000, 0);
    f->base = loop_new(NULL);
    watch_begin(&f->watch, f->base, "worker %d", 7);
    watch_tick();
}

static void clear(struct fixture *f)
{
    watch_end(&f->watch);
    event_base_free(f->base);
    clock_fake_off();
}

static void who_stands_still_is_told_where(void **state)
{
    uint64_t before = watch_stalls();
    struct fixture f;
    char text[WATCH_TEXT];

    (void)state;
    set_up(&f);
    turn_begin("a flow's socket", 17, "relaying");
    assert_int_equal(tick(1), 0); /* that round */
    assert_int_equal(tick(WATCH_TICKS - 1), 0);
    assert_false(watch_stalled(text));
    assert_string_equal(text, "");
    assert_int_equal(tick(1), 2000);
    assert_true(watch_stalled(text));
    assert_string_equal(text, "worker 7 has not come round for 2.0 s: it is at a flow's socket, "
                              "flow 17, in state relaying");
    assert_int_equal(tick(3), 3500);
    assert_int_equal(watch_stalls() - before, 1);
    turn_end();
    a_round();
    assert_int_equal(tick(1), 0);
    assert_false(watch_stalled(text));
    assert_int_equal(tick(WATCH_TICKS), 2000);
    assert_int_equal(watch_stalls() - before, 2);
    assert_true(watch_stalled(text));
    assert_non_null(strstr(text, "it is at no callback"));
    clear(&f);
    assert_false(watch_stalled(text));
}

static void busy_and_idle_threads_are_not_suspect(void **state)
{
    uint64_t before = watch_stalls();
    struct fixture f;

    (void)state;
    set_up(&f);
    for (int i = 0; i < 20; i++) {
        a_round();
        assert_int_equal(tick(WATCH_TICKS - 1), 0);
    }
    /* Nothing but its own timer. */
    a_round();
    assert_int_equal(tick(1), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(event_base_loop(f.base, EVLOOP_ONCE), 0);
        assert_int_equal(tick(WATCH_TICKS - 1), 0);
    }
    assert_int_equal(watch_stalls(), before);
    clear(&f);
}

static void the_longest_counts(void **state)
{
    struct fixture f;
    struct watch other;
    char text[WATCH_TEXT];

    (void)state;
    set_up(&f);
    tick(2);
    watch_begin(&other, f.base, "another"); /* this thread's turns are told there now */
    a_round();
    assert_int_equal(tick(WATCH_TICKS), 3000);
    assert_true(watch_stalled(text));
    assert_int_equal(strncmp(text, "worker 7 ", 9), 0);
    assert_int_equal(tick(1), 3500);
    watch_end(&other);
    clear(&f);
    assert_int_equal(watch_tick(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stands_still_is_told_where),
        cmocka_unit_test(busy_and_idle_threads_are_not_suspect),
        cmocka_unit_test(the_longest_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
