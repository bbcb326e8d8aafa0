/* SPDX-License-Identifier: Apache-2.0
 * Files: whole reading of whatever it is, whole writing, and nobody's symbolic link followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/file.h"

#define MIB ((size_t)1 << 20)

static char home[64];
static int at; /* its descriptor */

static int set_up(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "/tmp/nlbsim-file-XXXXXX");
    if (mkdtemp(home) == NULL || chdir(home) != 0)
        return -1;
    at = open(".", O_PATH | O_DIRECTORY);
    return at < 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    close(at);
    snprintf(command, sizeof command, "rm -rf %s", home);
    return chdir("/") != 0 || system(command) != 0;
}

static void put(const char *name, const char *data, size_t n)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(file_put(fd, data, n), 0);
    close(fd);
}

static void reads(const char *name, const char *expected, size_t n)
{
    struct err err = { 0 };
    size_t len = 0;
    char *text = file_read(name, 4 * MIB, &len, &err);

    if (text == NULL)
        fail_msg("%s: %s", name, err.text);
    assert_int_equal(len, n);
    assert_memory_equal(text, expected, n);
    assert_int_equal(text[n], '\0');
    file_wipe(text, len);
}

static void refused(const char *name, size_t max, enum err_code code, const char *word)
{
    struct err err = { 0 };
    size_t len = 0;

    assert_null(file_read(name, max, &len, &err));
    assert_int_equal(err.code, code);
    if (strstr(err.text, word) == NULL)
        fail_msg("%s: '%s' does not say '%s'", name, err.text, word);
}

static void sizes_up_to_the_limit(void **state)
{
    static const size_t sizes[] = { 0, 1, 16382, 16383, 16384, 16385, 32767, 65536, 300000, MIB };
    char *data = malloc(MIB + 1);

    (void)state;
    assert_non_null(data);
    for (size_t i = 0; i <= MIB; i++)
        data[i] = (char)(i * 31 >> 3);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct err err = { 0 };
        size_t len = 0;
        char *text;

        put("data", data, sizes[i]);
        reads("data", data, sizes[i]);
        text = file_read("data", sizes[i], &len, &err); /* just as many are allowed */
        assert_non_null(text);
        file_wipe(text, len);
        if (sizes[i] > 0)
            refused("data", sizes[i] - 1, ERR_FORMAT, "larger than");
    }
    put("data", data, MIB + 1);
    refused("data", MIB, ERR_FORMAT, "larger than 1 MiB");
    free(data);
}

static void what_is_no_file_is_refused(void **state)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "socket" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    refused("socket", MIB, ERR_ENVIRONMENT, "socket");
    refused(home, MIB, ERR_ENVIRONMENT, "directory");
    refused("/dev/zero", MIB, ERR_ENVIRONMENT, "device");
    refused("missing", MIB, ERR_ENVIRONMENT, "No such file");
    reads("/dev/null", "", 0);
    close(fd);
}

static void files_without_a_size_are_read(void **state)
{
    struct err err = { 0 };
    size_t len = 0;
    char *text = file_read("/proc/self/status", MIB, &len, &err);

    (void)state;
    assert_non_null(text);
    assert_non_null(strstr(text, "Name:"));
    file_wipe(text, len);
}

struct writer {
    const char *fifo;
    int fd;
    size_t n;
};

static void *write_slowly(void *arg)
{
    struct writer *w = arg;
    int fd = w->fifo == NULL ? w->fd : open(w->fifo, O_WRONLY);
    char chunk[1000];

    memset(chunk, 'x', sizeof chunk);
    for (size_t i = 0; i < w->n; i++)
        assert_int_equal(file_put(fd, chunk, sizeof chunk), 0);
    close(fd);
    return NULL;
}

static void pipes_are_read_to_their_end(void **state)
{
    char *expected = malloc(MIB), path[32];
    struct writer w = { .fifo = "fifo", .n = 500 };
    pthread_t thread;
    int fds[2];

    (void)state;
    memset(expected, 'x', MIB);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
    reads("fifo", expected, 500000); /* the writer may well come after the reader */
    pthread_join(thread, NULL);
    assert_int_equal(pipe(fds), 0); /* as a shell's <(command) is */
    snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
    w = (struct writer){ .fd = fds[1], .n = 500 };
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
    reads(path, expected, 500000);
    pthread_join(thread, NULL);
    reads(path, "", 0); /* written and closed before it is opened */
    close(fds[0]);
    free(expected);
}

static void a_pipe_without_a_writer_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("lonely", 0600), 0);
    refused("lonely", MIB, ERR_ENVIRONMENT, "nobody writes into");
}

/* --- writing --- */

static size_t entries(void)
{
    DIR *d = opendir(".");
    size_t n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

static void written_whole_or_not_at_all(void **state)
{
    struct err err = { 0 };
    size_t before = entries();
    struct stat st;

    (void)state;
    assert_int_equal(file_write("new", "one", 3, FILE_SECRET, &err), 0);
    assert_int_equal(stat("new", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_write("new", "two", 3, 0, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "new: is there already"));
    reads("new", "one", 3);
    assert_int_equal(file_write("new", "two", 3, FILE_REPLACE | FILE_LAZY, &err), 0);
    reads("new", "two", 3);
    assert_int_equal(file_write("no/such/new", "x", 1, 0, &err), -1);
    assert_non_null(strstr(err.text, "no/such/new: cannot write: No such file"));
    assert_int_equal(entries(), before + 1);
}

static void a_link_under_the_name_is_replaced(void **state)
{
    struct err err = { 0 };

    (void)state;
    put("victim", "precious", 8);
    assert_int_equal(symlink("victim", "link"), 0);
    assert_int_equal(file_write("link", "x", 1, 0, &err), -1);
    assert_int_equal(file_write("link", "new", 3, FILE_REPLACE, &err), 0);
    reads("victim", "precious", 8);
    reads("link", "new", 3);
}

static void folders_that_are_links_are_not_entered(void **state)
{
    struct err err = { 0 };
    char name[64];
    int fd;

    (void)state;
    assert_int_equal(mkdir("elsewhere", 0700), 0);
    assert_int_equal(mkdir("lab", 0700), 0);
    put("elsewhere/a.pem", "precious", 8);
    assert_int_equal(symlink("../elsewhere", "lab/server"), 0);
    assert_int_equal(file_write_in(at, "lab/server/a.pem", "x", 1, FILE_REPLACE, &err), -1);
    assert_non_null(strstr(err.text, "symbolic link"));
    file_remove_in(at, "lab/server/a.pem");
    reads("elsewhere/a.pem", "precious", 8);
    assert_int_equal(file_dir_in(at, "lab/server", true), -1);
    assert_true(errno == ENOTDIR || errno == ELOOP);
    fd = file_dir_in(at, "lab/a//b/c", true);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_in(at, "lab/a/b/c/f", "x", 1, 0, &err), 0);
    reads("lab/a/b/c/f", "x", 1);
    file_remove_in(at, "lab/a/b/c/f");
    assert_int_equal(access("lab/a/b/c/f", F_OK), -1);
    fd = file_new_in(at, "stem", 0600, name, sizeof name);
    assert_true(fd >= 0 && strncmp(name, "stem.", 5) == 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_up_to_the_limit),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(files_without_a_size_are_read),
        cmocka_unit_test(pipes_are_read_to_their_end),
        cmocka_unit_test(a_pipe_without_a_writer_is_given_up),
        cmocka_unit_test(written_whole_or_not_at_all),
        cmocka_unit_test(a_link_under_the_name_is_replaced),
        cmocka_unit_test(folders_that_are_links_are_not_entered),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
