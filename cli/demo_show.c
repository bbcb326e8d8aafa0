/* SPDX-License-Identifier: Apache-2.0
 * One step of the demo on the screen: the hops, the decisive log line, status and verdict. */
#include "cli/demo_show.h"

#include <stdlib.h>
#include <string.h>

#include "core/screen.h"

#define INDENT 12

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define GREY  "\033[90m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static void paint(FILE *out, bool colour, const char *how, const char *text)
{
    fprintf(out, "%s%s%s", colour ? how : "", text, colour ? PLAIN : "");
}

/* "valid" of "lab:valid/api.example.com". */
static void presents(FILE *out, const char *spec)
{
    const char *from = strncmp(spec, "lab:", 4) == 0 ? spec + 4 : spec;

    fprintf(out, " [%.*s]", (int)strcspn(from, "/"), from);
}

static bool decided_by(const struct scenario_result *r, const char *party)
{
    return r->hop != NULL && strcmp(r->hop, party) == 0;
}

static void picture(FILE *out, const struct scenario_result *r, bool colour)
{
    bool through = strcmp(r->hops.listener_protocol, "TCP") == 0;
    bool good = r->ok;

    fputs("   API Gateway ", out);
    if (through) {
        paint(out, colour, good ? GREEN : RED, good ? "──trusts──" : "──REFUSES──");
        fputs(" TCP listener ", out);
        paint(out, colour, good ? GREEN : RED, "──same session──>");
    } else {
        paint(out, colour, good ? GREEN : RED,
              good                        ? "──trusts──>"
              : decided_by(r, "listener") ? "──REFUSES──>"
                                          : "──fails──>");
        fputs(" TLS listener", out);
        presents(out, r->hops.listener_presents);
        fputc(' ', out);
        paint(out, colour, GREY, good ? "──nobody validates──>" : "╌╌never used╌╌>");
    }
    fputs(" target", out);
    presents(out, r->hops.target_presents);
    fputc('\n', out);
}

/* A label and a text. */
static void paragraph(FILE *out, const char *label, const char *text)
{
    fprintf(out, "   %-*s", INDENT - 3, label);
    screen_wrap(out, text, INDENT, INDENT, screen_sentence_columns(out));
    fputc('\n', out);
}

/* The verdict's first sentences: what decided and, of a failure, the way out. The picture says the
 * rest. */
static char *shortened(const char *verdict, int keep)
{
    const char *end = verdict;

    for (int sentences = 0; sentences < keep && *end != '\0'; end++) {
        if (*end == '.' && (end[1] == ' ' || end[1] == '\0'))
            sentences++;
    }
    return strndup(verdict, (size_t)(end - verdict));
}

void demo_show(FILE *out, const struct scenario_result *r, size_t number, bool colour)
{
    char *verdict = r->verdict == NULL ? NULL : shortened(r->verdict, r->ok ? 1 : 2);
    char status[64];

    fprintf(out, "\n%zu. ", number);
    paint(out, colour, BOLD, r->integration->title == NULL ? "" : r->integration->title);
    snprintf(status, sizeof status, " => %u, decided by the %s\n", r->status,
             r->hop == NULL ? "-" : r->hop);
    paint(out, colour, r->ok ? GREEN : RED, status);
    picture(out, r, colour);
    paragraph(out, "log",
              r->ok              ? "Successfully completed execution"
              : r->error == NULL ? "-"
                                 : r->error);
    if (verdict != NULL)
        paragraph(out, "verdict", verdict);
    if (!r->passed) {
        paint(out, colour, RED, "   NOT AS EXPECTED ");
        fprintf(out, "%s\n", r->missed == NULL ? "-" : r->missed);
    }
    free(verdict);
}
