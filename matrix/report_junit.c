/* SPDX-License-Identifier: Apache-2.0
 * The matrix as a JUnit file: one suite per scenario file, one case per scenario. */
#include <stdio.h>
#include <string.h>

#include "core/foreign.h"
#include "matrix/matrix.h"

static void attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    foreign_put_markup(out, value);
    fputc('"', out);
}

static void test_case(FILE *out, const struct scenario_result *r)
{
    const struct integration_cfg *g = r->integration;
    char name[512];

    snprintf(name, sizeof name, "%s%s%s", g->obj.name, g->title == NULL ? "" : " ",
             g->title == NULL ? "" : g->title);
    fputs("    <testcase", out);
    attribute(out, "name", name);
    attribute(out, "classname", r->file->path);
    fprintf(out, " time=\"%.3f\"", r->ms / 1000.0);
    if (r->acted && r->passed) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n      ", out);
    if (!r->acted) {
        fputs("<skipped", out);
        attribute(out, "message", g->not_acted);
        fputs("/>\n", out);
    } else {
        fputs("<failure", out);
        attribute(out, "message", r->missed == NULL ? "expectation missed" : r->missed);
        attribute(out, "type", "expectation");
        fputs(">", out);
        foreign_put_markup(out, r->verdict == NULL ? "" : r->verdict);
        fputs("</failure>\n", out);
    }
    fputs("    </testcase>\n", out);
}

static void suite(FILE *out, const struct matrix *m, const struct scenario_file *f)
{
    size_t tests = 0, failures = 0, skipped = 0;
    double ms = 0;

    for (size_t i = 0; i < m->n_results; i++) {
        const struct scenario_result *r = &m->results[i];

        if (r->file != f)
            continue;
        tests++;
        failures += r->acted && !r->passed;
        skipped += !r->acted;
        ms += r->ms;
    }
    if (tests == 0)
        return;
    fputs("  <testsuite", out);
    attribute(out, "name", f->path);
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\">\n",
            tests, failures, skipped, ms / 1000.0);
    for (size_t i = 0; i < m->n_results; i++) {
        if (m->results[i].file == f)
            test_case(out, &m->results[i]);
    }
    fputs("  </testsuite>\n", out);
}

int report_junit(const struct matrix *m, FILE *out)
{
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\">\n",
            m->n_results, m->failed, m->ms / 1000.0);
    for (size_t i = 0; i < m->n_files; i++)
        suite(out, m, &m->files[i]);
    fputs("</testsuites>\n", out);
    return ferror(out) ? -1 : 0;
}
