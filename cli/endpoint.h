/* SPDX-License-Identifier: Apache-2.0
 * HOST:PORT on a command line. */
#ifndef CLI_ENDPOINT_H
#define CLI_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

/*
 * Split "127.0.0.1:8443", "[::1]:8443" or "name:8443": the host without brackets into `host`,
 * `*port` at the digits within `text`. False when it is not of that form or the port is not 1 to
 * 65535.
 */
bool endpoint_split(const char *text, char *host, size_t size, const char **port);
/* For OPTION_CUSTOM: check the form, keep the text in the option's field, a const char *. */
int endpoint_take(void *options, const struct command_option *option, const char *value);

#endif
