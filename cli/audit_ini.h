/* SPDX-License-Identifier: Apache-2.0
 * Audit of an INI file: every certificate in its place. */
#ifndef CLI_AUDIT_INI_H
#define CLI_AUDIT_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/audit/audit.h"

/* Is that text an INI file? A section comes first in it, behind blank lines and comments. */
bool audit_is_ini(const char *text, size_t n);
/* 0, or the exit status when the file cannot be used; its problems are printed then.
 *   text       its content; relative names in it count from where `path` lies
 *   looked_at  raised by the number of chains */
int audit_ini(struct audit_report *report, const struct audit_options *o, const char *path,
              const char *text, size_t n, size_t *looked_at);

#endif
