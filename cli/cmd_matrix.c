/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim matrix [FILE.ini …]`: run scenarios and compare with what they expect. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/log.h"
#include "matrix/matrix.h"
#include "tls/tls_conf.h"
#include "tls/tls_random.h"

struct matrix_cli_options {
    struct command_line line;
    struct matrix_options matrix;
    bool json;
    const char *junit, *html;
};

static int take_shard(void *options, const struct command_option *option, const char *text)
{
    struct matrix_options *o = &((struct matrix_cli_options *)options)->matrix;
    const char *given = text;
    char *end;
    unsigned long k = strtoul(text, &end, 10), n;

    text = end + (*end == '/');
    n = strtoul(text, &end, 10);
    if (strspn(given, "0123456789/") != strlen(given) || text == given || text[-1] != '/' ||
        *end != '\0' || n > 10000 || k < 1 || k > n)
        return command_refuse(options, option->name, given, "K/N, K from 1 to N, N at most 10000");
    o->shard = (unsigned)k;
    o->shards = (unsigned)n;
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

static int report_matrix(const struct matrix *m, const struct matrix_cli_options *o)
{
    bool colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    int rc = o->json ? report_json(m, stdout) : report_table(m, stdout, colour);

    if (fflush(stdout) != 0 || rc != 0)
        return 3;
    if (write_file(m, o->junit, report_junit) != 0 || write_file(m, o->html, report_html) != 0)
        return 3;
    for (size_t i = 0; i < m->n_results; i++) {
        if (m->results[i].limit)
            return 3; /* says nothing about AWS */
    }
    return m->failed > 0 ? 1 : 0;
}

static int run_matrix(struct matrix *m, const struct matrix_cli_options *o)
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
    return report_matrix(m, o);
}

static int matrix_verb(int argc, char **argv)
{
    struct matrix_cli_options o = { .matrix.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) };
    struct problems problems = { 0 };
    struct matrix m;
    int status = command_read(&command_matrix, argc, argv, &o);

    if (status >= 0)
        return status;
    if (isatty(STDERR_FILENO))
        o.matrix.progress_cb = progress_cb;
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERR); /* the load balancers of the scenarios fail on purpose */
    if (matrix_read(&m, (const char *const *)o.line.operands, o.line.n_operands, &problems) != 0) {
        problems_print(&problems, stderr);
        status = problems_exit_status(&problems);
    } else {
        status = run_matrix(&m, &o);
    }
    problems_clear(&problems);
    matrix_clear(&m);
    tls_thread_done();
    return status;
}

#define AT(field) .offset = offsetof(struct matrix_cli_options, field)
static const struct command_option matrix_option_rows[] = {
    { .name = "filter",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(matrix.filter),
      .help = "only scenarios whose id or title holds it (or id pattern: 'A0*')" },
    { .name = "jobs",
      .argument = "N",
      .kind = OPTION_UINT,
      AT(matrix.jobs),
      .min = 1,
      .max = 256,
      .help = "so many at a time; without it, as many as there are cores" },
    { .name = "shard",
      .argument = "K/N",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_shard,
      .help = "the K-th of N parts" },
    { .name = "json",
      .kind = OPTION_FLAG,
      AT(json),
      .help = "one JSON document on standard output instead of the table" },
    { .name = "junit",
      .argument = "FILE",
      .kind = OPTION_NAMED,
      AT(junit),
      .help = "also write a JUnit file" },
    { .name = "html",
      .argument = "FILE",
      .kind = OPTION_NAMED,
      AT(html),
      .help = "also write a page: the hops of each scenario, errors, remedies" },
    { .name = NULL },
};
#undef AT
static const char *const matrix_synopsis[] = { "[options] [FILE.ini ...]", NULL };
static const char *const matrix_examples[] = { "nlbsim matrix --filter A0 --junit report.xml",
                                               NULL };

const struct command command_matrix = {
    .name = "matrix",
    .summary = "run scenarios, each with its own load balancer, and compare with what they expect",
    .run = matrix_verb,
    .synopsis = matrix_synopsis,
    .about = "Runs every [integration] of the files, or the embedded catalogue of VPC-link "
             "failures: each with its own load balancer and targets on free ports, called as API "
             "Gateway calls it, and compared with expect, expect_status and expect_hop.",
    .options = matrix_option_rows,
    .operand = "FILE.ini",
    .operand_kind = OPERAND_FILE,
    .max_operands = 10000,
    .notes =
        "Exit status: 0 everything as expected, 1 an expectation was missed, 2 usage or "
        "configuration error, 3 the environment failed, or nlbsim lacks something that AWS has.",
    .examples = matrix_examples,
};
