/* SPDX-License-Identifier: Apache-2.0
 * The log: one line per fact, whole, that foreign text cannot forge, with its time where nobody
 * else keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

static int saved, file;

/* Standard error goes into a file while `body` runs; what it wrote is returned (malloc'ed). */
static char *written_with_times(void (*body)(void))
{
    char *text;
    off_t n;

    fflush(stderr);
    saved = dup(STDERR_FILENO);
    file = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
    assert_true(saved >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    body();
    dup2(saved, STDERR_FILENO);
    n = lseek(file, 0, SEEK_END);
    text = calloc(1, (size_t)n + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)n, 0), n);
    close(file);
    close(saved);
    return text;
}

/* Every line begins with "2026-11-28T05:10:06.123Z "; what is returned goes without. */
static char *written(void (*body)(void))
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    const size_t n = sizeof form - 1;
    char *text = written_with_times(body), *out = text;

    for (const char *line = text; *line != '\0';) {
        size_t rest = strcspn(line, "\n") + 1;

        assert_true(rest > n);
        for (size_t i = 0; i < n; i++)
            assert_true(form[i] == 'd' ? line[i] >= '0' && line[i] <= '9' : line[i] == form[i]);
        memmove(out, line + n, rest - n);
        out += rest - n;
        line += rest;
    }
    *out = '\0';
    return text;
}

static void each_level(void)
{
    log_err("one", "a=%d", 1);
    log_warn("two", "b=%s", "x");
    log_info("three", "c");
    log_debug("four", "d=%d", 4);
}

static void levels(void **state)
{
    static const char all[] = "err one a=1\nwarn two b=x\ninfo three c\ndebug four d=4\n";
    static const size_t until[] = { 12, 25, 38, 53 };

    (void)state;
    for (int level = LOG_LEVEL_ERR; level <= LOG_LEVEL_DEBUG; level++) {
        char *text, expected[64];

        log_set_level((enum log_level)level);
        assert_true(log_enabled((enum log_level)level));
        text = written(each_level);
        snprintf(expected, sizeof expected, "%.*s", (int)until[level], all);
        assert_string_equal(text, expected);
        free(text);
    }
    log_set_level(LOG_LEVEL_INFO);
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
}

static void forge(void)
{
    log_info("sni", "name=\"%s\"", "a\nerr fake x=1\r\x1b[2J\x7f\t.");
}

static void foreign_text_stays_in_its_line(void **state)
{
    char *text = written(forge);

    (void)state;
    assert_string_equal(text,
                        "info sni name=\"a\\u000aerr fake x=1\\u000d\\u001b[2J\\u007f\\u0009.\"\n");
    free(text);
}

static void long_line(void)
{
    char big[5000];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_info("big", "%s", big);
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    char *text = written(long_line);
    size_t n = strlen(text);

    (void)state;
    assert_in_range(n, 1975, 2023); /* and the time */
    assert_int_equal(text[n - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    free(text);
}

#define LINES 500

static void *chatter(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("thread", "%s", (const char *)arg);
    return NULL;
}

static void two_threads(void)
{
    pthread_t t;

    if (pthread_create(&t, NULL, chatter, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") != 0)
        abort();
    chatter("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    pthread_join(t, NULL);
}

static void lines_of_threads_never_mix(void **state)
{
    char *text = written(two_threads), *save = NULL;
    size_t n = 0;

    (void)state;
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save), n++) {
        assert_memory_equal(line, "info thread ", 12);
        assert_int_equal(strspn(line + 12, line[12] == 'a' ? "a" : "b"), strlen(line + 12));
    }
    assert_int_equal(n, 2 * LINES);
    free(text);
}

static void one_line(void)
{
    log_info("one", "a=1");
}

/* JOURNAL_STREAM names the file that standard error is, or the one beside it. */
static void into_journal(ino_t beside)
{
    char journal[64];
    struct stat st;

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(journal, sizeof journal, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)(st.st_ino + beside));
    setenv("JOURNAL_STREAM", journal, 1);
    one_line();
}

static void into_the_journal(void)
{
    into_journal(0);
}

static void into_another_file(void)
{
    into_journal(1);
}

static void the_journal_keeps_the_time_itself(void **state)
{
    char *text = written_with_times(into_the_journal);

    (void)state;
    assert_string_equal(text, "info one a=1\n");
    free(text);
    text = written(into_another_file);
    assert_string_equal(text, "info one a=1\n");
    free(text);
    setenv("JOURNAL_STREAM", "nonsense", 1);
    text = written(one_line);
    assert_string_equal(text, "info one a=1\n");
    free(text);
    unsetenv("JOURNAL_STREAM");
}

static void a_terminal_gets_no_time(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), terminal = -1, before = dup(STDERR_FILENO);
    char text[64];
    ssize_t n;

    (void)state;
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
        terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip(); /* no pseudo-terminals here */
    fflush(stderr);
    dup2(terminal, STDERR_FILENO);
    one_line();
    dup2(before, STDERR_FILENO);
    n = read(master, text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "info one a=1\r\n");
    close(terminal);
    close(master);
    close(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(foreign_text_stays_in_its_line),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(lines_of_threads_never_mix),
        cmocka_unit_test(the_journal_keeps_the_time_itself),
        cmocka_unit_test(a_terminal_gets_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
