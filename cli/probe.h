/* SPDX-License-Identifier: Apache-2.0
 * The verb probe in its parts: options (probe_options.c), the calls (cmd_probe.c) and what is
 * printed (probe_report.c). */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include <stdio.h>

#include "cli/command.h"
#include "diagnose/diagnose.h"
#include "vpclink/call_facts.h"
#include "vpclink/far_side.h"
#include "vpclink/gateway.h"

#define PROBE_HEADERS_MAX 100
#define PROBE_LIST_MAX    64

struct probe_options {
    struct command_line line;
    struct gateway_task task; /* what it borrows is kept in the fields below */
    struct gateway_wording wording;
    bool json, public_authorities;
    const char *trust_store; /* NULL: not given */
    const char *client_certificate, *client_key;
    const char *events; /* NULL: ask the far side */
    enum protocol listener_protocol;
    unsigned count, concurrency;
    uint64_t pause_ms;

    struct addr connect;
    int64_t at_utc;
    struct gateway_header headers[PROBE_HEADERS_MAX];
    char *header_text[PROBE_HEADERS_MAX]; /* owned */
    char *data;                           /* owned */
    uint16_t suites[PROBE_LIST_MAX], groups[PROBE_LIST_MAX];
};

extern const struct command_option probe_option_rows[];
/* Read the command line. Returns -1 when the work can begin, else the exit status (the reason is
 * on standard error). */
int probe_options_read(const struct command *c, int argc, char **argv, struct probe_options *o);
void probe_options_clear(struct probe_options *o);

/* One call with all that belongs to it. */
struct probe_call {
    struct gateway_result result;
    struct gateway_outcome outcome;
    struct far_side far;
    char request_id[40];
    struct diagnosis diagnosis;
    char *verdict; /* owned: the diagnosis in words */
    char *chain;   /* owned: the chain that was presented, drawn; NULL: none */
};

/* One call, in full. 0, or -1 when standard output fails. */
int probe_print_call(const struct probe_options *o, const struct probe_call *c);
/* One JSON object on a line of its own. */
int probe_print_json(const struct probe_options *o, const struct probe_call *c, unsigned number);
/* Many calls: a line for each, then the first failure in full, then the sums. */
int probe_print_many(const struct probe_options *o, const struct probe_call *calls, unsigned n);

#endif
