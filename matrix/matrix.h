/* SPDX-License-Identifier: Apache-2.0
 * Many scenarios: pick, run side by side, keep the results in the order of the files. */
#ifndef MATRIX_MATRIX_H
#define MATRIX_MATRIX_H

#include "matrix/scenario.h"

struct matrix_options {
    const char *filter;     /* part of an id or a title, or a pattern with * and ?; NULL: all */
    unsigned shard, shards; /* 1-based; 0 of 0: all */
    unsigned jobs;          /* at least 1 */
    /* Called after each scenario, one at a time; NULL: nobody looks. */
    void (*progress_cb)(void *arg, const struct scenario_result *done, size_t n_done, size_t n);
    void *arg;
};

struct matrix {
    struct scenario_file *files; /* owned */
    size_t n_files;
    struct scenario_result *results; /* owned; only those picked */
    size_t n_results;
    size_t passed, failed, listed; /* `listed`: not acted out, with the reason */
    double ms;
};

/* Read the files (the embedded catalogue when `n_paths` is 0). 0, or -1: then `problems` (of the
 * file that is wrong) says why. */
int matrix_read(struct matrix *m, const char *const *paths, size_t n_paths,
                struct problems *problems);
/* Run what the options pick. 0, or -1 without memory or threads. */
int matrix_run(struct matrix *m, const struct matrix_options *options, struct err *err);
void matrix_clear(struct matrix *m);

/* Reports; each returns 0, or -1 when writing fails. */
int report_table(const struct matrix *m, FILE *out, bool colour);
int report_json(const struct matrix *m, FILE *out);
int report_junit(const struct matrix *m, FILE *out);
int report_html(const struct matrix *m, FILE *out);

/* "ok", or the error without its first words, as far as a table needs it. */
const char *report_outcome(const struct scenario_result *r);
const char *report_evidence(enum evidence e);
/* What was expected, for reports: into `out`; returns `out`. */
const char *report_expected(const struct integration_cfg *g, char *out, size_t size);

#endif
