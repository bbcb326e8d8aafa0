/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert: the table of its commands. */
#include <stdio.h>
#include <string.h>

#include "cli/cert.h"
#include "cli/cli.h"
#include "core/suggest.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "show", cert_cmd_show, "what a file, or a server at HOST:PORT, presents" },
    { "issue", cert_cmd_issue, "make one certificate, by lab profile or by flags" },
    { "audit", cert_cmd_audit, "what a validating client or an NLB would mind; exit status 1" },
    { "client", cert_cmd_client, "client certificates as API Gateway keeps them, and rotation" },
};

static void usage(FILE *out)
{
    fputs("usage: nlbsim cert COMMAND [options] ...    (nlbsim cert COMMAND --help tells more)\n\n",
          out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs("\nexample: nlbsim cert show api.example.com:443\n"
          "example: nlbsim cert audit --days 45 certs/\n",
          out);
}

int cmd_cert(int argc, char **argv)
{
    struct suggest s;
    char hint[64], name[64];

    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return 0;
    }
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    s = suggest_for(argv[1]);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            snprintf(name, sizeof name, "nlbsim cert %s", commands[i].name);
            argv[1] = name;
            return commands[i].run(argc - 1, argv + 1);
        }
        suggest_try(&s, commands[i].name);
    }
    fprintf(stderr, "nlbsim cert: unknown command '%s'%s (nlbsim cert --help)\n", argv[1],
            suggest_text(&s, hint, sizeof hint));
    return 2;
}
