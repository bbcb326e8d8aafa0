/* SPDX-License-Identifier: Apache-2.0
 * The sections beside the load balancer's own: [lab_target NAME], [integration NAME]. */
#ifndef TESTBED_SECTIONS_H
#define TESTBED_SECTIONS_H

#include "labtarget/target_cfg.h"
#include "nlb/config.h"
#include "vpclink/integration_cfg.h"

/* For nlb_config_load(): every kind of section there is. */
extern const struct section_kind *const lab_section_kinds[];
extern const size_t lab_n_section_kinds;

/* The lab targets and integrations of a configuration; *n is 0 and NULL returned when none. */
const struct lab_target_cfg *lab_config_targets(const struct nlb_config *config, size_t *n);
const struct integration_cfg *lab_config_integrations(const struct nlb_config *config, size_t *n);

#endif
