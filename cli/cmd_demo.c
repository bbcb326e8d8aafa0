/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim demo`: one self-signed target behind a TLS and a TCP listener, asked through both. */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certs/lab.h"
#include "certs/pem_file.h"
#include "cli/cli.h"
#include "core/tls_conf.h"
#include "lab/demo.h"
#include "lab/sections.h"
#include "lab/testbed.h"

/* What is asked, and what must come of it. `why` is printed when it came so. */
static const struct step {
    const char *listener, *title, *why_ok, *why_refused;
    bool expect_ok;
} steps[] = {
    { "https", "TLS listener, TLS target group",
      "curl validated the LISTENER's certificate (lab:valid/" DEMO_HOST
      ", issued by the lab's public\n"
      "  root): trusted. The target's own certificate is self-signed; nobody validates it behind "
      "a\n"
      "  TLS listener.",
      "this must not happen: the listener's certificate is issued by the root that curl was given",
      true },
    { "passthrough", "TCP listener, the same target behind it",
      "this must not happen: the target's certificate is self-signed",
      "curl validated the TARGET's certificate: self-signed, so refused. A TCP listener passes "
      "the\n"
      "  TLS session through, and the client meets the target itself. Way out: give the target a\n"
      "  certificate of a supported CA, or use a TLS listener.",
      false },
};

static void usage(FILE *out)
{
    fputs(
        "usage: nlbsim demo [--stay]\n\n"
        "Starts a lab target with a self-signed certificate behind a TLS and a TCP listener, asks\n"
        "it through both with curl, and says whose certificate was validated.\n\n"
        "      --stay   leave everything running until SIGINT or SIGTERM\n\n"
        "Exit status: 0 as expected, 1 something came out otherwise, 3 the environment failed.\n\n"
        "example: nlbsim demo --stay\n",
        out);
}

/* The lab's public root into a file of its own in `dir`. */
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
        rc = pem_write(path, text.at, text.len, PEM_LAZY, err);
    pem_text_clear(&text);
    return rc;
}

/* curl's exit status: 0 answered, 60 the certificate was refused. -1: curl could not be run. */
static int run_curl(const char *roots, uint16_t port)
{
    char url[128], resolve[128];
    int status;
    pid_t pid;

    snprintf(url, sizeof url, "https://" DEMO_HOST ":%u/orders", port);
    snprintf(resolve, sizeof resolve, DEMO_HOST ":%u:127.0.0.1", port);
    printf("$ curl --cacert %s --resolve %s %s\n", roots, resolve, url);
    fflush(stdout);
    pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(STDOUT_FILENO, STDERR_FILENO);
        execlp("curl", "curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "10",
               "--cacert", roots, "--resolve", resolve, url, (char *)NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
        return -1;
    return WEXITSTATUS(status);
}

static int play(const struct testbed *bed, const char *roots)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct step *s = &steps[i];
        const struct nlb_listener_info l = nlb_listener_at(bed->nlb, i);
        int rc;

        printf("\n%zu. %s\n", i + 1, s->title);
        rc = run_curl(roots, addr_port(&l.address));
        if (rc < 0) {
            fputs("nlbsim demo: curl cannot be run; install it\n", stderr);
            return 3;
        }
        printf("\n=> %s\n  %s\n", rc == 0 ? "answered" : "refused",
               rc == 0 ? s->why_ok : s->why_refused);
        failed |= (rc == 0) != s->expect_ok;
    }
    return failed;
}

static void stay(const struct testbed *bed, const sigset_t *set, const char *roots)
{
    int sig;

    printf("\nEverything stays up. Try:\n");
    for (size_t i = 0; i < nlb_listener_count(bed->nlb); i++) {
        const struct nlb_listener_info l = nlb_listener_at(bed->nlb, i);

        printf("  curl -v --cacert %s --connect-to ::127.0.0.1:%u https://" DEMO_HOST
               "/   # %s listener\n",
               roots, addr_port(&l.address), protocol_name(l.protocol));
    }
    printf("Ctrl-C stops it.\n");
    fflush(stdout);
    sigwait(set, &sig);
}

static int demo(bool staying, const sigset_t *set)
{
    struct problems problems = { .path = "demo" };
    struct nlb_config *config =
        nlb_config_parse(demo_ini, strlen(demo_ini), "demo.ini", ".", lab_section_kinds,
                         lab_n_section_kinds, true, &problems);
    char dir[] = "/tmp/nlbsim-demo-XXXXXX", roots[64];
    struct err err = { 0 };
    struct testbed bed;
    int status;

    if (config == NULL) {
        problems_print(&problems, stderr);
        problems_clear(&problems);
        return 3;
    }
    problems_clear(&problems);
    if (testbed_start(&bed, config, &err) != 0) {
        fprintf(stderr, "nlbsim demo: %s\n", err.text);
        nlb_config_unref(config);
        return err_exit_status(&err);
    }
    puts("curl ──> listener https        (TLS, lab:valid certificate)  ──TLS──> target "
         "(self-signed)\n"
         "     └─> listener passthrough  (TCP)                         ──────> the same target");
    if (mkdtemp(dir) == NULL)
        err_set(&err, ERR_ENVIRONMENT, "cannot make a folder in /tmp");
    snprintf(roots, sizeof roots, "%s/roots.pem", dir);
    status = err.code == ERR_NONE && write_roots(config, roots, &err) == 0 ? play(&bed, roots) : 3;
    if (err.code != ERR_NONE)
        fprintf(stderr, "nlbsim demo: %s\n", err.text);
    if (staying && status == 0)
        stay(&bed, set, roots);
    unlink(roots);
    rmdir(dir);
    testbed_stop(&bed);
    return status;
}

int cmd_demo(int argc, char **argv)
{
    static const struct option longs[] = { { "stay", no_argument, NULL, 's' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool staying = false;
    struct err err = { 0 };
    sigset_t set;
    int c;

    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 's') {
            staying = true;
        } else {
            usage(c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (tls_init(&err) != 0) {
        fprintf(stderr, "nlbsim demo: %s\n", err.text);
        return 3;
    }
    c = demo(staying, &set);
    tls_thread_done();
    return c;
}
