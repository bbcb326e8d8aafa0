/* SPDX-License-Identifier: Apache-2.0
 * Audit of an INI file: every certificate in its place. */
#ifndef CLI_AUDIT_INI_H
#define CLI_AUDIT_INI_H

#include <stddef.h>

#include "certs/audit/audit.h"

/* 0, or the exit status when the file cannot be used; its problems are printed then.
 *   looked_at  raised by the number of chains */
int audit_ini(struct audit_report *report, const struct audit_options *o, const char *path,
              size_t *looked_at);

#endif
