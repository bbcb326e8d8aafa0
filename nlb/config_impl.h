/* SPDX-License-Identifier: Apache-2.0
 * What the files of the configuration loader share; nobody else includes this. */
#ifndef NLB_CONFIG_IMPL_H
#define NLB_CONFIG_IMPL_H

#include "nlb/config.h"

extern const struct section_kind config_kind_nlb;

/* "1-32 letters, digits, hyphens, no hyphen at either end": AWS's rule for load balancers and
 * target groups. Source: CloudFormation reference, TargetGroup, "Name". */
bool config_aws_name(const char *name);
/* Our rule for other names: 1-32 letters, digits, '-', '_', '.'. */
bool config_plain_name(const char *name);
struct cfg_object *config_item(const struct config_list *list, size_t i);
/* Resolve the names of target groups and lab targets, then apply every rule that needs more than
 * one key. */
void config_check(struct nlb_config *config, struct problems *problems);
/* Find the security and ALPN policies that TLS listeners name. */
void config_find_policies(struct nlb_config *config, struct problems *problems);
/* Make the lab, load the certificates of listeners, check their keys. */
void config_load(struct nlb_config *config, struct problems *problems);
/* The part of it that needs no loading: names of lab profiles. */
void config_check_specs(const struct nlb_config *config, struct problems *problems);
void config_unload(struct nlb_config *config);

#endif
