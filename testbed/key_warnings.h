/* SPDX-License-Identifier: Apache-2.0
 * Private keys of a configuration that others on this machine can read. */
#ifndef TESTBED_KEY_WARNINGS_H
#define TESTBED_KEY_WARNINGS_H

#include "nlb/config.h"

/* One sentence for the line that names the certificate. */
typedef void key_warning_cb(void *user, int line, const char *text);

/* Of listeners and lab targets, whose certificates are loaded. */
void lab_config_key_warnings(const struct nlb_config *c, key_warning_cb *say, void *user);

#endif
