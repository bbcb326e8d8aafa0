/* SPDX-License-Identifier: Apache-2.0
 * What the verbs share. Each verb is `int cmd_NAME(int argc, char **argv)` with argv[0] "nlbsim
 * NAME"; it returns the exit status: 0 as expected, 1 the thing tested failed, 2 usage or
 * configuration error, 3 the environment failed. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#define VERB(name, function, help) int function(int argc, char **argv);
#include "cli/verbs.def"
#undef VERB

/* "nlbsim 0.1.0" and a line per library with its version. */
void cli_print_version(FILE *out);

#endif
