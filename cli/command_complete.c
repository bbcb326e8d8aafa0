/* SPDX-License-Identifier: Apache-2.0
 * What may stand at a place of a command line, for the shell's completion. */
#include <string.h>

#include "cli/command.h"

struct wanted {
    const char *begin; /* what the word begins with so far */
    FILE *out;
};

static void put_word(void *arg, const char *word, const char *help)
{
    const struct wanted *w = arg;

    if (strncmp(word, w->begin, strlen(w->begin)) != 0)
        return;
    fputs(word, w->out);
    if (help != NULL)
        fprintf(w->out, "\t%.*s", (int)strcspn(help, "\n"), help);
    fputc('\n', w->out);
}

/* The values of an option; `before` is what the word holds in front of the value ("--wording="). */
static void put_values(const struct command_option *o, struct wanted *w)
{
    switch (o->kind) {
    case OPTION_FILE:
    case OPTION_NAMED:
        fputs(":file\n", w->out);
        return;
    case OPTION_DIR:
        fputs(":dir\n", w->out);
        return;
    case OPTION_YES_NO:
        put_word(w, "yes", NULL);
        put_word(w, "no", NULL);
        break;
    case OPTION_TEXT:
    case OPTION_CUSTOM:
    case OPTION_CHOICE:
    case OPTION_FLAG:
    case OPTION_UINT:
    case OPTION_SECONDS:
    case OPTION_TIME:
        for (const struct cfg_choice *c = o->choices; c != NULL && c->text != NULL; c++) {
            if (c->refused == NULL)
                put_word(w, c->text, NULL);
        }
        if (o->words_cb != NULL)
            o->words_cb(put_word, w);
        break;
    }
    fputs(":none\n", w->out);
}

static void complete_options(const struct command *c, struct wanted *w)
{
    char word[80];

    for (const struct command_option *o = command_options(c); o->name != NULL; o++) {
        snprintf(word, sizeof word, "--%s", o->name);
        put_word(w, word, o->help);
    }
    put_word(w, "--help", "this text");
    fputs(":none\n", w->out);
}

static void put_operands(const struct command *c, struct wanted *w)
{
    const size_t skip = strlen(c->name) + (c->name[0] != '\0');

    for (const struct command *const *sub = c->commands; sub != NULL && *sub != NULL; sub++)
        put_word(w, (*sub)->name + skip, (*sub)->summary);
    if (c->operand_words_cb != NULL)
        c->operand_words_cb(put_word, w);
    fputs(c->operand_kind == OPERAND_FILE  ? ":file\n"
          : c->operand_kind == OPERAND_DIR ? ":dir\n"
                                           : ":none\n",
          w->out);
}

/* The option that a word is, when its value is wanted: "--name", "-X". */
static const struct command_option *option_of(const struct command *c, const char *word)
{
    const size_t n = strcspn(word, "=");

    for (const struct command_option *o = command_options(c); o->name != NULL; o++) {
        if (o->kind == OPTION_FLAG)
            continue;
        if (word[0] == '-' && word[1] == '-' && strlen(o->name) == n - 2 &&
            memcmp(o->name, word + 2, n - 2) == 0)
            return o;
        if (word[0] == '-' && word[1] != '\0' && word[1] == o->letter && word[2] == '\0')
            return o;
    }
    return NULL;
}

void command_complete(const struct command *root, size_t n, char *const *words, FILE *out)
{
    const char *last = n == 0 ? "" : words[n - 1], *value = strchr(last, '=');
    const struct command_option *o;
    struct wanted w = { .begin = last, .out = out };
    size_t used;
    const struct command *c = command_find(root, n == 0 ? 0 : n - 1, words, &used);

    for (size_t i = used; i + 1 < n; i++) {
        if (strcmp(words[i], "--") == 0) {
            put_operands(c, &w);
            return;
        }
    }
    if (n >= 2 && n - 1 > used && (o = option_of(c, words[n - 2])) != NULL &&
        strchr(words[n - 2], '=') == NULL) {
        put_values(o, &w);
        return;
    }
    if (value != NULL && strncmp(last, "--", 2) == 0) {
        o = option_of(c, last);
        w.begin = value + 1;
        if (o != NULL)
            put_values(o, &w);
        return;
    }
    if (last[0] == '-')
        complete_options(c, &w);
    else
        put_operands(c, &w);
}
