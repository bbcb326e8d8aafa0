/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim check FILE.ini`: read and cross-check a configuration, change nothing. */
#include <getopt.h>
#include <string.h>

#include "cli/check_report.h"
#include "cli/cli.h"
#include "labtarget/sections.h"

static void usage(FILE *out)
{
    fputs("usage: nlbsim check [-v] [--json] FILE.ini\n"
          "       nlbsim check --keys\n\n"
          "Reads a configuration and reports every problem in it, with file and line; also, as a\n"
          "warning, what AWS accepts and API Gateway cannot reach.\n\n"
          "  -v, --verbose   also print the configuration in effect, and where this build differs\n"
          "                  from AWS for it\n"
          "      --no-load   do not load certificates and trust stores\n"
          "      --json      one JSON document on standard output\n"
          "      --keys      print the table of all sections and keys (Markdown)\n\n"
          "Exit status: 0 no problem, 2 problems, 3 the file cannot be read.\n\n"
          "example: nlbsim check -v nlb.ini\n",
          out);
}

struct options {
    bool verbose, json, keys, no_load;
};

static int check_file(const char *path, const struct options *o)
{
    struct problems problems = { .path = path };
    struct nlb_config *config =
        nlb_config_load(path, lab_section_kinds, lab_n_section_kinds, !o->no_load, &problems);
    int status = problems_exit_status(&problems);

    if (o->json) {
        if (check_print_json(path, config, &problems, o->verbose, stdout) != 0)
            status = 3;
    } else if (config == NULL) {
        problems_print(&problems, stderr);
    } else {
        check_print_warnings(config, stderr);
        check_print_summary(config, stdout);
        if (o->verbose)
            check_print_verbose(config, stdout);
    }
    nlb_config_unref(config);
    problems_clear(&problems);
    if (fflush(stdout) != 0)
        status = 3;
    return status;
}

int cmd_check(int argc, char **argv)
{
    static const struct option longs[] = {
        { "verbose", no_argument, NULL, 'v' }, { "json", no_argument, NULL, 'j' },
        { "keys", no_argument, NULL, 'k' },    { "no-load", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },    { NULL, 0, NULL, 0 },
    };
    struct options o = { .verbose = false };
    int c;

    while ((c = getopt_long(argc, argv, "vh", longs, NULL)) != -1) {
        switch (c) {
        case 'v':
            o.verbose = true;
            break;
        case 'j':
            o.json = true;
            break;
        case 'k':
            o.keys = true;
            break;
        case 'n':
            o.no_load = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (o.keys && optind == argc) {
        int rc = check_print_keys(stdout);

        return rc == 0 && fflush(stdout) == 0 ? 0 : 3;
    }
    if (optind + 1 != argc || o.keys) {
        fputs("nlbsim check: give one file\n\n", stderr);
        usage(stderr);
        return 2;
    }
    return check_file(argv[optind], &o);
}
