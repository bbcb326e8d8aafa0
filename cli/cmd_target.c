/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim target`: one lab target by itself, in the foreground. */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confined.h"
#include "cli/guard.h"
#include "cli/ready.h"
#include "core/log.h"
#include "labtarget/fault_parse.h"
#include "labtarget/lab_target.h"
#include "testbed/sections.h"
#include "testbed/testbed.h"
#include "tls/tls_conf.h"
#include "tls/tls_random.h"

#define KEYS_MAX        24
#define OPTION_NAME_MAX 32
#define OPTION_HELP_MAX 512

/* The keys become an INI text, so that their own rules apply. */
struct target_options {
    struct command_line line;
    FILE *ini, *nlb; /* of [lab_target], of [nlb] */
    const char *name;
    bool has_certificate, plain, faults, markdown, debug;
};

/* An option's value is one line of a file. */
static bool one_line(const char *value)
{
    if (value[0] != '\0' && strpbrk(value, "\r\n") == NULL)
        return true;
    fputs("nlbsim target: an option's value is one line and not empty\n", stderr);
    return false;
}

/* An option as a key: its name has dashes. */
static void put_key(FILE *out, const char *option, const char *value)
{
    for (const char *p = option; *p != '\0'; p++)
        fputc(*p == '-' ? '_' : *p, out);
    fprintf(out, " = %s\n", value);
}

static int take_nlb_key(void *options, const struct command_option *option, const char *value)
{
    const struct target_options *o = options;

    if (!one_line(value))
        return 2;
    put_key(o->nlb, option->name, value);
    return -1;
}

static int take_key(void *options, const struct command_option *option, const char *value)
{
    struct target_options *o = options;
    const char *key = option->name;

    if (!one_line(value))
        return 2;
    /* A key names a file; standard input has a name, too. */
    if (strcmp(value, "-") == 0 &&
        (strcmp(key, "certificate") == 0 || strncmp(key, "client-c", 8) == 0))
        value = "/dev/stdin";
    o->has_certificate |= strcmp(key, "certificate") == 0;
    o->plain |= strcmp(key, "protocol") == 0 && strcmp(value, "HTTP") == 0;
    put_key(o->ini, key, value);
    return -1;
}

/* The whole file: what was given, after a head that names the target. */
static struct nlb_config *load_target(const struct target_options *o, const char *nlb,
                                      const char *keys, int *status)
{
    struct problems problems = { .path = "nlbsim target" };
    struct nlb_config *config = NULL;
    char *text = NULL;

    if ((o->name == NULL || one_line(o->name)) &&
        asprintf(&text, "[nlb]\n%s[lab_target %s]\n%s%s", nlb, o->name == NULL ? "target" : o->name,
                 keys,
                 o->has_certificate || o->plain ? "" : "certificate = lab:valid/localhost\n") >=
            0) {
        config = nlb_config_parse(text, strlen(text), "nlbsim target", ".", lab_section_kinds,
                                  lab_n_section_kinds, true, &problems);
    }
    if (config == NULL) {
        for (size_t i = 0; i < problems.n; i++)
            fprintf(stderr, "nlbsim target: %s\n", problems.v[i].text);
        *status = problems.n == 0 ? 2 : problems_exit_status(&problems);
    }
    free(text);
    problems_clear(&problems);
    return config;
}

static int serve_target(struct nlb_config *config, const sigset_t *signals)
{
    struct err err = { 0 };
    struct lab_targets *targets = NULL;
    const struct lab_target_info *info;
    char text[ADDR_TEXT_MAX];
    int got;

    if (confined_enter(config, NULL, &err) == 0)
        targets = testbed_lab_targets(config, &err);
    if (targets == NULL) {
        fprintf(stderr, "nlbsim target: %s\n", err.text);
        return err_exit_status(&err);
    }
    confine_hide_memory();
    info = lab_targets_at(targets, 0);
    printf("ready target=%s protocol=%s address=%s\n", info->name, info->protocol,
           addr_format(&info->addr, text));
    fflush(stdout);
    ready_notify("READY=1");
    while (sigwait(signals, &got) != 0)
        continue;
    guard_last_second();
    lab_targets_stop(targets);
    return 0;
}

static int run_target(const struct target_options *o, const char *nlb, const char *keys)
{
    struct err err = { 0 };
    struct nlb_config *config;
    sigset_t signals;
    int status = 3;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (tls_init(&err) != 0) {
        fprintf(stderr, "nlbsim target: %s\n", err.text);
        return 3;
    }
    config = load_target(o, nlb, keys, &status);
    if (config != NULL)
        status = serve_target(config, &signals);
    nlb_config_unref(config);
    tls_thread_done();
    return status;
}

static int target_run(int argc, char **argv)
{
    struct target_options o = { 0 };
    char *keys = NULL, *nlb = NULL;
    size_t n = 0, n_nlb = 0;
    int status = 3;

    o.ini = open_memstream(&keys, &n);
    o.nlb = open_memstream(&nlb, &n_nlb);
    if (o.ini != NULL && o.nlb != NULL)
        status = command_read(&command_target, argc, argv, &o);
    if (o.ini != NULL && fclose(o.ini) != 0 && status < 0)
        status = 3;
    if (o.nlb != NULL && fclose(o.nlb) != 0 && status < 0)
        status = 3;
    if (o.debug)
        log_set_level(LOG_LEVEL_DEBUG);
    if (status < 0 && o.markdown && !o.faults)
        status = command_misused(&o, "--markdown goes with --faults");
    if (status < 0 && o.faults) {
        (o.markdown ? fault_print_markdown : fault_print_help)(stdout);
        status = fflush(stdout) == 0 ? 0 : 3;
    } else if (status < 0) {
        status = run_target(&o, nlb, keys);
    }
    free(keys);
    free(nlb);
    return status;
}

#define AT(field) .offset = offsetof(struct target_options, field)
static const struct command_option own_options[] = {
    { .name = "name",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(name),
      .section = "This program",
      .help = "what it is called in its answers (default target)" },
    { .name = "lab-seed",
      .argument = "TEXT",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_nlb_key,
      .help = "the same lab keys and certificates every time" },
    { .name = "confine",
      .argument = "WORD",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_nlb_key,
      .help = "on, require, files_only or off: what the process gives up once it has started "
              "(default on)" },
    { .name = "user",
      .argument = "USER",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_nlb_key,
      .help = "whom a process that root started becomes" },
    { .name = "group",
      .argument = "GROUP",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_nlb_key,
      .help = "the group that it gets with that (default: the user's)" },
    { .name = "faults", .kind = OPTION_FLAG, AT(faults), .help = "list the faults" },
    { .name = "markdown", .kind = OPTION_FLAG, AT(markdown), .help = "the list as a table" },
    { .name = "debug",
      .letter = 'd',
      .kind = OPTION_FLAG,
      AT(debug),
      .help = "log each connection" },
};
#undef AT

/* A key of [lab_target] as an option. */
static struct command_option key_option(const struct cfg_key *key, char name[OPTION_NAME_MAX],
                                        char help[OPTION_HELP_MAX])
{
    char values[256];

    snprintf(name, OPTION_NAME_MAX, "%s", key->name);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)(*p == '_' ? '-' : *p);
    cfg_values(key, values, sizeof values);
    snprintf(help, OPTION_HELP_MAX, "%s (%s%s%s)", key->help, values,
             key->def == NULL ? "" : "; default ", key->def == NULL ? "" : key->def);
    return (struct command_option){ .name = name,
                                    .argument = "VALUE",
                                    .kind = OPTION_CUSTOM,
                                    .parse_cb = take_key,
                                    .choices = key->kind == CFG_ENUM ? key->choices : NULL,
                                    .repeated = key->repeated,
                                    .help = help };
}

static const struct command_option *target_option_rows(void)
{
    enum { N_OWN = sizeof own_options / sizeof own_options[0] };
    static struct command_option rows[KEYS_MAX + N_OWN + 1];
    static char names[KEYS_MAX][OPTION_NAME_MAX], help[KEYS_MAX][OPTION_HELP_MAX];
    size_t n = 0;

    if (rows[0].name != NULL)
        return rows;
    for (; n < KEYS_MAX && lab_target_keys[n].name != NULL; n++)
        rows[n] = key_option(&lab_target_keys[n], names[n], help[n]);
    rows[0].section = "Keys of [lab_target]";
    memcpy(rows + n, own_options, sizeof own_options);
    return rows;
}

static const char *const target_synopsis[] = { "[--KEY VALUE ...]", "--faults [--markdown]", NULL };
static const char *const target_examples[] = {
    "nlbsim target --listen 127.0.0.1:8443 --certificate lab:expired/api.example.com",
    "nlbsim target --protocol HTTP --fault status:503", NULL
};

const struct command command_target = {
    .name = "target",
    .summary = "one lab target by itself: an HTTP or HTTPS server that tells what it saw, or "
               "misbehaves",
    .run = target_run,
    .synopsis = target_synopsis,
    .about = "Serves one lab target in the foreground: an HTTP or HTTPS server that answers any "
             "request with a JSON description of what it saw, or misbehaves as told. Prints one "
             "line when it is ready.",
    .options_cb = target_option_rows,
    .notes =
        "Exit status: 0 stopped as told (SIGTERM, SIGINT), 2 usage, 3 the environment failed, 4 a "
        "system call that a confined process may not make (docs/confinement.md).",
    .examples = target_examples,
};
