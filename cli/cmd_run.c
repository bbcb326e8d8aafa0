/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim run FILE.ini`: the load balancer and the lab targets of a file, in the foreground. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confined.h"
#include "cli/guard.h"
#include "cli/ready.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/turn.h"
#include "nlb/differences.h"
#include "nlb/quotas.h"
#include "testbed/key_warnings.h"
#include "testbed/link_warnings.h"
#include "testbed/sections.h"
#include "testbed/testbed.h"
#include "tls/tls_conf.h"
#include "tls/tls_engine.h"
#include "tls/tls_random.h"

struct run_options {
    struct command_line line;
    const char *path, *ready_file;
    bool allow_key_log, debug;
    uint64_t drain_ms;
};

static struct nlb_config *load_file(const char *path, int *status)
{
    struct problems problems = { .path = path };
    struct nlb_config *config =
        nlb_config_load(path, lab_section_kinds, lab_n_section_kinds, true, &problems);

    if (config == NULL) {
        problems_print(&problems, stderr);
        *status = problems_exit_status(&problems);
    }
    problems_clear(&problems);
    return config;
}

static bool data_on_stdout(const struct nlb_config *config)
{
    const char *events = config->nlb.process.events, *access = config->nlb.process.access_log;

    return (events != NULL && strcmp(events, "-") == 0) ||
           (access != NULL && strcmp(access, "-") == 0);
}

static void log_difference(void *unused, const char *section, const char *text)
{
    (void)unused;
    log_info("not_simulated", "section=\"%s\" %s", section, text);
}

static void log_quota(void *unused, int line, const char *text)
{
    (void)unused;
    log_warn("quota", "line=%d %s", line, text);
}

static void log_exposed(void *unused, int line, const char *text)
{
    (void)unused;
    log_warn("key_exposed", "line=%d %s", line, text);
}

static void log_unreachable(void *unused, int line, const char *text)
{
    (void)unused;
    log_warn("unreachable", "line=%d %s", line, text);
}

/* What this configuration asks for that is not acted out, or that AWS would not allow by default.
 */
static void log_remarks(const struct nlb_config *config)
{
    nlb_config_lacking(config, log_difference, NULL);
    nlb_config_quotas(config, log_quota, NULL);
    lab_config_link_warnings(config, log_unreachable, NULL);
    lab_config_key_warnings(config, log_exposed, NULL);
}

/* --- the loop of the main thread --- */
struct serving {
    struct testbed bed;
    const struct run_options *options;
    struct guard *guard;
    bool draining;
};

static void reload(struct serving *s)
{
    struct err err = { 0 };
    int status = 0;
    struct nlb_config *config;
    bool taken = false, once;
    char state[64];

    /* sd_notify(3), "RELOADING=1": with the moment, for Type=notify-reload. */
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)clock_mono_us());
    ready_notify(state);
    once = strcmp(s->options->path, "-") == 0;
    config = once ? NULL : load_file(s->options->path, &status);
    if (once) {
        log_err("reload", "nothing changed: the configuration was standard input, which is read "
                          "once; start with a file to be able to reload");
    } else if (config == NULL) {
        log_err("reload", "file=%s nothing changed: see the errors above", s->options->path);
    } else if (testbed_reload(&s->bed, config, &err) != 0) {
        nlb_config_unref(config);
        log_err("reload", "file=%s nothing changed: %s", s->options->path, err.text);
    } else {
        taken = true;
        log_info("reload", "file=%s new flows follow the new configuration", s->options->path);
        log_remarks(config);
        if (s->options->ready_file != NULL &&
            ready_write_file(s->options->ready_file, &s->bed, &err) != 0)
            log_err("reload", "%s", err.text);
    }
    /* READY=1 also ends a reload that failed; systemd has no other word for it than a status. */
    confine_hide_memory(); /* the keys of the new configuration */
    ready_notify(taken ? "READY=1\nSTATUS=reloaded"
                       : "READY=1\nSTATUS=the last reload changed nothing: see the log");
}

static void reopen(struct serving *s)
{
    struct err err = { 0 };

    if (nlb_reopen_logs(s->bed.nlb, &err) != 0)
        log_err("reopen", "%s", err.text);
}

static void drain(struct serving *s)
{
    s->draining = true;
    log_info("stop", "signal=%s flows=%llu draining for at most %g s", guard_stop_signal(s->guard),
             (unsigned long long)nlb_active_flows(s->bed.nlb), (double)s->options->drain_ms / 1000);
    ready_notify("STOPPING=1");
    nlb_drain(s->bed.nlb);
}

/* True when the program shall end now. */
static bool take_wishes(struct serving *s)
{
    unsigned wishes = guard_take(s->guard);

    if (wishes & GUARD_REOPEN) {
        turn_at("opening the logs again");
        reopen(s);
    }
    if ((wishes & GUARD_RELOAD) && !(wishes & GUARD_STOP) && !s->draining) {
        turn_at("a reload");
        reload(s);
    }
    if (wishes & GUARD_STOP)
        drain(s);
    turn_end();
    return (wishes & GUARD_STOP_NOW) != 0;
}

static int drain_wait_ms(const struct serving *s)
{
    uint64_t now = clock_mono_us(), by = guard_drained_by_us(s->guard);

    if (!s->draining)
        return -1;
    return now >= by ? 0 : (int)((by - now) / 1000 + 1);
}

static void loop(struct serving *s)
{
    struct pollfd fds[2] = { { .fd = guard_fd(s->guard), .events = POLLIN },
                             { .fd = nlb_drained_fd(s->bed.nlb), .events = POLLIN } };

    for (;;) {
        int n = poll(fds, 2, drain_wait_ms(s));

        if (n < 0 && errno != EINTR)
            return;
        if (n == 0)
            return; /* the deadline of draining */
        if ((fds[0].revents & POLLIN) && take_wishes(s))
            return;
        if (fds[1].revents & POLLIN)
            return; /* all drained */
    }
}

static int open_key_log(bool allowed)
{
    const char *path = getenv("SSLKEYLOGFILE");
    int fd;

    if (path == NULL || path[0] == '\0')
        return 0;
    if (!allowed) {
        log_warn("key_log", "SSLKEYLOGFILE is set and ignored: give --allow-key-log to honour it");
        return 0;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        fprintf(stderr, "nlbsim run: SSLKEYLOGFILE %s: %s\n", path, err_why(errno));
        return -1;
    }
    tls_key_log_to(fd);
    log_warn("key_log", "file=%s TLS secrets are written in the clear", path);
    return 0;
}

static int serve_file(struct serving *s, struct nlb_config *config)
{
    struct err err = { 0 };
    int rc;

    guard_pause(s->guard);
    rc = confined_enter(config, s->options->ready_file, &err);
    if (guard_resume(s->guard, rc == 0 ? &err : NULL) != 0 || rc != 0 ||
        testbed_start(&s->bed, config, &err) != 0) {
        fprintf(stderr, "nlbsim run: %s\n", err.text);
        nlb_config_unref(config);
        return err_exit_status(&err);
    }
    confine_hide_memory();
    guard_ready(s->guard, nlb_process(s->bed.nlb)->stall_exit_ms);
    log_remarks(config);
    ready_print(data_on_stdout(config) ? stderr : stdout, &s->bed);
    if (s->options->ready_file != NULL &&
        ready_write_file(s->options->ready_file, &s->bed, &err) != 0) {
        fprintf(stderr, "nlbsim run: %s\n", err.text);
        testbed_stop(&s->bed);
        return 3;
    }
    ready_notify("READY=1");
    loop(s);
    turn_at("the end");
    if (s->options->ready_file != NULL)
        unlink(s->options->ready_file); /* nobody shall think a dead process ready */
    testbed_stop(&s->bed);
    log_info("stopped", "file=%s", s->options->path);
    return 0;
}

static int run_run(int argc, char **argv)
{
    struct run_options o = { .path = NULL };
    struct serving s = { .options = &o };
    struct err err = { 0 };
    struct nlb_config *config;
    int status = command_read(&command_run, argc, argv, &o);

    if (status >= 0)
        return status;
    o.path = o.line.operands[0];
    if (o.debug)
        log_set_level(LOG_LEVEL_DEBUG);
    signal(SIGPIPE, SIG_IGN); /* splice(2) has no flag against it */
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write(2), as a full disk */
    log_never_wait();
    s.guard = guard_start(o.drain_ms, o.ready_file, &err);
    if (s.guard == NULL || tls_init(&err) != 0) {
        fprintf(stderr, "nlbsim run: %s\n", err.text);
        guard_stop(s.guard);
        return 3;
    }
    status = open_key_log(o.allow_key_log) != 0 ? 3 : 0;
    config = status == 0 ? load_file(o.path, &status) : NULL;
    if (config != NULL)
        status = serve_file(&s, config);
    guard_stop(s.guard);
    tls_thread_done();
    return status;
}

#define AT(field) .offset = offsetof(struct run_options, field)
static const struct command_option run_option_rows[] = {
    { .name = "ready-file",
      .argument = "PATH",
      .kind = OPTION_NAMED,
      AT(ready_file),
      .help = "write a JSON document there once every listener accepts; removed at the end" },
    { .name = "drain-timeout",
      .argument = "SECONDS",
      .kind = OPTION_SECONDS,
      AT(drain_ms),
      .max = 86400 * 1000,
      .def = "5",
      .help = "how long running flows may finish after SIGTERM" },
    { .name = "allow-key-log",
      .kind = OPTION_FLAG,
      AT(allow_key_log),
      .help = "honour SSLKEYLOGFILE (TLS secrets in the clear!)" },
    { .name = "debug",
      .letter = 'd',
      .kind = OPTION_FLAG,
      AT(debug),
      .help = "log each state of each flow" },
    { .name = NULL },
};
#undef AT
static const char *const run_synopsis[] = { "[options] FILE.ini", NULL };
static const char *const run_examples[] = { "nlbsim run --ready-file /tmp/ready.json nlb.ini",
                                            NULL };

const struct command command_run = {
    .name = "run",
    .summary = "start the load balancer, and the lab targets of the file, in the foreground",
    .run = run_run,
    .synopsis = run_synopsis,
    .about =
        "Starts the load balancer and the lab targets of the file and stays in the foreground.",
    .options = run_option_rows,
    .operand = "FILE.ini",
    .operand_kind = OPERAND_FILE,
    .min_operands = 1,
    .max_operands = 1,
    .notes = "Signals: SIGTERM, SIGINT drain then stop, a second one stops at once; SIGHUP reads "
             "the file again (a bad one changes nothing); SIGUSR1 opens the event file and the "
             "access log again.\n\n"
             "Exit status: 0 stopped as told, 2 configuration error, 3 the environment failed, 4 a "
             "process that ended itself: a thread hung (docs/limits.md), or it tried a system call "
             "that a confined one may not make (docs/confinement.md).",
    .examples = run_examples,
};
