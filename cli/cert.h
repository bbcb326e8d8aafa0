/* SPDX-License-Identifier: Apache-2.0
 * The commands of `nlbsim cert`: their rows. */
#ifndef CLI_CERT_H
#define CLI_CERT_H

#include "cli/command.h"

extern const struct command command_cert_show;
extern const struct command command_cert_issue;
extern const struct command command_cert_audit;
extern const struct command command_cert_client;

#endif
