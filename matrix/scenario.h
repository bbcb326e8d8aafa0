/* SPDX-License-Identifier: Apache-2.0
 * One scenario: an [integration] of an INI file with the listener, target groups and lab targets it
 * needs, started on free ports in this process, called as API Gateway calls it, and compared with
 * what it expects. */
#ifndef MATRIX_SCENARIO_H
#define MATRIX_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "testbed/sections.h"
#include "vpclink/texts.h"

/* A file of scenarios, read and checked once. */
struct scenario_file {
    const char *path; /* as messages name it; borrowed */
    char *dir;        /* owned: what relative paths in it count from */
    char *text;       /* owned */
    size_t n_text;
    struct nlb_config *config; /* one reference: what the file says as a whole */
    const struct integration_cfg *integrations;
    size_t n_integrations;
};

/* Read and check; `text` NULL: from the file system. 0, or -1 with the problems reported there. */
int scenario_file_read(struct scenario_file *f, const char *path, const char *text, size_t n,
                       struct problems *problems);
void scenario_file_clear(struct scenario_file *f);

/* What a scenario's hops present, for tables and pages. */
struct scenario_hops {
    const char *listener_protocol; /* "TLS", "TCP"; "-" when there is none */
    const char *listener_presents; /* certificate as configured; "-" */
    const char *target_protocol;   /* of the lab target: "HTTPS", "HTTP"; "-" */
    const char *target_presents;   /* certificate as configured; "-" */
};

struct scenario_result {
    const struct scenario_file *file;
    const struct integration_cfg *integration;
    struct scenario_hops hops;
    bool acted;           /* false: only listed, see integration->not_acted */
    bool limit;           /* a call met what nlbsim cannot act out; then nothing was passed */
    bool passed;          /* every expectation was met (or nothing was acted out) */
    bool ok;              /* the (last, or first failed) call was answered by the target */
    unsigned status;      /* what the API's caller saw */
    char *error;          /* owned: API Gateway's whole sentence; NULL when ok */
    const char *hop;      /* deciding party, in words */
    char *verdict;        /* owned */
    const char *evidence; /* of the error text */
    char *missed;         /* owned: which expectation was missed, in words; NULL when passed */
    double ms;
};

/* Run one. Never fails itself: what goes wrong is a missed expectation. `tls_init()` must have been
 * called; any thread. */
void scenario_run(const struct scenario_file *f, const struct integration_cfg *integration,
                  struct scenario_result *out);
void scenario_result_clear(struct scenario_result *r);

/* The part of the file that one integration needs: every other section's lines are empty, so line
 * numbers stay. Allocated (free); NULL without memory. */
char *scenario_excerpt(const struct scenario_file *f, const struct integration_cfg *integration);

#endif
