/* SPDX-License-Identifier: Apache-2.0
 * The help of a command, laid out for the reader's screen. */
#include <string.h>

#include "cli/command.h"
#include "core/screen.h"

#define FORM_COLUMN_MAX 34 /* longer options have their text below */
#define TEXT_WIDTH_MIN  34 /* narrower screens have it below, too */

static void print_synopsis(const struct command *c, FILE *out, size_t columns)
{
    const char *const *line = c->synopsis;
    char whole[256];

    for (bool first = true; *line != NULL; first = false, line++) {
        snprintf(whole, sizeof whole, "%s nlbsim%s%s %s", first ? "usage:" : "      ",
                 c->name[0] == '\0' ? "" : " ", c->name, *line);
        screen_wrap(out, whole, 0, 14 + strlen(c->name), columns);
        fputc('\n', out);
    }
}

static void print_paragraphs(FILE *out, const char *text, size_t columns)
{
    if (text == NULL)
        return;
    fputc('\n', out);
    screen_wrap(out, text, 0, 0, columns);
    fputc('\n', out);
}

/* Where the text of options begins: after the longest that is not too long. */
static size_t text_column(const struct command_option *all, size_t columns)
{
    size_t longest = sizeof "  -h, --help" - 1;
    char form[160];

    for (const struct command_option *o = all; o->name != NULL; o++) {
        size_t n = strlen(option_form(o, form, sizeof form)) + 2 + (o->letter == '\0' ? 4 : 0);

        if (n > longest && n + 2 <= FORM_COLUMN_MAX)
            longest = n;
    }
    return longest + 2 + TEXT_WIDTH_MIN > columns ? 8 : longest + 2;
}

static void print_option(const struct command_option *o, FILE *out, size_t at, size_t columns)
{
    char form[160], values[160], text[1024];
    size_t column = 2 + (o->letter == '\0' ? 4 : 0);

    option_form(o, form, sizeof form);
    option_values(o, values, sizeof values);
    snprintf(text, sizeof text, "%s%s%s%s", o->help, values[0] == '\0' ? "" : " (", values,
             values[0] == '\0' ? "" : ")");
    fprintf(out, "%*s%s", (int)column, "", form);
    column += strlen(form);
    if (column + 2 > at) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(at - column), "");
    screen_wrap(out, text, at, at, columns);
    fputc('\n', out);
}

static void print_options(const struct command *c, FILE *out, size_t columns)
{
    static const struct command_option last = {
        .name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "this text"
    };
    const struct command_option *all = command_options(c);
    size_t at = text_column(all, columns);

    for (const struct command_option *o = all; o->name != NULL; o++) {
        if (o->section != NULL)
            fprintf(out, "\n%s:\n", o->section);
        else if (o == all)
            fputc('\n', out);
        print_option(o, out, at, columns);
    }
    if (all->name == NULL)
        fputc('\n', out);
    print_option(&last, out, at, columns);
}

static void print_commands(const struct command *c, FILE *out, size_t columns)
{
    const size_t skip = strlen(c->name) + (c->name[0] != '\0');
    size_t at = 0;

    for (const struct command *const *next = c->commands; *next != NULL; next++) {
        size_t n = strlen((*next)->name + skip);

        at = n > at ? n : at;
    }
    fputc('\n', out);
    for (const struct command *const *next = c->commands; *next != NULL; next++) {
        fprintf(out, "  %-*s  ", (int)at, (*next)->name + skip);
        screen_wrap(out, (*next)->summary, at + 4, at + 4, columns);
        fputc('\n', out);
    }
}

/* A command line is broken as a shell reads it. */
static void print_example(const char *text, FILE *out, size_t columns)
{
    const size_t indent = sizeof "example: " - 1;
    size_t column = indent;

    fputs("example: ", out);
    while (*text != '\0') {
        size_t n = strcspn(text, " "), rest = text[n] == '\0' ? 0 : 2;

        if (column > indent && column + 1 + n + rest > columns) {
            fprintf(out, " \\\n%*s", (int)indent + 2, "");
            column = indent + 2;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)n, text);
        column += n;
        text += n + (text[n] != '\0');
    }
    fputc('\n', out);
}

void command_print_help(const struct command *c, FILE *out)
{
    const size_t columns = screen_columns(out);

    print_synopsis(c, out, columns);
    print_paragraphs(out, c->about, columns);
    if (c->commands != NULL)
        print_commands(c, out, columns);
    print_options(c, out, columns);
    print_paragraphs(out, c->notes, columns);
    if (c->examples == NULL)
        return;
    fputc('\n', out);
    for (const char *const *e = c->examples; *e != NULL; e++)
        print_example(*e, out, columns);
}
