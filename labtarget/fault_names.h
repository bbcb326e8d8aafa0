/* SPDX-License-Identifier: Apache-2.0
 * Does a target's certificate hold a name: what a target that refuses unknown names goes by. */
#ifndef LABTARGET_FAULT_NAMES_H
#define LABTARGET_FAULT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct cert_facts;

/* DNS names of the SAN, or the CN when there are none; a wildcard stands for one label. */
bool fault_name_matches(const struct cert_facts *leaf, const char *name, size_t len);

#endif
