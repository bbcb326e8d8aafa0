/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim demo`: one target, and what decides whether API Gateway trusts the way to it. */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/x509/pem_file.h"
#include "cli/cli.h"
#include "cli/demo_show.h"
#include "cli/guard.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/screen.h"
#include "matrix/catalogue.h"
#include "testbed/testbed.h"
#include "tls/tls_conf.h"
#include "tls/tls_random.h"

#define HOST "api.example.com" /* of scenarios/demo.ini */

struct demo_options {
    struct command_line line;
    bool stay;
};

/* Everything in the order of the file; true when all came out as expected. */
static bool play(const struct scenario_file *file, bool colour)
{
    uint64_t begin = clock_mono_us();
    size_t failed = 0;

    screen_wrap(stdout,
                "Which hop's certificate has to satisfy whom: real handshakes, one self-signed "
                "target behind all of it.",
                0, 0, screen_sentence_columns(stdout));
    putchar('\n');
    for (size_t i = 0; i < file->n_integrations && ferror(stdout) == 0; i++) {
        struct scenario_result r;

        scenario_run(file, &file->integrations[i], &r);
        demo_show(stdout, &r, i + 1, colour);
        fflush(stdout);
        failed += !r.passed;
        scenario_result_clear(&r);
    }
    printf("\n%zu of %zu as expected, in %.1f s. All the ways it can fail: nlbsim matrix\n",
           file->n_integrations - failed, file->n_integrations,
           (double)(clock_mono_us() - begin) / 1e6);
    return failed == 0;
}

/* The lab's public root into a file of its own. */
static int write_roots(const struct nlb_config *config, const char *path, struct err *err)
{
    struct der_span anchors[CERT_LAB_CHAIN_MAX];
    struct pem_text text = { 0 };
    size_t n = 0;
    int rc = -1;

    if (cert_lab_store(config->lab, "public", anchors, &n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        pem_put(&text, "CERTIFICATE", anchors[i]);
    if (text.bad)
        err_set(err, ERR_NOMEM, "%s", path);
    else
        rc = file_write(path, text.at, text.len, FILE_LAZY, err);
    pem_text_clear(&text);
    return rc;
}

static void offer(const struct testbed *bed, const char *roots)
{
    puts("\nThe listeners stay up. Try:");
    for (size_t i = 0; i < nlb_listener_count(bed->nlb); i++) {
        const struct nlb_listener_info l = nlb_listener_at(bed->nlb, i);

        printf("  curl --cacert %s --connect-to ::127.0.0.1:%u https://" HOST "/   # %s, %s\n",
               roots, addr_port(&l.address), l.name, protocol_name(l.protocol));
    }
    for (size_t i = 0; i < nlb_listener_count(bed->nlb) && i < 2; i++) {
        const struct nlb_listener_info l = nlb_listener_at(bed->nlb, i);

        printf("  nlbsim probe --connect 127.0.0.1:%u --trust-store %s https://" HOST
               "/   # as API "
               "Gateway\n",
               addr_port(&l.address), roots);
    }
    puts("Ctrl-C stops them.");
    fflush(stdout);
}

static struct nlb_config *parse(const struct catalogue_file *f)
{
    struct problems problems = { .path = f->path };
    struct nlb_config *config = nlb_config_parse(f->text, f->n, f->path, ".", lab_section_kinds,
                                                 lab_n_section_kinds, true, &problems);

    if (config == NULL)
        problems_print(&problems, stderr);
    problems_clear(&problems);
    return config;
}

/* The whole file as one load balancer, until a signal comes. Exit status. */
static int stay(const struct catalogue_file *f, const sigset_t *set)
{
    struct nlb_config *config = parse(f);
    char dir[] = "/tmp/nlbsim-demo-XXXXXX", roots[64];
    struct err err = { 0 };
    struct testbed bed;
    int sig;

    if (config == NULL)
        return 3;
    if (testbed_start(&bed, config, &err) != 0) {
        fprintf(stderr, "nlbsim demo: %s\n", err.text);
        nlb_config_unref(config);
        return err_exit_status(&err);
    }
    if (mkdtemp(dir) == NULL) {
        err_set(&err, ERR_ENVIRONMENT, "cannot make a folder in /tmp");
    } else {
        snprintf(roots, sizeof roots, "%s/roots.pem", dir);
        if (write_roots(config, roots, &err) == 0) {
            offer(&bed, roots);
            sigwait(set, &sig);
            guard_last_second();
        }
        unlink(roots);
        rmdir(dir);
    }
    testbed_stop(&bed);
    if (err.code != ERR_NONE)
        fprintf(stderr, "nlbsim demo: %s\n", err.text);
    return err.code == ERR_NONE ? 0 : 3;
}

static int demo(bool staying, const sigset_t *set)
{
    const struct catalogue_file f = catalogue_demo();
    bool colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    struct problems problems = { .path = f.path };
    struct scenario_file file;
    int status = 3;

    if (scenario_file_read(&file, f.path, f.text, f.n, &problems) != 0)
        problems_print(&problems, stderr);
    else
        status = play(&file, colour) ? 0 : 1;
    problems_clear(&problems);
    scenario_file_clear(&file);
    if (staying && status == 0)
        status = stay(&f, set);
    return status;
}

static int demo_run(int argc, char **argv)
{
    struct demo_options o = { .stay = false };
    struct err err = { 0 };
    sigset_t set;
    int status = command_read(&command_demo, argc, argv, &o);

    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERR); /* the load balancers fail on purpose */
    sigemptyset(&set);
    if (o.stay) {
        /* Blocked before the workers start, so that sigwait() gets them. */
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
    }
    if (tls_init(&err) != 0) {
        fprintf(stderr, "nlbsim demo: %s\n", err.text);
        return 3;
    }
    status = demo(o.stay, &set);
    tls_thread_done();
    return status;
}

static const struct command_option demo_option_rows[] = {
    { .name = "stay",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct demo_options, stay),
      .help = "then leave the listeners running until SIGINT or SIGTERM, with commands to try" },
    { .name = NULL },
};
static const char *const demo_synopsis[] = { "[--stay]", NULL };
static const char *const demo_examples[] = { "nlbsim demo --stay", NULL };

const struct command command_demo = {
    .name = "demo",
    .summary = "the whole story with nothing configured: who validates whose certificate",
    .run = demo_run,
    .synopsis = demo_synopsis,
    .about = "Starts load balancers and a target with a self-signed certificate in this process, "
             "calls them as API Gateway calls a private integration, and shows which certificate "
             "decided: behind a TLS listener, behind a TCP listener, with a flawed listener "
             "certificate, and with the skip flag.",
    .options = demo_option_rows,
    .notes =
        "Exit status: 0 as expected, 1 something came out otherwise, 3 the environment failed.",
    .examples = demo_examples,
};
