/* SPDX-License-Identifier: Apache-2.0
 * Verdicts as JSON, and cases as JSON lines. */
#ifndef CLI_VALIDATE_JSON_H
#define CLI_VALIDATE_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "certs/judge/trust.h"
#include "diagnose/diagnose.h"
#include "diagnose/judged.h"

struct validate_settings {
    struct trust_request request; /* what all cases share: time, client, flags, perhaps the host */
    bool public_authorities;
};

/* A moment as a user or a test suite writes it: what clock_parse_utc reads, and RFC 3339 with
 * fractions (cut off) and offsets. Returns 0, or -1. */
int validate_time(const char *text, int64_t now_s, int64_t *out_s);

/* Print one verdict as one line. `id` is borrowed; NULL: none is printed. */
void validate_print_json(const json_t *id, const struct judged_chain *j, FILE *out);
/* What there is to say of it. 0, or -1 without memory. */
int validate_diagnose(const struct judged_chain *j, struct diagnosis *out);

/* Read cases from `in`, one JSON object per line, and write a line for each to `out`, in order.
 * Returns the exit status. */
int validate_stream(const struct validate_settings *settings, FILE *in, FILE *out);

/* Does this client offer TLS 1.2 only, where nothing else is said? API Gateway does. */
bool validate_tls12(const struct trust_request *req);

#endif
