/* SPDX-License-Identifier: Apache-2.0
 * The program as a command: what all its verbs have in common. */
#include "cli/cli.h"

static const struct command *const verbs[] = {
#define VERB(name) &command_##name,
#include "cli/verbs.def"
#undef VERB
    NULL,
};

static const char *const root_synopsis[] = { "VERB [options] ...", NULL };
static const char *const root_examples[] = { "nlbsim demo", "nlbsim help probe", NULL };

const struct command nlbsim_command = {
    .name = "",
    .synopsis = root_synopsis,
    .about = "A Network Load Balancer to reproduce VPC-link handshake failures with: which hop's "
             "certificate has to satisfy whom.",
    .commands = verbs,
    .examples = root_examples,
    .notes = "nlbsim help VERB (or nlbsim VERB --help) tells more of each; nlbsim --version names "
             "the versions.\n\n"
             "A file called - is standard input. An option's value follows it (--host NAME) or "
             "stands behind '=' (--host=NAME); what follows -- is no option. Text is laid out for "
             "the terminal's width, or that of COLUMNS, or 80; sentences that go into a pipe or a "
             "file stay whole.\n\n"
             "Exit status: 0 as expected, 1 the thing tested failed, 2 usage or configuration "
             "error, 3 the environment failed.",
};
