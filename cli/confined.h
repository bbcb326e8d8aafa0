/* SPDX-License-Identifier: Apache-2.0
 * How `run` and `target` are confined: by what their configuration says. */
#ifndef CLI_CONFINED_H
#define CLI_CONFINED_H

#include "confine/confine.h"
#include "nlb/config.h"

/* confine_enter() with the keys `confine`, `user`, `group` and every file that the configuration
 * names; `ready_file` may be NULL. Before the first thread. 0, or -1. */
int confined_enter(const struct nlb_config *config, const char *ready_file, struct err *err);

#endif
