/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim target`: one lab target by itself, in the foreground. */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ready.h"
#include "core/log.h"
#include "labtarget/faults.h"
#include "labtarget/lab_target.h"
#include "labtarget/sections.h"
#include "tls/tls_conf.h"

static void usage(FILE *out)
{
    fputs("usage: nlbsim target [--KEY VALUE ...]\n"
          "       nlbsim target --faults [--markdown]\n\n"
          "Serves one lab target in the foreground: an HTTP or HTTPS server that answers any\n"
          "request with a JSON description of what it saw, or misbehaves as told. Prints one line\n"
          "when it is ready.\n\n",
          out);
    for (const struct cfg_key *k = lab_target_keys; k->name != NULL; k++) {
        char option[32], values[256];

        snprintf(option, sizeof option, "--%s", k->name);
        for (char *p = option; *p != '\0'; p++)
            *p = (char)(*p == '_' ? '-' : *p);
        fprintf(out, "  %-14s %s (%s%s%s)\n", option, k->help, cfg_values(k, values, sizeof values),
                k->def == NULL ? "" : "; default ", k->def == NULL ? "" : k->def);
    }
    fputs(
        "  --name         what it is called in its answers (default target)\n"
        "  --lab-seed     the same lab keys and certificates every time\n"
        "  --faults       list the faults; --markdown as a table\n"
        "  -d, --debug    log each connection\n"
        "  -h, --help\n\n"
        "Exit status: 0 stopped as told (SIGTERM, SIGINT), 2 usage, 3 the environment failed.\n\n"
        "example: nlbsim target --listen 127.0.0.1:8443 --certificate lab:expired/api.example.com\n"
        "example: nlbsim target --protocol HTTP --fault status:503\n",
        out);
}

/* --- options to an INI text, so that the keys' own rules apply --- */
struct options {
    FILE *ini;
    const char *name, *seed;
    bool has_certificate, plain, faults, markdown;
};

/* An option's value is one line of a file. */
static bool one_line(const char *value)
{
    if (value[0] != '\0' && strpbrk(value, "\r\n") == NULL)
        return true;
    fputs("nlbsim target: an option's value is one line and not empty\n", stderr);
    return false;
}

static int take_key(struct options *o, const char *option, const char *value)
{
    char key[32];

    if (!one_line(value))
        return 2;
    snprintf(key, sizeof key, "%s", option);
    for (char *p = key; *p != '\0'; p++)
        *p = (char)(*p == '-' ? '_' : *p);
    o->has_certificate |= strcmp(key, "certificate") == 0;
    o->plain |= strcmp(key, "protocol") == 0 && strcmp(value, "HTTP") == 0;
    fprintf(o->ini, "%s = %s\n", key, value);
    return -1;
}

enum { OPT_NAME = 256, OPT_SEED, OPT_FAULTS, OPT_MARKDOWN, OPT_KEY };

#define KEYS_MAX 24

/* -1: go on; otherwise the exit status. */
static int parse(int argc, char **argv, struct options *o)
{
    struct option longs[KEYS_MAX + 8] = {
        { "name", required_argument, NULL, OPT_NAME },
        { "lab-seed", required_argument, NULL, OPT_SEED },
        { "faults", no_argument, NULL, OPT_FAULTS },
        { "markdown", no_argument, NULL, OPT_MARKDOWN },
        { "debug", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
    };
    char names[KEYS_MAX][32];
    int c, at = 0, status = -1;

    for (size_t i = 0; i < KEYS_MAX && lab_target_keys[i].name != NULL; i++) {
        snprintf(names[i], sizeof names[i], "%s", lab_target_keys[i].name);
        for (char *p = names[i]; *p != '\0'; p++)
            *p = (char)(*p == '_' ? '-' : *p);
        longs[6 + i] = (struct option){ names[i], required_argument, NULL, OPT_KEY };
    }
    while (status < 0 && (c = getopt_long(argc, argv, "dh", longs, &at)) != -1) {
        switch (c) {
        case OPT_KEY:
            status = take_key(o, longs[at].name, optarg);
            break;
        case OPT_NAME:
            o->name = optarg;
            break;
        case OPT_SEED:
            o->seed = optarg;
            break;
        case OPT_FAULTS:
            o->faults = true;
            break;
        case OPT_MARKDOWN:
            o->markdown = true;
            break;
        case 'd':
            log_set_level(LOG_LEVEL_DEBUG);
            break;
        case 'h':
            usage(stdout);
            status = 0;
            break;
        default:
            status = 2;
        }
    }
    if (status < 0 && optind != argc) {
        fprintf(stderr, "nlbsim target: '%s': options only\n", argv[optind]);
        status = 2;
    }
    if (status == 2)
        fputs("(nlbsim target --help tells more)\n", stderr);
    return status;
}

/* The whole file: what was given, after a head that names the target. */
static struct nlb_config *load(const struct options *o, const char *keys, int *status)
{
    struct problems problems = { .path = "nlbsim target" };
    struct nlb_config *config = NULL;
    char *text = NULL;

    if ((o->name == NULL || one_line(o->name)) && (o->seed == NULL || one_line(o->seed)) &&
        asprintf(&text, "%s%s%s[lab_target %s]\n%s%s",
                 o->seed == NULL ? "" : "[nlb]\nlab_seed = ", o->seed == NULL ? "" : o->seed,
                 o->seed == NULL ? "" : "\n", o->name == NULL ? "target" : o->name, keys,
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

static int serve(struct nlb_config *config, const sigset_t *signals)
{
    struct err err = { 0 };
    struct lab_targets *targets = lab_targets_start(config, &err);
    const struct lab_target_info *info;
    char text[ADDR_TEXT_MAX];
    int got;

    if (targets == NULL) {
        fprintf(stderr, "nlbsim target: %s\n", err.text);
        return err_exit_status(&err);
    }
    info = lab_targets_at(targets, 0);
    printf("ready target=%s protocol=%s address=%s\n", info->name, info->protocol,
           addr_format(&info->addr, text));
    fflush(stdout);
    ready_notify("READY=1");
    while (sigwait(signals, &got) != 0)
        continue;
    lab_targets_stop(targets);
    return 0;
}

static int run(const struct options *o, const char *keys)
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
    config = load(o, keys, &status);
    if (config != NULL)
        status = serve(config, &signals);
    nlb_config_unref(config);
    tls_thread_done();
    return status;
}

int cmd_target(int argc, char **argv)
{
    struct options o = { 0 };
    char *keys = NULL;
    size_t n = 0;
    int status;

    o.ini = open_memstream(&keys, &n);
    if (o.ini == NULL)
        return 3;
    status = parse(argc, argv, &o);
    if (fclose(o.ini) != 0 && status < 0)
        status = 3;
    if (status < 0 && o.faults) {
        (o.markdown ? fault_print_markdown : fault_print_help)(stdout);
        status = fflush(stdout) == 0 ? 0 : 3;
    } else if (status < 0) {
        status = run(&o, keys);
    }
    free(keys);
    return status;
}
