/* SPDX-License-Identifier: Apache-2.0
 * What `nlbsim check` prints: problems, the configuration in effect, differences, the key tables.
 */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "nlb/config.h"

/* "FILE: ok: 2 listeners, 1 target group" */
void check_print_summary(const struct nlb_config *config, FILE *out);
/* "FILE:LINE: warning: text" for what AWS accepts and what still will not work, or needs a quota.
 */
size_t check_print_warnings(const struct nlb_config *config, FILE *out);
/* Every section with every value in effect, then where this build differs from AWS. */
void check_print_verbose(const struct nlb_config *config, FILE *out);
/* One JSON document; `config` NULL when there are problems. Fields: docs/configuration.md. */
int check_print_json(const char *path, const struct nlb_config *config,
                     const struct problems *problems, bool verbose, size_t *n_warnings, FILE *out);
/* The table of every section and key, as in docs/configuration.md (Markdown). 0, or -1. */
int check_print_keys(FILE *out);

#endif
