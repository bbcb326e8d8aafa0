/* SPDX-License-Identifier: Apache-2.0
 * What the verbs share. Each verb is a row, `command_NAME`, in cli/cmd_NAME.c. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/command.h"

/* The program itself: the command whose commands are the verbs. */
extern const struct command nlbsim_command;

#define VERB(name) extern const struct command command_##name;
#include "cli/verbs.def"
#undef VERB

#endif
