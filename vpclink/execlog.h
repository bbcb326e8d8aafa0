/* SPDX-License-Identifier: Apache-2.0
 * The execution log of one call, line by line as API Gateway's test console writes it. */
#ifndef VPCLINK_EXECLOG_H
#define VPCLINK_EXECLOG_H

#include "vpclink/texts.h"

/* "2cd9f026-8ece-42b5-a448-fcbf917ba63e": a random request id; `out` takes 37 bytes. */
void execlog_request_id(char *out);
/* "Tue Jun 23 02:21:45 UTC 2020" into `out`; returns `out`. */
#define EXECLOG_DATE_MAX 80
const char *execlog_date(int64_t wall_us, char *out);

/*
 * The whole log, one line after the other, each with its newline, in an allocated text (free).
 *   returns  NULL without memory
 *   source   recorded, and seen in a user's log. Maps are cut after
 *            998 characters with " [TRUNCATED]", lines after 1024 bytes.
 */
char *execlog_text(const struct gateway_task *task, const struct gateway_result *r,
                   const struct gateway_outcome *outcome, const char *request_id);

/* Is it a header that stays on its hop, and so is not passed on to the API's caller? */
bool execlog_is_hop_header(const char *name);

#endif
