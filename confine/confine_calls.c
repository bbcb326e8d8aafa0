/* SPDX-License-Identifier: Apache-2.0
 * seccomp: a filter made from confine_calls.def, and the last words of a process that it ends. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/confine_impl.h"

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1 /* si_code; sigaction(2) */
#endif

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0 /* no table was ever tried there */
#endif

/* Names of all calls of this architecture, made from the kernel's header by the Makefile. */
static const char *const names[] = {
#define CALL(name) [SYS_##name] = #name,
#include <syscall_names.h>
#undef CALL
};

struct rule {
    uint32_t nr;
    uint8_t arg;
    uint32_t mask, value; /* mask 0: whatever the arguments */
    uint32_t error;       /* 0: it is let through */
};

/* Five instructions at most for each. */
#define RULE_LEN    6
#define PROGRAM_MAX (4 + RULE_LEN * 256)

static void put(struct sock_fprog *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
    p->filter[p->len++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

#define LOAD   (BPF_LD | BPF_W | BPF_ABS)
#define EQUALS (BPF_JMP | BPF_JEQ | BPF_K)
#define ANSWER (BPF_RET | BPF_K)

/* Linear: the kernel keeps the answers for calls whose arguments do not matter (since 5.11). */
static void put_rule(struct sock_fprog *p, const struct rule *r)
{
    uint32_t answer = r->error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | r->error;

    put(p, EQUALS, 0, r->mask == 0 ? 1 : 5, r->nr);
    if (r->mask != 0) {
        /* The lower half: all of them are of 32 bits or their flags are. Little endian. */
        put(p, LOAD, 0, 0, (uint32_t)(offsetof(struct seccomp_data, args) + r->arg * 8U));
        put(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, r->mask);
        put(p, EQUALS, 0, 1, r->value);
    }
    put(p, ANSWER, 0, 0, answer);
    if (r->mask != 0)
        put(p, LOAD, 0, 0, offsetof(struct seccomp_data, nr));
}

static void put_all(struct sock_fprog *p)
{
    const uint32_t this_process = (uint32_t)getpid();
    const struct rule rules[] = {
#define CALL(name)                      { SYS_##name, 0, 0, 0, 0 },
#define CALL_IF(name, arg, mask, value) { SYS_##name, arg, mask, (uint32_t)(value), 0 },
#define CALL_FAILS(name, error)         { SYS_##name, 0, 0, 0, error },
#include "confine/confine_calls.def"
    };

    _Static_assert(sizeof rules / sizeof rules[0] <= 256, "PROGRAM_MAX");
    put(p, LOAD, 0, 0, offsetof(struct seccomp_data, arch));
    put(p, EQUALS, 1, 0, ARCH);
    put(p, ANSWER, 0, 0, SECCOMP_RET_KILL_PROCESS);
    put(p, LOAD, 0, 0, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        put_rule(p, &rules[i]);
    put(p, ANSWER, 0, 0, SECCOMP_RET_TRAP);
}

/* --- the last words --- */
static size_t say(char *out, size_t at, const char *text)
{
    size_t n = strlen(text);

    memcpy(out + at, text, n);
    return at + n;
}

/* In a signal handler: nothing but write(2) and _exit(2). */
static void ended_cb(int signal, siginfo_t *info, void *context)
{
    char text[512], digits[12], *digit = digits + sizeof digits - 1;
    unsigned nr = (unsigned)info->si_syscall, rest = nr;
    size_t n = 0;

    (void)signal, (void)context;
    if (info->si_code != SYS_SECCOMP)
        return; /* kill -SYS */
    *digit = '\0';
    do
        *--digit = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    n = say(text, n,
            "err confine a system call that this program does not need was tried, and ended it: ");
    n = say(text, n,
            nr < sizeof names / sizeof names[0] && names[nr] != NULL ? names[nr] : "number");
    n = say(text, n, " (");
    n = say(text, n, digit);
    n = say(text, n,
            "); if nothing attacked it, that is a mistake of nlbsim's to be reported, and "
            "`confine = files_only` in [nlb] goes on without the filter\n");
    if (write(STDERR_FILENO, text, n) < 0)
        _exit(CONFINE_EXIT);
    _exit(CONFINE_EXIT);
}

enum confine_step confine_calls(struct err *err)
{
    struct sigaction action = { .sa_sigaction = ended_cb, .sa_flags = SA_SIGINFO };
    struct sock_fprog program = { .filter = calloc(PROGRAM_MAX, sizeof(struct sock_filter)) };
    long rc = -1;

    if (program.filter == NULL) {
        err_set(err, ERR_NOMEM, "confine");
        return CONFINE_FAILED;
    }
    put_all(&program);
    sigemptyset(&action.sa_mask);
    if (ARCH != 0 && sigaction(SIGSYS, &action, NULL) == 0)
        rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    free(program.filter);
    if (rc == 0)
        return CONFINE_DONE;
    if (ARCH == 0 || errno == ENOSYS || errno == EINVAL || errno == EPERM)
        return CONFINE_LACKING;
    err_set(err, ERR_ENVIRONMENT, "confine: seccomp: %s", err_why(errno));
    return CONFINE_FAILED;
}
