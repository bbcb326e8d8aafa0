/* SPDX-License-Identifier: Apache-2.0
 * The thread that owns the signals of `nlbsim run` and outlives whatever hangs. */
#include "cli/guard.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/ready.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "core/turn.h"
#include "core/watch.h"

/* After draining the main thread has so long to end what is left; a second, give or take the cut.
 */
#define LAST_US 900000
#define CUT_US  100000

/* Who may end the process: this thread, as long as nothing is served, or the main thread. */
enum stage { STAGE_STARTING, STAGE_ENDS, STAGE_READY };

struct guard {
    pthread_t thread;
    bool runs;
    int signal_fd, wish_fd, over_fd;
    uint64_t drain_us;
    const char *ready_file; /* borrowed; NULL: none */
    struct turn main_turn;  /* where the main thread is */
    _Atomic(enum stage) stage;
    atomic_uint wishes;
    atomic_uint_fast64_t drained_by_us, exit_ms;
    _Atomic(const char *) signal_name;
    /* the thread's own; 0: none */
    uint64_t end_by_us, tick_us, beat_us, next_tick_us, next_beat_us;
    bool stalled;
};

/* --- the end --- */
/* For the case that even this thread hangs, in a log that nobody reads for instance: the kernel's.
 */
static void arm_kernel(uint64_t in_us)
{
    const struct itimerval once = { .it_value = clock_timeval(in_us) };

    (void)setitimer(ITIMER_REAL, &once, NULL);
}

void guard_last_second(void)
{
    arm_kernel(1000000);
}

/* What must be done before the last words, which may hang. */
static void prepare_end(const struct guard *g)
{
    if (g->ready_file != NULL)
        (void)unlink(g->ready_file); /* nobody shall think a dead process ready */
    arm_kernel(CUT_US);
}

static _Noreturn void cut_off(const struct guard *g)
{
    const char *at = atomic_load(&g->main_turn.doing), *state = atomic_load(&g->main_turn.state);
    char stalled[WATCH_TEXT];

    prepare_end(g);
    (void)watch_stalled(stalled);
    log_err("stop",
            "signal=%s cut off, the drain time and a second are over: the main thread is "
            "at %s%s%s%s%s",
            guard_stop_signal(g), at != NULL ? at : "its loop", state != NULL ? ", " : "",
            state != NULL ? state : "", stalled[0] != '\0' ? "; " : "", stalled);
    _exit(GUARD_EXIT_STATUS);
}

static void begin_end(struct guard *g, const char *signal_name)
{
    uint64_t now = clock_mono_us(), most = g->drain_us;
    enum stage starting = STAGE_STARTING;

    if (atomic_compare_exchange_strong(&g->stage, &starting, STAGE_ENDS)) {
        prepare_end(g);
        log_info("stop", "signal=%s before anything was served", signal_name);
        _exit(0);
    }
    if (g->end_by_us == 0) {
        atomic_store(&g->signal_name, signal_name);
        atomic_store(&g->drained_by_us, now + most);
        atomic_fetch_or(&g->wishes, GUARD_STOP);
    } else {
        most = 0; /* the second one */
        atomic_fetch_or(&g->wishes, GUARD_STOP_NOW);
    }
    if (g->end_by_us == 0 || now + most + LAST_US < g->end_by_us) {
        g->end_by_us = now + most + LAST_US;
        arm_kernel(most + LAST_US + CUT_US);
    }
}

/* --- signals --- */
static void take_signal(struct guard *g)
{
    const uint64_t one = 1;
    struct signalfd_siginfo info;

    if (read(g->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        atomic_fetch_or(&g->wishes, GUARD_RELOAD);
    else if (info.ssi_signo == SIGUSR1)
        atomic_fetch_or(&g->wishes, GUARD_REOPEN);
    else
        begin_end(g, info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
    (void)!write(g->wish_fd, &one, sizeof one); /* full: it is readable anyhow */
}

unsigned guard_take(struct guard *g)
{
    uint64_t n;

    (void)!read(g->wish_fd, &n, sizeof n);
    return atomic_exchange(&g->wishes, 0);
}

/* --- ticks --- */
static void tick(struct guard *g)
{
    uint64_t ms = watch_tick(), most = atomic_load(&g->exit_ms);
    char text[WATCH_TEXT], status[WATCH_TEXT + 16];

    if ((ms > 0) != g->stalled) {
        g->stalled = ms > 0;
        snprintf(status, sizeof status, "STATUS=%s",
                 watch_stalled(text) ? text : "every thread comes round again");
        ready_beat(status);
    }
    if (most == 0 || ms < most)
        return;
    prepare_end(g);
    (void)watch_stalled(text);
    log_err("stall", "%s; the process ends, status %d (stall_exit_seconds = %g)", text,
            GUARD_EXIT_STATUS, (double)most / 1000);
    _exit(GUARD_EXIT_STATUS);
}

static void look_around(struct guard *g)
{
    uint64_t now = clock_mono_us();

    if (g->end_by_us != 0 && now >= g->end_by_us)
        cut_off(g);
    if (now >= g->next_tick_us) {
        tick(g);
        g->next_tick_us = now + WATCH_TICK_MS * 1000;
    }
    if (g->beat_us != 0 && now >= g->next_beat_us) {
        if (!g->stalled)
            ready_beat("WATCHDOG=1");
        g->next_beat_us = now + g->beat_us;
    }
}

static int wait_ms(const struct guard *g)
{
    uint64_t now = clock_mono_us(), next = g->next_tick_us;

    if (g->end_by_us != 0 && g->end_by_us < next)
        next = g->end_by_us;
    if (g->beat_us != 0 && g->next_beat_us < next)
        next = g->next_beat_us;
    return now >= next ? 0 : (int)((next - now) / 1000 + 1);
}

static void *guard_run(void *arg)
{
    struct guard *g = arg;
    sigset_t alarm;
    struct pollfd fds[2] = { { .fd = g->signal_fd, .events = POLLIN },
                             { .fd = g->over_fd, .events = POLLIN } };

    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm, NULL); /* arm_kernel(), whatever the main thread does */
    while (fds[1].revents == 0) {
        if (poll(fds, 2, wait_ms(g)) > 0 && fds[0].revents != 0)
            take_signal(g);
        look_around(g);
    }
    return NULL;
}

/* --- life --- */
/* Half of what systemd waits for; 0: it does not. Source: sd_watchdog_enabled(3). */
static uint64_t wanted_beat_us(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

    if (us == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoull(us, NULL, 10) / 2;
}

static void guard_free(struct guard *g)
{
    const int fds[] = { g->signal_fd, g->wish_fd, g->over_fd };

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    free(g);
}

int guard_resume(struct guard *g, struct err *err)
{
    g->runs = thread_start(&g->thread, "guard", guard_run, g) == 0;
    if (g->runs)
        return 0;
    err_set(err, ERR_ENVIRONMENT, "signals: %s", err_why(errno));
    return -1;
}

void guard_pause(struct guard *g)
{
    const uint64_t one = 1;
    uint64_t n;

    if (g->runs && write(g->over_fd, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(g->thread, NULL);
    g->runs = false;
    (void)!read(g->over_fd, &n, sizeof n);
}

struct guard *guard_start(uint64_t drain_ms, const char *ready_file, struct err *err)
{
    struct guard *g = calloc(1, sizeof *g);
    sigset_t set;

    if (g == NULL) {
        err_set(err, ERR_NOMEM, "signals");
        return NULL;
    }
    g->drain_us = drain_ms * 1000;
    g->ready_file = ready_file;
    g->beat_us = wanted_beat_us();
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* inherited by every thread */
    signal(SIGALRM, SIG_DFL);
    g->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    g->wish_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (g->signal_fd < 0 || g->wish_fd < 0 || g->over_fd < 0) {
        err_set(err, ERR_ENVIRONMENT, "signals: %s", err_why(errno));
        guard_free(g);
        return NULL;
    }
    if (guard_resume(g, err) != 0) {
        guard_free(g);
        return NULL;
    }
    turn_tell(&g->main_turn);
    turn_at("the start");
    return g;
}

void guard_ready(struct guard *g, uint64_t exit_ms)
{
    enum stage starting = STAGE_STARTING;

    atomic_store(&g->exit_ms, exit_ms);
    while (!atomic_compare_exchange_strong(&g->stage, &starting, STAGE_READY) &&
           starting == STAGE_ENDS)
        pause(); /* the process is being ended */
    turn_end();
}

int guard_fd(const struct guard *g)
{
    return g->wish_fd;
}

uint64_t guard_drained_by_us(const struct guard *g)
{
    return atomic_load(&g->drained_by_us);
}

const char *guard_stop_signal(const struct guard *g)
{
    return atomic_load(&g->signal_name);
}

void guard_stop(struct guard *g)
{
    if (g == NULL)
        return;
    guard_pause(g);
    arm_kernel(0);
    turn_tell(NULL);
    guard_free(g);
}
