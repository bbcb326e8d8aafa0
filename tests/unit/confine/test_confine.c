/* SPDX-License-Identifier: Apache-2.0
 * Confinement, tried in child processes: what is let through, what is denied, what ends them and
 * with which words, and kernels that lack it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/confine.h"
#include "confine/confine_impl.h"
#include "core/thread.h"

static char home[PATH_MAX], said[8192];

static int set_up(void **state)
{
    char template[] = "/tmp/nlbsim-confine-XXXXXX";

    (void)state;
    return mkdtemp(template) == NULL || realpath(template, home) == NULL || chdir(home) != 0 ||
           mkdir("in", 0777) != 0 || mkdir("read", 0777) != 0 || mkdir("out", 0777) != 0;
}

static int tear_down(void **state)
{
    char command[PATH_MAX + 16];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", home);
    return chdir("/") != 0 || system(command) != 0;
}

/* Run `act` in a child whose standard error is kept in `said`; its exit status, or 1000 and the
 * signal. */
static int child(int (*act)(void))
{
    int fds[2], status;
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        _exit(act());
    }
    close(fds[1]);
    while ((got = read(fds[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int enter(enum confine_how how, const char *user, const char *group)
{
    struct confine_wish wish = { .how = how, .user = user, .group = group };
    struct confine_places *places = confine_places_new();
    struct err err = { 0 };
    int rc;

    if (places == NULL || confine_place(places, "in/file", true) != 0 ||
        confine_place(places, "read/file", false) != 0)
        return -1;
    rc = confine_enter(&wish, places, &err);
    if (rc != 0)
        dprintf(STDERR_FILENO, "error: %s\n", err.text);
    return rc;
}

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(STDERR_FILENO, "line %d: %s (%s)\n", __LINE__, #condition, strerror(errno));   \
            return 99;                                                                             \
        }                                                                                          \
    } while (0)

static void ends_with(int (*act)(void), int status)
{
    int got = child(act);

    if (got != status)
        fail_msg("status %d instead of %d: %s", got, status, said);
}

/* --- files --- */
static int use_files(void)
{
    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    REQUIRE(open("in/new", O_WRONLY | O_CREAT | O_TRUNC, 0600) >= 0);
    REQUIRE(rename("in/new", "in/newer") == 0);
    REQUIRE(mkdir("in/folder", 0700) == 0);
    REQUIRE(open("in/folder/new", O_WRONLY | O_CREAT, 0600) >= 0);
    REQUIRE(unlink("in/newer") == 0);
    REQUIRE(open("read", O_RDONLY | O_DIRECTORY) >= 0);
    REQUIRE(open("read/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    REQUIRE(open("out", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
    REQUIRE(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    REQUIRE(open("in/../../../etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    return 0;
}

static int read_files(void)
{
    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    REQUIRE(open("in/link", O_RDONLY) < 0 && errno == EACCES);
    dprintf(STDERR_FILENO, "<%s>\n", err_why_at(EACCES, "out/api.pem", false));
    dprintf(STDERR_FILENO, "<%s>\n", err_why_at(EACCES, "read/api.pem", true));
    return 0;
}

static void files_are_open_in_their_places_only(void **state)
{
    (void)state;
    ends_with(use_files, 0);
    assert_int_equal(symlink("/etc/passwd", "in/link"), 0);
    ends_with(read_files, 0);
    assert_non_null(strstr(said, "<Permission denied: it needs a restart since `confine` is on: "
                                 "this process reads files only in the directories"));
    assert_non_null(strstr(said, "this process writes files only in"));
}

/* --- system calls --- */
static void *nothing(void *arg)
{
    return arg;
}

static int do_what_is_needed(void)
{
    pthread_t thread;
    void *at;

    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    REQUIRE(thread_start(&thread, "a-name", nothing, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
    REQUIRE(socket(AF_INET6, SOCK_STREAM, 0) >= 0);
    REQUIRE(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
    at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(at != MAP_FAILED && mprotect(at, 4096, PROT_READ) == 0);
    REQUIRE(raise(SIGWINCH) == 0);
    return 0;
}

static void what_is_needed_works(void **state)
{
    (void)state;
    ends_with(do_what_is_needed, 0);
}

#if !CONFINE_SANITIZED
static void *wait_for_ever(void *arg)
{
    pthread_mutex_lock(arg);
    return NULL;
}

static int cancel(void)
{
    static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;

    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    pthread_mutex_lock(&held);
    REQUIRE(thread_start(&thread, "cancelled", wait_for_ever, &held) == 0);
    REQUIRE(pthread_cancel(thread) == 0); /* loads a library, but for confine_enter() */
    pthread_mutex_unlock(&held);
    REQUIRE(pthread_join(thread, NULL) == 0);
    return 0;
}

static void a_thread_can_be_cancelled(void **state)
{
    (void)state;
    ends_with(cancel, 0);
}

static int tried; /* index into forbidden */

static void try_exec(void)
{
    execl("/bin/true", "true", (char *)NULL);
}

static void try_fork(void)
{
    (void)fork();
}

static void try_ptrace(void)
{
    (void)syscall(SYS_ptrace, 0, 0, 0, 0);
}

static void try_code(void)
{
    (void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_netlink(void)
{
    (void)socket(AF_NETLINK, SOCK_RAW, 0);
}

static void try_link(void)
{
    if (symlink("/etc/passwd", "in/link") != 0)
        return;
}

static void try_kill(void)
{
    (void)kill(getppid(), 0);
}

static void try_unknown(void)
{
    (void)syscall(4000);
}

static void *try_in_thread(void *arg)
{
    (void)arg;
    (void)kill(1, 0);
    return NULL;
}

static void try_thread(void)
{
    pthread_t thread;

    if (thread_start(&thread, "bad", try_in_thread, NULL) == 0)
        pthread_join(thread, NULL);
}

static const struct {
    void (*act)(void);
    const char *name;
} forbidden[] = {
    { try_exec, "execve (" },  { try_fork, "clone (" },          { try_ptrace, "ptrace (" },
    { try_code, "mmap (" },    { try_netlink, "socket (" },      { try_link, "symlink (" },
    { try_kill, "getppid (" }, { try_unknown, "number (4000)" }, { try_thread, "kill (" },
};

static int try_it(void)
{
    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    forbidden[tried].act();
    return 0;
}

static int try_files_only(void)
{
    REQUIRE(enter(CONFINE_FILES_ONLY, NULL, NULL) == 0);
    REQUIRE(getppid() > 0 && kill(getppid(), 0) == 0);
    REQUIRE(prctl(PR_GET_DUMPABLE) == 0);
    REQUIRE(open("out", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES);
    return 0;
}

static void a_forbidden_call_ends_the_process_with_its_name(void **state)
{
    (void)state;
    for (tried = 0; tried < (int)(sizeof forbidden / sizeof forbidden[0]); tried++) {
        ends_with(try_it, CONFINE_EXIT);
        if (strstr(said, forbidden[tried].name) == NULL ||
            strstr(said, "`confine = files_only`") == NULL)
            fail_msg("not named as %s: %s", forbidden[tried].name, said);
    }
    ends_with(try_files_only, 0);
}
#endif

/* --- the rest of it --- */
static long status_of(const char *key, int base)
{
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    long value = -1;

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            value = strtol(line + strlen(key) + 1, NULL, base);
    }
    if (f != NULL)
        fclose(f);
    return value;
}

static int look_at_it(void)
{
    struct confine_wish wish = { .how = CONFINE_ON };
    struct confine_places *places = confine_places_new();
    struct rlimit cores = { 1, 1 };
    struct err err;

    REQUIRE(places != NULL && confine_place(places, "/proc/self/status", false) == 0);
    REQUIRE(confine_enter(&wish, places, &err) == 0);
    REQUIRE(getrlimit(RLIMIT_CORE, &cores) == 0 && cores.rlim_cur == 0 && cores.rlim_max == 0);
    REQUIRE(status_of("NoNewPrivs", 10) == 1);
    REQUIRE(status_of("Seccomp", 10) == (CONFINE_SANITIZED ? 0 : 2));
    REQUIRE((status_of("CapEff", 16) & ~0x402) == 0); /* CAP_NET_BIND_SERVICE, CAP_DAC_OVERRIDE */
    REQUIRE((status_of("CapPrm", 16) & ~0x402) == 0);
    return 0;
}

static void nothing_is_left_but_low_ports(void **state)
{
    (void)state;
    ends_with(look_at_it, 0);
}

static int stay_free(void)
{
    REQUIRE(enter(CONFINE_OFF, NULL, NULL) == 0);
    REQUIRE(status_of("NoNewPrivs", 10) == 0);
    REQUIRE(status_of("Seccomp", 10) == 0);
    REQUIRE(prctl(PR_GET_DUMPABLE) == 1);
    REQUIRE(open("out", O_RDONLY | O_DIRECTORY) >= 0);
    return 0;
}

static void off_is_off(void **state)
{
    (void)state;
    ends_with(stay_free, 0);
    assert_string_equal(said, "");
}

#if !CONFINE_SANITIZED
static int with_a_thread(void)
{
    static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;

    pthread_mutex_lock(&held);
    REQUIRE(thread_start(&thread, "early", wait_for_ever, &held) == 0);
    REQUIRE(enter(CONFINE_ON, NULL, NULL) != 0);
    return 0;
}

static void a_thread_that_runs_already_is_an_error(void **state)
{
    (void)state;
    ends_with(with_a_thread, 0);
    assert_non_null(strstr(said, "a thread runs already"));
}
#endif

/* --- kernels that lack it: a filter of our own that denies the call --- */
static int deny(long nr, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = 4, .filter = filter };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

static int without_landlock(void)
{
    REQUIRE(deny(SYS_landlock_create_ruleset, ENOSYS) == 0);
    REQUIRE(enter(CONFINE_REQUIRE, NULL, NULL) != 0);
    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    REQUIRE(open("out", O_RDONLY | O_DIRECTORY) >= 0);
    return 0;
}

static int without_seccomp(void)
{
    REQUIRE(deny(SYS_seccomp, ENOSYS) == 0);
    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    REQUIRE(getppid() > 0);
    return 0;
}

static int without_seccomp_but_required(void)
{
    REQUIRE(deny(SYS_seccomp, EINVAL) == 0);
    REQUIRE(enter(CONFINE_REQUIRE, NULL, NULL) != 0);
    return 0;
}

static size_t count(const char *text)
{
    size_t n = 0;

    for (const char *at = strstr(said, text); at != NULL; at = strstr(at + 1, text))
        n++;
    return n;
}

static void a_kernel_that_lacks_it_is_told_once_or_refused(void **state)
{
    (void)state;
    ends_with(without_landlock, 0);
    assert_int_equal(count("warn confine this kernel has no Landlock"), 1);
    assert_int_equal(count("error: confine = require, but this kernel has no Landlock"), 1);
    if (CONFINE_SANITIZED)
        return;
    ends_with(without_seccomp, 0);
    assert_int_equal(count("warn confine this kernel has no seccomp"), 1);
    ends_with(without_seccomp_but_required, 0);
    assert_int_equal(count("error: confine = require, but this kernel has no seccomp"), 1);
}

/* --- user and group --- */
static int unknown_people(void)
{
    REQUIRE(enter(CONFINE_OFF, "no-such-user", NULL) != 0);
    REQUIRE(enter(CONFINE_OFF, NULL, "no-such-group") != 0);
    REQUIRE(enter(CONFINE_OFF, "54321", NULL) != 0);
    return 0;
}

static int become(void)
{

    REQUIRE(enter(CONFINE_ON, "54321", "12345") == 0);
    REQUIRE(getuid() == 54321 && geteuid() == 54321 && getgid() == 12345 && getegid() == 12345);
    REQUIRE(syscall(SYS_getpid) > 0);
    dprintf(STDERR_FILENO, "<%s>\n", err_why_at(EACCES, "read/api.pem", false));
    return 0;
}

static int become_unfiltered(void)
{
    gid_t groups[4];

    REQUIRE(enter(CONFINE_OFF, "54321", "12345") == 0);
    REQUIRE(getgroups(4, groups) == 1 && groups[0] == 12345);
    REQUIRE(setuid(0) != 0 && setgid(0) != 0);
    REQUIRE((status_of("CapEff", 16) & ~0x400) == 0);
    return 0;
}

static int become_without_root(void)
{
    REQUIRE(setresgid(54321, 54321, 54321) == 0 && setresuid(54321, 54321, 54321) == 0);
    REQUIRE(enter(CONFINE_OFF, "54322", "54321") != 0);
    REQUIRE(enter(CONFINE_OFF, "54321", "54321") == 0); /* who we are */
    return 0;
}

static int root_as_before(void)
{
    REQUIRE(chown("read/theirs", 54321, 54321) == 0);
    REQUIRE(enter(CONFINE_ON, NULL, NULL) == 0);
    REQUIRE(open("read/theirs", O_RDONLY) >= 0);
    REQUIRE(confine_cannot_read("read/theirs") == NULL);
    return 0;
}

static void user_and_group(void **state)
{
    (void)state;
    ends_with(unknown_people, 0);
    assert_int_equal(count("user = no-such-user: this system has no such user"), 1);
    assert_int_equal(count("group = no-such-group: this system has no such group"), 1);
    assert_int_equal(count("say group = NUMBER"), 1);
    if (geteuid() != 0)
        skip();
    ends_with(become, 0);
    assert_int_equal(count("<Permission denied: this process has run as user 54321, group 12345"),
                     1);
    ends_with(become_unfiltered, 0);
    ends_with(become_without_root, 0);
    assert_int_equal(count("only root can become somebody else"), 1);
    close(open("read/theirs", O_WRONLY | O_CREAT, 0600));
    ends_with(root_as_before, 0);
}

/* --- memory --- */
static int hide(void)
{
    char *heap = malloc(1000), line[512];
    uintptr_t from = 0, to = 0, at = (uintptr_t)heap;
    bool found = false, excluded = false;
    struct confine_wish wish = { .how = CONFINE_ON };
    struct confine_places *places = confine_places_new();
    struct err err;
    FILE *maps;

    REQUIRE(heap != NULL && confine_place(places, "/proc/self/smaps", false) == 0);
    REQUIRE(confine_enter(&wish, places, &err) == 0);
    confine_hide_memory();
    maps = fopen("/proc/self/smaps", "r");
    REQUIRE(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            found = from <= at && at < to;
        if (found && strncmp(line, "VmFlags:", 8) == 0)
            excluded |= strstr(line, " dd") != NULL;
    }
    fclose(maps);
    REQUIRE(excluded);
    return 0;
}

static void memory_is_in_no_dump(void **state)
{
    (void)state;
    ends_with(hide, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_are_open_in_their_places_only),
        TEST(what_is_needed_works),
#if !CONFINE_SANITIZED
        TEST(a_thread_can_be_cancelled),
        TEST(a_forbidden_call_ends_the_process_with_its_name),
#endif
        TEST(nothing_is_left_but_low_ports),
        TEST(off_is_off),
#if !CONFINE_SANITIZED
        TEST(a_thread_that_runs_already_is_an_error),
#endif
        TEST(a_kernel_that_lacks_it_is_told_once_or_refused),
        TEST(user_and_group),
        TEST(memory_is_in_no_dump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
