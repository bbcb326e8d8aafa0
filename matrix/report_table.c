/* SPDX-License-Identifier: Apache-2.0
 * The matrix as a table for people. */
#include <stdio.h>
#include <string.h>

#include "core/foreign.h"
#include "core/screen.h"
#include "matrix/matrix.h"

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define GREY  "\033[90m"
#define PLAIN "\033[0m"

#define PROFILE_WIDTH 26 /* where there is room */

static const char *profile_of(const char *spec)
{
    return strncmp(spec, "lab:", 4) == 0 ? spec + 4 : spec;
}

static void cell(FILE *out, const char *text, int width)
{
    int n = (int)strlen(text);

    if (n > width)
        fprintf(out, "%.*s… ", width - 1, text);
    else
        fprintf(out, "%-*s ", width, text);
}

/* "valid" of "valid/api.example.com". */
static void profile_cell(FILE *out, const char *spec, int width)
{
    char text[64];
    const char *from = profile_of(spec);
    size_t n = strcspn(from, "/");

    snprintf(text, sizeof text, "%.*s", (int)(n < sizeof text ? n : sizeof text - 1), from);
    cell(out, text, width);
}

/* Columns of the two cells that say what is presented. */
static int profile_width(FILE *out, int id_width)
{
    const size_t columns = screen_sentence_columns(out), others = (size_t)id_width + 50;

    return columns >= others + 2 * PROFILE_WIDTH ? PROFILE_WIDTH
           : columns <= others + 2 * 10          ? 10
                                                 : (int)(columns - others) / 2;
}

/* Where a screen has no room for it, the outcome stands on a line of its own. */
static void print_outcome(FILE *out, const char *outcome, int id_width)
{
    const size_t used = (size_t)(id_width + 2 * profile_width(out, id_width)) + 45;

    if (screen_sentence_columns(out) >= used + screen_width(outcome, strlen(outcome))) {
        foreign_printf(out, "%s\n", outcome);
        return;
    }
    fputc('\n', out);
    screen_sentence(out, "      ", outcome);
}

static void row(FILE *out, const struct scenario_result *r, int id_width, bool colour)
{
    const int profile = profile_width(out, id_width);
    const struct integration_cfg *g = r->integration;
    const char *mark = !r->acted ? "listed" : r->passed ? "as expected" : "MISSED";
    char status[16] = "-";

    if (r->acted && r->status != 0)
        snprintf(status, sizeof status, "%u", r->status);
    cell(out, g->obj.name, id_width);
    cell(out, r->hops.listener_protocol, 4);
    profile_cell(out, r->hops.listener_presents, profile);
    cell(out, r->hops.target_protocol, 5);
    profile_cell(out, r->hops.target_presents, profile);
    cell(out, g->insecure_skip_verification ? "yes" : "", 4);
    cell(out, status, 4);
    cell(out, r->hop == NULL ? "-" : r->hop, 8);
    if (colour)
        fputs(!r->acted ? GREY : r->passed ? GREEN : RED, out);
    cell(out, mark, 11);
    if (colour)
        fputs(PLAIN, out);
    print_outcome(out, r->acted ? report_outcome(r) : g->not_acted, id_width);
}

/* As wide as the longest id, within reason. */
static int id_width(const struct matrix *m)
{
    size_t width = 5;

    for (size_t i = 0; i < m->n_results; i++) {
        size_t n = strlen(m->results[i].integration->obj.name);

        width = n > width ? n : width;
    }
    return width > 32 ? 32 : (int)width;
}

static void details(FILE *out, const struct scenario_result *r)
{
    char expected[1024];

    fputc('\n', out);
    foreign_printf(out, "%s  %s (%s:%d)\n", r->integration->obj.name,
                   r->integration->title == NULL ? "" : r->integration->title, r->file->path,
                   r->integration->obj.line);
    screen_sentence(out, "  missed    ", r->missed == NULL ? "-" : r->missed);
    foreign_printf(out, "  expected  %s\n",
                   report_expected(r->integration, expected, sizeof expected));
    screen_sentence(out, "  got       ", r->ok ? "ok" : r->error == NULL ? "-" : r->error);
    if (r->verdict != NULL)
        screen_sentence(out, "  verdict   ", r->verdict);
    if (r->integration->source != NULL)
        foreign_printf(out, "  source    %s\n", r->integration->source);
}

int report_table(const struct matrix *m, FILE *out, bool colour)
{
    const int width = id_width(m), profile = profile_width(out, width);

    fprintf(out, "%-*s %-4s %-*.*s %-5s %-*.*s %-4s %-4s %-8s %-11s %s\n", width, "id", "list",
            profile, profile, "NLB presents", "targ", profile, profile, "target presents", "skip",
            "http", "decides", "", "result");
    for (size_t i = 0; i < m->n_results; i++)
        row(out, &m->results[i], width, colour);
    for (size_t i = 0; i < m->n_results; i++) {
        if (m->results[i].acted && !m->results[i].passed)
            details(out, &m->results[i]);
    }
    fprintf(out, "\n%zu as expected, %zu missed, %zu only listed, in %.1f s\n", m->passed,
            m->failed, m->listed, m->ms / 1000.0);
    return ferror(out) ? -1 : 0;
}
