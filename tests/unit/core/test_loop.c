/* SPDX-License-Identifier: Apache-2.0
 * The event loop: libevent's warnings are lines of the log, and want of descriptors is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/loop.h"

static void ignore_cb(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what, (void)arg;
}

/* epoll refuses a descriptor that is closed; libevent warns of that. */
static void its_warnings_go_to_the_log(void **state)
{
    struct err err = { 0 };
    struct event_base *base = loop_new(&err);
    int fd = eventfd(0, EFD_CLOEXEC), before = dup(STDERR_FILENO);
    int file = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
    struct event *ev;
    char text[512];
    ssize_t n;

    (void)state;
    assert_non_null(base);
    ev = event_new(base, fd, EV_READ, ignore_cb, NULL);
    assert_true(ev != NULL && file >= 0);
    close(fd);
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    assert_int_equal(event_add(ev, NULL), -1);
    dup2(before, STDERR_FILENO);
    n = pread(file, text, sizeof text - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "Z warn libevent Epoll ADD(1) on fd "));
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    event_free(ev);
    event_base_free(base);
    close(file);
    close(before);
}

static void no_descriptor_is_told(void **state)
{
    struct rlimit before, none;
    struct err err = { 0 };
    int next = eventfd(0, EFD_CLOEXEC);

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    close(next);
    for (rlim_t room = 0; room < 5; room++) {
        struct event_base *base;

        none = (struct rlimit){ (rlim_t)next + room, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        base = loop_new(&err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_null(base);
        assert_int_equal(err.code, ERR_ENVIRONMENT);
        assert_non_null(strstr(err.text, "no file descriptor is left"));
        assert_non_null(strstr(err.text, "ulimit -n"));
    }
    assert_int_equal(eventfd(0, EFD_CLOEXEC), next); /* nothing stays open */
    close(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_warnings_go_to_the_log),
        cmocka_unit_test(no_descriptor_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
