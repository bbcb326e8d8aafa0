/* SPDX-License-Identifier: Apache-2.0
 * The findings of `nlbsim cert audit` as text, JSON or SARIF. */
#ifndef CLI_AUDIT_OUTPUT_H
#define CLI_AUDIT_OUTPUT_H

#include <stdio.h>

#include "certs/audit/audit.h"

void audit_print_text(const struct audit_report *report, size_t looked_at, FILE *out);
/* product.md's shape and more; 0, or -1 when it could not be written. */
int audit_print_json(const struct audit_report *report, size_t looked_at, FILE *out);
/* SARIF 2.1.0 [https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html]. */
int audit_print_sarif(const struct audit_report *report, FILE *out);

#endif
