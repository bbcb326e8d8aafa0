/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim check FILE.ini`: read and cross-check a configuration, change nothing. */
#include <string.h>

#include "cli/check_report.h"
#include "cli/cli.h"
#include "testbed/sections.h"

struct check_options {
    struct command_line line;
    bool verbose, json, keys, no_load, strict;
};

static int check_file(const char *path, const struct check_options *o)
{
    struct problems problems = { .path = path };
    struct nlb_config *config =
        nlb_config_load(path, lab_section_kinds, lab_n_section_kinds, !o->no_load, &problems);
    int status = problems_exit_status(&problems);
    size_t n_warnings = 0;

    if (o->json) {
        if (check_print_json(path, config, &problems, o->verbose, &n_warnings, stdout) != 0)
            status = 3;
    } else if (config == NULL) {
        problems_print(&problems, stderr);
    } else {
        n_warnings = check_print_warnings(config, stderr);
        check_print_summary(config, stdout);
        if (o->verbose)
            check_print_verbose(config, stdout);
    }
    if (o->strict && n_warnings > 0 && status == 0)
        status = 2;
    nlb_config_unref(config);
    problems_clear(&problems);
    if (fflush(stdout) != 0)
        status = 3;
    return status;
}

static const char *const check_synopsis[] = { "[options] FILE.ini", "--keys", NULL };

static int check_run(int argc, char **argv)
{
    struct check_options o = { .verbose = false };
    int status = command_read(&command_check, argc, argv, &o);

    if (status >= 0)
        return status;
    if (o.keys && o.line.n_operands > 0)
        return command_misused(&o, "--keys takes no file");
    if (o.keys)
        return check_print_keys(stdout) == 0 && fflush(stdout) == 0 ? 0 : 3;
    if (o.line.n_operands == 0)
        return command_misused(&o, "no FILE.ini is given: nlbsim check %s", check_synopsis[0]);
    return check_file(o.line.operands[0], &o);
}

#define AT(field) .offset = offsetof(struct check_options, field)
static const struct command_option check_option_rows[] = {
    { .name = "verbose",
      .letter = 'v',
      .kind = OPTION_FLAG,
      AT(verbose),
      .help =
          "also print the configuration in effect, and where this build differs from AWS for it" },
    { .name = "no-load",
      .kind = OPTION_FLAG,
      AT(no_load),
      .help = "do not load certificates and trust stores" },
    { .name = "json",
      .kind = OPTION_FLAG,
      AT(json),
      .help = "one JSON document on standard output" },
    { .name = "strict",
      .kind = OPTION_FLAG,
      AT(strict),
      .help = "warnings are errors: the exit status is 2" },
    { .name = "keys",
      .kind = OPTION_FLAG,
      AT(keys),
      .help = "print the table of all sections and keys (Markdown)" },
    { .name = NULL },
};
#undef AT
static const char *const check_examples[] = { "nlbsim check -v nlb.ini", NULL };

const struct command command_check = {
    .name = "check",
    .summary =
        "read and cross-check a configuration: every problem with file, line and the way out",
    .run = check_run,
    .synopsis = check_synopsis,
    .about =
        "Reads a configuration and reports every problem in it, with file and line; also, as a "
        "warning, what AWS accepts and API Gateway cannot reach, and what API Gateway would say of "
        "every certificate in its place.",
    .options = check_option_rows,
    .operand = "FILE.ini",
    .operand_kind = OPERAND_FILE,
    .max_operands = 1,
    .notes = "Exit status: 0 no problem, 2 problems (with --strict warnings too), 3 the file "
             "cannot be read.",
    .examples = check_examples,
};
