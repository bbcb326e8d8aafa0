/* SPDX-License-Identifier: Apache-2.0
 * The commands of `nlbsim cert`. Each is like a verb: argv[0] is its name, it returns the exit
 * status. */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include <stdint.h>

#include "core/err.h"

int cert_cmd_show(int argc, char **argv);
int cert_cmd_issue(int argc, char **argv);
int cert_cmd_audit(int argc, char **argv);
int cert_cmd_client(int argc, char **argv);

/* Print "nlbsim cert NAME: …" and return the exit status that belongs to it. */
int cert_fail(const char *command, const struct err *err);
int cert_usage(const char *command, const char *text);
/* After getopt has said what is wrong: the way to the help; 2. */
int cert_try_help(const char *command);
/* --at: 0, or -1 after having said what is wrong. `*now_s` holds the real time before. */
int cert_parse_at(const char *command, const char *text, int64_t *now_s);

#endif
