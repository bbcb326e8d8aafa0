/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert: the table of its commands. */
#include "cli/cert.h"
#include "cli/cli.h"

static int cert_run(int argc, char **argv)
{
    return command_dispatch(&command_cert, argc, argv);
}

static const struct command *const cert_commands[] = { &command_cert_show, &command_cert_issue,
                                                       &command_cert_audit, &command_cert_client,
                                                       NULL };
static const char *const cert_synopsis[] = { "COMMAND [options] ...", NULL };
static const char *const cert_examples[] = { "nlbsim cert show api.example.com:443",
                                             "nlbsim cert audit --days 45 certs/", NULL };

const struct command command_cert = {
    .name = "cert",
    .summary = "look at, make, audit certificates; client certificates and their rotation",
    .run = cert_run,
    .synopsis = cert_synopsis,
    .about = "Certificates as files: nlbsim cert COMMAND --help tells more of each command.",
    .commands = cert_commands,
    .examples = cert_examples,
};
