/* SPDX-License-Identifier: Apache-2.0
 * docs/command-line.md: every command with its options, as Markdown. */
#include <string.h>

#include "cli/command.h"

/* Text of a table's cell, or plain text: what Markdown would take for markup is escaped. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|<>*_[]\\`", *text) != NULL)
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_option(const struct command_option *o, FILE *out)
{
    char form[160], values[160];

    option_form(o, form, sizeof form);
    option_values(o, values, sizeof values);
    fputs("| `", out);
    for (const char *p = form; *p != '\0'; p++) {
        if (*p == '|')
            fputc('\\', out);
        fputc(*p, out);
    }
    fputs("` | ", out);
    put_escaped(out, values);
    fputs(" | ", out);
    put_escaped(out, o->help);
    fputs(" |\n", out);
}

static void page_options(const struct command *c, FILE *out)
{
    const struct command_option *all = command_options(c);

    if (all->name == NULL)
        return;
    fputs("\n| option | values | what it does |\n| --- | --- | --- |\n", out);
    for (const struct command_option *o = all; o->name != NULL; o++) {
        if (o->section != NULL)
            fprintf(out, "| *%s* | | |\n", o->section);
        put_option(o, out);
    }
}

static void put_command(const struct command *c, FILE *out)
{
    fprintf(out, "\n## nlbsim %s\n\n```text\n", c->name);
    for (const char *const *line = c->synopsis; *line != NULL; line++)
        fprintf(out, "nlbsim %s %s\n", c->name, *line);
    fputs("```\n\n", out);
    put_escaped(out, c->about);
    fputc('\n', out);
    page_options(c, out);
    if (c->notes != NULL) {
        fputc('\n', out);
        put_escaped(out, c->notes);
        fputc('\n', out);
    }
    if (c->examples != NULL) {
        fputs("\n```sh\n", out);
        for (const char *const *e = c->examples; *e != NULL; e++)
            fprintf(out, "%s\n", *e);
        fputs("```\n", out);
    }
    for (const struct command *const *sub = c->commands; sub != NULL && *sub != NULL; sub++)
        put_command(*sub, out);
}

void command_print_page(const struct command *root, FILE *out)
{
    fputs(
        "# The command line\n\n"
        "Every command and every option; `nlbsim help COMMAND` prints the same. This page is what\n"
        "`nlbsim help --markdown` writes.\n\n",
        out);
    put_escaped(out, root->notes);
    fputc('\n', out);
    for (const struct command *const *c = root->commands; *c != NULL; c++)
        put_command(*c, out);
}
