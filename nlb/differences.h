/* SPDX-License-Identifier: Apache-2.0
 * Where this build acts otherwise than AWS, or AWS's behaviour is unknown, for one configuration.
 */
#ifndef NLB_DIFFERENCES_H
#define NLB_DIFFERENCES_H

#include "nlb/config.h"

/* One remark: `section` is "[listener https]", `text` a sentence; both live only during the call.*/
typedef void differences_cb(void *user, const char *section, const char *text);

void nlb_config_differences(const struct nlb_config *config, differences_cb *say, void *user);
/* Only what this build cannot act out of the security policies in use: said at start-up. */
void nlb_config_lacking(const struct nlb_config *config, differences_cb *say, void *user);

#endif
