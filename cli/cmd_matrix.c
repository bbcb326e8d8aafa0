/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim matrix [FILE.ini …]`: run scenarios and compare with what they expect. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/log.h"
#include "matrix/matrix.h"
#include "tls/tls_conf.h"

struct options {
    struct matrix_options matrix;
    bool json, progress;
    const char *junit, *html;
};

static void usage(FILE *out)
{
    fputs("usage: nlbsim matrix [options] [FILE.ini ...]\n\n"
          "Runs every [integration] of the files, or the embedded catalogue of VPC-link failures: "
          "each\n"
          "with its own load balancer and targets on free ports, called as API Gateway calls it, "
          "and\n"
          "compared with expect, expect_status and expect_hop.\n\n"
          "      --filter TEXT   only scenarios whose id or title holds it (or id pattern: 'A0*')\n"
          "      --jobs N        so many at a time (default: the number of cores)\n"
          "      --shard K/N     the K-th of N parts\n"
          "      --json          one JSON document on standard output instead of the table\n"
          "      --junit FILE    also write a JUnit file\n"
          "      --html FILE     also write a page: the hops of each scenario, errors, remedies\n"
          "  -h, --help\n\n"
          "Exit status: 0 everything as expected, 1 an expectation was missed, 2 usage or\n"
          "configuration error, 3 the environment failed.\n\n"
          "example: nlbsim matrix --filter A0 --junit report.xml\n",
          out);
}

static int parse_shard(const char *text, struct matrix_options *o)
{
    char *end;
    unsigned long k = strtoul(text, &end, 10), n;

    if (*end != '/' || end == text)
        return -1;
    text = end + 1;
    n = strtoul(text, &end, 10);
    if (*end != '\0' || end == text || n < 1 || n > 10000 || k < 1 || k > n)
        return -1;
    o->shard = (unsigned)k;
    o->shards = (unsigned)n;
    return 0;
}

static int parse_jobs(const char *text, struct matrix_options *o)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || end == text || n < 1 || n > 256)
        return -1;
    o->jobs = (unsigned)n;
    return 0;
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "filter", required_argument, NULL, 'f' }, { "jobs", required_argument, NULL, 'J' },
        { "shard", required_argument, NULL, 's' },  { "json", no_argument, NULL, 'j' },
        { "junit", required_argument, NULL, 'u' },  { "html", required_argument, NULL, 'w' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'f':
            o->matrix.filter = optarg;
            break;
        case 'J':
            if (parse_jobs(optarg, &o->matrix) != 0) {
                fprintf(stderr, "nlbsim matrix: --jobs '%s': 1-256\n", optarg);
                return 2;
            }
            break;
        case 's':
            if (parse_shard(optarg, &o->matrix) != 0) {
                fprintf(stderr, "nlbsim matrix: --shard '%s': K/N, K from 1 to N\n", optarg);
                return 2;
            }
            break;
        case 'j':
            o->json = true;
            break;
        case 'u':
            o->junit = optarg;
            break;
        case 'w':
            o->html = optarg;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    return -1;
}

static void progress_cb(void *arg, const struct scenario_result *done, size_t n_done, size_t n)
{
    (void)arg;
    fprintf(stderr, "\r\033[K%zu of %zu  %s", n_done, n, done->integration->obj.name);
    if (n_done == n)
        fputs("\r\033[K", stderr);
}

static int write_file(const struct matrix *m, const char *path,
                      int (*write_report)(const struct matrix *, FILE *))
{
    FILE *f;
    int rc;

    if (path == NULL)
        return 0;
    f = fopen(path, "we");
    rc = f == NULL ? -1 : write_report(m, f);
    if (f != NULL && fclose(f) != 0)
        rc = -1;
    if (rc != 0)
        fprintf(stderr, "nlbsim matrix: %s: %s\n", path, strerror(errno));
    return rc;
}

static int report(const struct matrix *m, const struct options *o)
{
    bool colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    int rc = o->json ? report_json(m, stdout) : report_table(m, stdout, colour);

    if (fflush(stdout) != 0 || rc != 0)
        return 3;
    if (write_file(m, o->junit, report_junit) != 0 || write_file(m, o->html, report_html) != 0)
        return 3;
    return m->failed > 0 ? 1 : 0;
}

static int run(struct matrix *m, const struct options *o)
{
    struct err err = { 0 };

    if (tls_init(&err) != 0 || matrix_run(m, &o->matrix, &err) != 0) {
        fprintf(stderr, "nlbsim matrix: %s\n", err.text);
        return 3;
    }
    if (m->n_results == 0 && o->matrix.shards <= 1) {
        fprintf(stderr, "nlbsim matrix: no scenario%s%s\n",
                o->matrix.filter == NULL ? " in the file" : " matches --filter ",
                o->matrix.filter == NULL ? "" : o->matrix.filter);
        return 2;
    }
    return report(m, o);
}

int cmd_matrix(int argc, char **argv)
{
    struct options o = { .matrix.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };
    struct problems problems = { 0 };
    struct matrix m;
    int status = parse(argc, argv, &o);

    if (status >= 0)
        return status;
    if (isatty(STDERR_FILENO))
        o.matrix.progress_cb = progress_cb;
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERR); /* the load balancers of the scenarios fail on purpose */
    if (matrix_read(&m, (const char *const *)argv + optind, (size_t)(argc - optind), &problems) !=
        0) {
        problems_print(&problems, stderr);
        status = problems_exit_status(&problems);
    } else {
        status = run(&m, &o);
    }
    problems_clear(&problems);
    matrix_clear(&m);
    tls_thread_done();
    return status;
}
