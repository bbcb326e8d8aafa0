/* SPDX-License-Identifier: Apache-2.0
 * The one binary: a table of verbs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
#define VERB(name, function, help) { name, function, help },
#include "cli/verbs.def"
#undef VERB
    { NULL, NULL, NULL },
};

static void usage(FILE *out)
{
    fputs("nlbsim: a Network Load Balancer to reproduce VPC-link handshake failures with\n\n"
          "usage: nlbsim VERB [options] ...    (nlbsim VERB --help tells more)\n\n",
          out);
    for (const struct verb *v = verbs; v->name != NULL; v++)
        fprintf(out, "  %-10s %s\n", v->name, v->help);
    fputs("\n  --version  versions of nlbsim and its libraries\n", out);
}

/* What the verb has not seen: its last words did not reach standard output. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    fprintf(stderr, "nlbsim: standard output: %s\n", strerror(errno != 0 ? errno : EIO));
    return 3;
}

int main(int argc, char **argv)
{
    char name[64];

    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        cli_print_version(stdout);
        return finish(0);
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        usage(stdout);
        return finish(0);
    }
    for (const struct verb *v = verbs; argc >= 2 && v->name != NULL; v++) {
        if (strcmp(argv[1], v->name) == 0) {
            snprintf(name, sizeof name, "nlbsim %s", v->name); /* getopt's messages begin with it */
            argv[1] = name;
            return finish(v->run(argc - 1, argv + 1));
        }
    }
    if (argc >= 2)
        fprintf(stderr, "nlbsim: unknown verb '%s'\n\n", argv[1]);
    usage(stderr);
    return 2;
}
