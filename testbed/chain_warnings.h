/* SPDX-License-Identifier: Apache-2.0
 * Every certificate of a configuration in its place, judged as the client there would. */
#ifndef TESTBED_CHAIN_WARNINGS_H
#define TESTBED_CHAIN_WARNINGS_H

#include "nlb/config.h"

/* One warning for the line that names the certificate. */
typedef void chain_warning_cb(void *user, int line, const char *text);

/* Of listeners behind integrations, lab targets behind TCP listeners with integrations, the rest by
 * what no trust store could cure, and client certificates by their dates. Certificates must be
 * loaded; what an integration expects to fail is no warning. */
void lab_config_chain_warnings(const struct nlb_config *c, chain_warning_cb *say, void *user);

#endif
