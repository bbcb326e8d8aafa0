/* SPDX-License-Identifier: Apache-2.0
 * What a file may say and AWS accepts, although no VPC link can work with it. */
#ifndef TESTBED_LINK_WARNINGS_H
#define TESTBED_LINK_WARNINGS_H

#include "nlb/config.h"

/* One sentence for the line that it is about. */
typedef void link_warning_cb(void *user, int line, const char *text);

/* Every [integration] whose listener, or the lab targets behind it, API Gateway cannot reach. */
void lab_config_link_warnings(const struct nlb_config *c, link_warning_cb *say, void *user);

#endif
