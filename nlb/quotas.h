/* SPDX-License-Identifier: Apache-2.0
 * AWS's quotas: what of a configuration AWS would refuse without a raised quota. */
#ifndef NLB_QUOTAS_H
#define NLB_QUOTAS_H

#include "nlb/config.h"

/* One excess: the line to look at, and a sentence that lives only during the call. */
typedef void quotas_cb(void *user, int line, const char *text);

void nlb_config_quotas(const struct nlb_config *config, quotas_cb *say, void *user);

#endif
