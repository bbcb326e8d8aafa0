/* SPDX-License-Identifier: Apache-2.0
 * Lines on their way to a file that takes them slowly, not at all, or in halves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/line_writer.h"

static size_t put_cb(void *arg, const char *lines, size_t n)
{
    return line_file_put(arg, lines, n);
}

/* Standard error into a file, to be looked at. */
static int saved, told;

static void listen_to_log(void)
{
    saved = dup(STDERR_FILENO);
    told = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
    assert_true(saved >= 0 && told >= 0);
    dup2(told, STDERR_FILENO);
}

static char *log_text(void)
{
    off_t n = lseek(told, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);

    dup2(saved, STDERR_FILENO);
    assert_non_null(text);
    assert_int_equal(pread(told, text, (size_t)n, 0), n);
    close(told);
    close(saved);
    return text;
}

static unsigned long lost_in(const char *text)
{
    unsigned long sum = 0;

    for (const char *at = strstr(text, "lost="); at != NULL; at = strstr(at + 1, "lost="))
        sum += strtoul(at + 5, NULL, 10);
    return sum;
}

#define LINES 20000

static void add_numbered(struct line_writer *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char line[64];
        int len = snprintf(line, sizeof line, "line %u of a test of lines\n", i);

        line_writer_add(w, line, (size_t)len);
    }
}

/* Nobody reads: adding never waits. Then somebody does: what came is whole, in order, and the rest
 * was counted. */
static void a_pipe_that_nobody_reads(void **state)
{
    int fd[2];
    struct line_file file = { .may_hang = true };
    struct line_writer *w;
    unsigned got = 0, number, before = 0;
    char *text, line[64];
    FILE *in;

    (void)state;
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    file.fd = fd[1];
    listen_to_log();
    w = line_writer_start("events", "a pipe", put_cb, &file, 65536, NULL);
    assert_non_null(w);
    add_numbered(w, LINES);
    in = fdopen(fd[0], "r");
    for (;;) {
        assert_non_null(fgets(line, sizeof line, in));
        assert_int_equal(sscanf(line, "line %u of a test of lines", &number), 1);
        assert_true(got == 0 || number > before);
        assert_true(line[strlen(line) - 1] == '\n');
        before = number;
        got++;
        if (got == 2000)
            break; /* fewer than the queue alone holds */
    }
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    line_writer_stop(w);
    while (fgets(line, sizeof line, in) != NULL)
        got++;
    fclose(in);
    close(fd[1]);
    text = log_text();
    assert_non_null(strstr(text, "err events path=a pipe error=\"nobody takes them"));
    assert_true(lost_in(text) > 0);
    /* What the writer was ended in the midst of may be in the pipe and count as lost. */
    assert_true(got + lost_in(text) >= LINES);
    free(text);
}

static void a_stop_gives_up(void **state)
{
    int fd[2];
    struct line_file file = { .may_hang = true };
    struct line_writer *w;
    char *text;

    (void)state;
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    file.fd = fd[1];
    listen_to_log();
    w = line_writer_start("events", "a pipe", put_cb, &file, 1 << 20, NULL);
    assert_non_null(w);
    add_numbered(w, 10000);
    line_writer_stop(w); /* or this test never ends */
    close(fd[0]);
    close(fd[1]);
    text = log_text();
    assert_non_null(strstr(text, "at the end either"));
    assert_true(lost_in(text) > 1000);
    free(text);
}

/* A full disk cuts a line in two: the half is taken away, and the next line stands by itself. */
static void no_half_line_stays(void **state)
{
    static const char ten[] = "123456789\n123456789\n123456789\n";
    const struct rlimit small = { 25, RLIM_INFINITY };
    struct rlimit before;
    char path[] = "/tmp/nlbsim-lines-XXXXXX", text[64] = "";
    struct line_file file = { .fd = mkstemp(path) };

    (void)state;
    assert_true(file.fd >= 0);
    close(file.fd);
    file.fd = line_file_open(path);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(line_file_put(&file, ten, 30), 20);
    assert_int_equal(errno, EFBIG);
    assert_false(file.torn);
    assert_int_equal(line_file_put(&file, ten, 10), 0);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(line_file_put(&file, "abcdefghi\n", 10), 10);
    close(file.fd);
    file.fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(file.fd, text, sizeof text), 30);
    assert_string_equal(text, "123456789\n123456789\nabcdefghi\n");
    close(file.fd);
    unlink(path);
}

/* Where nothing can be taken away, the half line is ended before the next. */
static void a_torn_line_is_ended(void **state)
{
    int fd[2];
    struct line_file file = { .fd = -1, .torn = true };
    char text[16] = "";

    (void)state;
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    file.fd = fd[1];
    assert_int_equal(line_file_put(&file, "x\n", 2), 2);
    assert_int_equal(read(fd[0], text, sizeof text), 3);
    assert_string_equal(text, "\nx\n");
    assert_false(file.torn);
    close(fd[0]);
    close(fd[1]);
}

static void a_fifo_is_not_waited_for(void **state)
{
    char dir[] = "/tmp/nlbsim-fifo-XXXXXX", path[64];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = line_file_open(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_that_nobody_reads), cmocka_unit_test(a_stop_gives_up),
        cmocka_unit_test(no_half_line_stays),       cmocka_unit_test(a_torn_line_is_ended),
        cmocka_unit_test(a_fifo_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
