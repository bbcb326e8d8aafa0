/* SPDX-License-Identifier: Apache-2.0
 * Commands and their options as rows of a table: name, argument, kind, place in the struct, range,
 * default, section, help (command_option.c). Reading a command line (command.c), the help
 * (command_help.c), docs/command-line.md (command_page.c) and what a shell completes
 * (command_complete.c) all come from the row. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/cfg_key.h"
#include "core/err.h"

struct command;
struct command_option;

/* What the struct of each command's options begins with. */
struct command_line {
    const struct command *command;
    uint64_t given; /* a bit for each row of the table */
    char **operands;
    size_t n_operands;
    bool input; /* "-" was given for a file */
};

enum option_kind {
    OPTION_FLAG,    /* bool: true when it is given; the only kind without an argument */
    OPTION_TEXT,    /* const char * */
    OPTION_FILE,    /* const char *: a file that is read; "-" is standard input */
    OPTION_NAMED,   /* const char *: a file that is written, or read again and again: never "-" */
    OPTION_DIR,     /* const char *: a directory */
    OPTION_UINT,    /* unsigned in min..max */
    OPTION_SECONDS, /* uint64_t of milliseconds, written as seconds; min..max milliseconds */
    OPTION_YES_NO,  /* bool */
    OPTION_CHOICE,  /* an enum, by `choices` */
    OPTION_TIME,    /* int64_t: seconds since 1970; relative ones count from what the field holds */
    OPTION_CUSTOM,  /* parse_cb stores it */
};

/* Told each word that could stand somewhere, with half a sentence about it or NULL. */
typedef void (*word_cb)(void *arg, const char *word, const char *help);

/* A row; a table ends with a row without name, and holds at most 64. --help is in every table
 * without being written there. */
struct command_option {
    const char *name;
    char letter;          /* '\0': none */
    const char *argument; /* "FILE" for the help; NULL: the choices */
    enum option_kind kind;
    size_t offset; /* offsetof the field in the command's struct */
    uint64_t min, max;
    const struct cfg_choice *choices;
    /* OPTION_CUSTOM: -1, or the exit status after command_refuse(). */
    int (*parse_cb)(void *options, const struct command_option *option, const char *value);
    void (*words_cb)(word_cb put, void *arg); /* what a shell may complete; NULL: by the kind */
    bool repeated;
    const char *def;     /* as it would be written */
    const char *section; /* headline above the rows from here on; NULL: the same as before */
    const char *help;
};

enum operand_kind { OPERAND_NONE, OPERAND_FILE, OPERAND_DIR, OPERAND_WORD };

struct command {
    const char *name;    /* what follows "nlbsim ": "run", "cert show" */
    const char *summary; /* one line of the list of commands */
    /* argv[0] is skipped; the exit status: 0 as expected, 1 the thing tested failed, 2 usage or
     * configuration error, 3 the environment failed. */
    int (*run)(int argc, char **argv);
    const char *const *synopsis; /* what follows the name, a line each, NULL at the end */
    const char *about;           /* paragraphs */
    const struct command_option *options;
    const struct command_option *(*options_cb)(void); /* when the table is made of another one */
    const char *operand;                              /* its name: "FILE.ini" */
    enum operand_kind operand_kind;
    void (*operand_words_cb)(word_cb put, void *arg);
    unsigned min_operands, max_operands;
    const char *notes; /* after the options: exit status, signals; paragraphs */
    const char *const *examples;
    const struct command *const *commands; /* of a command that has others; NULL at the end */
};

/* Read the words after argv[0] into `options`, a zeroed struct that begins with a struct
 * command_line. -1 when the work can begin; otherwise the exit status: help was printed, or what is
 * wrong with the command line. argv is rearranged. */
int command_read(const struct command *c, int argc, char **argv, void *options);
/* Was the option given? */
bool command_given(const void *options, const char *name);
/* "nlbsim NAME: --option 'value': why"; value may be NULL. Returns 2. */
int command_refuse(const void *options, const char *option, const char *value, const char *why, ...)
    __attribute__((format(printf, 4, 5)));
/* "nlbsim NAME: what is wrong" and the way to the help. Returns 2. */
int command_misused(const void *options, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "nlbsim NAME: text"; returns the exit status that belongs to the error. */
int command_fail(const struct command *c, const struct err *err);

/* Run the command that argv[1] names; `c` is one that has others. */
int command_dispatch(const struct command *c, int argc, char **argv);
/* The first that was run: the program itself. */
const struct command *command_root(void);
/* "unknown verb 'prob'; did you mean 'probe'?" Returns 2. */
int command_unknown(const struct command *c, const char *word);
/* The command that the words name, from `from` on; as far as they do: `*used` tells. */
const struct command *command_find(const struct command *from, size_t n, char *const *words,
                                   size_t *used);

/* The rows of a command; a row without name ends them. */
const struct command_option *command_options(const struct command *c);
/* How an option is written in the help: "-f, --from HOST:PORT". */
const char *option_form(const struct command_option *o, char *out, size_t size);
/* Values and default, for people: "1 to 256; default 1"; "" when there is nothing to say. */
const char *option_values(const struct command_option *o, char *out, size_t size);
void command_print_help(const struct command *c, FILE *out);
/* docs/command-line.md: every command below `root`. */
void command_print_page(const struct command *root, FILE *out);
/* What may stand as the last of the words: a line each, word, tab, help; then ":file", ":dir" or
 * ":none" for what the shell shall add by itself. */
void command_complete(const struct command *root, size_t n, char *const *words, FILE *out);

#endif
