/* SPDX-License-Identifier: Apache-2.0
 * `nlbsim help [VERB]`: what the rows of the commands say. */
#include <string.h>

#include "cli/cli.h"

struct help_options {
    struct command_line line;
    bool markdown;
};

static int help_run(int argc, char **argv)
{
    struct help_options o = { .markdown = false };
    int status = command_read(&command_help, argc, argv, &o);
    const struct command *c;
    size_t used;

    if (status >= 0)
        return status;
    if (o.markdown) {
        command_print_page(command_root(), stdout);
        return 0;
    }
    c = command_find(command_root(), o.line.n_operands, o.line.operands, &used);
    if (used < o.line.n_operands && c->commands != NULL)
        return command_unknown(c, o.line.operands[used]);
    if (used < o.line.n_operands)
        return command_misused(&o, "'%s' is no command of %s", o.line.operands[used], c->name);
    command_print_help(c, stdout);
    return 0;
}

static void help_words(word_cb put, void *arg)
{
    for (const struct command *const *c = command_root()->commands; *c != NULL; c++)
        put(arg, (*c)->name, (*c)->summary);
}

static const struct command_option help_options[] = {
    { .name = "markdown",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct help_options, markdown),
      .help = "all commands as one page (docs/command-line.md)" },
    { .name = NULL },
};
static const char *const help_synopsis[] = { "[VERB [COMMAND]]", "--markdown", NULL };
static const char *const help_examples[] = { "nlbsim help probe", "nlbsim help cert audit", NULL };

const struct command command_help = {
    .name = "help",
    .summary = "what a verb does, with all its options",
    .run = help_run,
    .synopsis = help_synopsis,
    .about = "Prints the help of a verb or, without one, the list of verbs.",
    .options = help_options,
    .operand = "VERB",
    .operand_kind = OPERAND_WORD,
    .operand_words_cb = help_words,
    .max_operands = 2,
    .examples = help_examples,
};
