/* SPDX-License-Identifier: Apache-2.0
 * A ceiling is told at once, then at most once in an interval, for all in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "core/clock.h"
#include "observe/ceilings.h"

static FILE *log_file;
static int saved_stderr;

static int begin_log(void **state)
{
    (void)state;
    log_file = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    clock_fake_set(1000, 0);
    return log_file == NULL || dup2(fileno(log_file), STDERR_FILENO) < 0 ? -1 : 0;
}

static int end_log(void **state)
{
    (void)state;
    clock_fake_off();
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    fclose(log_file);
    return 0;
}

/* The lines that were said since the last call, without their times. */
static const char *said(void)
{
    static char text[4096];
    size_t n;

    rewind(log_file);
    n = fread(text, 1, sizeof text - 1, log_file);
    text[n] = '\0';
    rewind(log_file);
    if (ftruncate(fileno(log_file), 0) != 0)
        fail();
    return text;
}

static void it_is_told_once_in_an_interval(void **state)
{
    struct ceilings c = { 0 };
    const char *text;

    (void)state;
    ceiling_reached(&c, CEILING_CONNECTIONS, 7, "");
    text = said();
    assert_non_null(strstr(text, "warn limit key=max_connections limit=7 times=1 new connections"));
    for (int i = 0; i < 41; i++)
        ceiling_reached(&c, CEILING_CONNECTIONS, 7, "");
    assert_string_equal(said(), "");
    clock_fake_advance(CEILING_TELL_US - 1);
    ceiling_reached(&c, CEILING_CONNECTIONS, 7, "");
    assert_string_equal(said(), "");
    clock_fake_advance(1);
    ceiling_reached(&c, CEILING_CONNECTIONS, 7, "");
    text = said();
    assert_non_null(strstr(text, "limit=7 times=43 new connections"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
    assert_int_equal(ceiling_count(&c, CEILING_CONNECTIONS), 44);
}

static void each_by_itself(void **state)
{
    struct ceilings c = { 0 };

    (void)state;
    for (int i = 0; i < CEILING_N; i++) {
        char key[64];

        ceiling_reached(&c, (enum ceiling)i, 1, "source=192.0.2.1 ");
        snprintf(key, sizeof key, "key=%s ", ceiling_key((enum ceiling)i));
        assert_non_null(strstr(said(), key));
        assert_int_equal(ceiling_count(&c, (enum ceiling)i), 1);
    }
    ceiling_reached(NULL, CEILING_HELLO, 1, "");
    assert_string_equal(said(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_told_once_in_an_interval, begin_log, end_log),
        cmocka_unit_test_setup_teardown(each_by_itself, begin_log, end_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
