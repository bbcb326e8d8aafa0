/* SPDX-License-Identifier: Apache-2.0
 * The reader of command lines: words to the fields that the rows of a command's table name. */
#include "cli/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/foreign.h"
#include "core/suggest.h"

static const struct command *root; /* the program; set when it is run */

static const struct command_option help_option = {
    .name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "this text"
};

/* --- what is wrong --- */

/* "nlbsim NAME: " and the text, made harmless: it holds what was typed. */
static void complain(const struct command *c, const char *text)
{
    foreign_printf(stderr, "nlbsim%s%s: %s\n", c->name[0] == '\0' ? "" : " ", c->name, text);
}

int command_refuse(const void *options, const char *option, const char *value, const char *why, ...)
{
    const struct command_line *line = options;
    char text[1024];
    int n =
        snprintf(text, sizeof text, value == NULL ? "--%s: " : "--%s '%.300s': ", option, value);
    va_list ap;

    va_start(ap, why);
    vsnprintf(text + n, sizeof text - (size_t)n, why, ap);
    va_end(ap);
    complain(line->command, text);
    return 2;
}

int command_misused(const void *options, const char *fmt, ...)
{
    const struct command *c = ((const struct command_line *)options)->command;
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    complain(c, text);
    fprintf(stderr, "(nlbsim %s%s--help tells more)\n", c->name, c->name[0] == '\0' ? "" : " ");
    return 2;
}

int command_fail(const struct command *c, const struct err *err)
{
    complain(c, err->text);
    return err_exit_status(err);
}

/* --- one value --- */

static int set_number(void *options, const struct command_option *o, const char *value)
{
    unsigned small;
    uint64_t n;

    if (cfg_parse_uint(value, o->min, o->max, &n) != 0)
        return command_refuse(options, o->name, value, "a number from %llu to %llu",
                              (unsigned long long)o->min, (unsigned long long)o->max);
    small = (unsigned)n;
    memcpy((char *)options + o->offset, &small, sizeof small);
    return -1;
}

static int set_seconds(void *options, const struct command_option *o, const char *value)
{
    char *end;
    double s = strtod(value, &end);
    uint64_t ms;

    /* Digits and a point: no exponent, no "inf", no blank before them. */
    if (*end != '\0' || strspn(value, "0123456789.") != strlen(value) || end == value ||
        s * 1000 < (double)o->min || s * 1000 > (double)o->max)
        return command_refuse(options, o->name, value, "seconds, from %g to %g",
                              (double)o->min / 1000, (double)o->max / 1000);
    ms = (uint64_t)(s * 1000 + 0.5);
    memcpy((char *)options + o->offset, &ms, sizeof ms);
    return -1;
}

static int set_yes_no(void *options, const struct command_option *o, const char *value)
{
    bool yes = strcasecmp(value, "yes") == 0;

    if (!yes && strcasecmp(value, "no") != 0)
        return command_refuse(options, o->name, value, "yes or no");
    memcpy((char *)options + o->offset, &yes, sizeof yes);
    return -1;
}

static int set_choice(void *options, const struct command_option *o, const char *value)
{
    struct suggest s = suggest_for(value);
    char hint[96], all[256];
    size_t used = 0;

    for (const struct cfg_choice *c = o->choices; c->text != NULL; c++) {
        if (strcasecmp(c->text, value) == 0) {
            memcpy((char *)options + o->offset, &c->value, sizeof c->value);
            return -1;
        }
        suggest_try(&s, c->text);
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s",
                                     used == 0           ? ""
                                     : c[1].text == NULL ? " or "
                                                         : ", ",
                                     c->text);
    }
    return command_refuse(options, o->name, value, "%s%s", all,
                          suggest_text(&s, hint, sizeof hint));
}

static int set_time(void *options, const struct command_option *o, const char *value)
{
    int64_t at;

    memcpy(&at, (char *)options + o->offset, sizeof at);
    if (clock_parse_utc(value, at, &at) != 0)
        return command_refuse(options, o->name, value,
                              "no time; write 2027-01-31, 2027-01-31T12:00:00Z, +30d, -1h or "
                              "@SECONDS");
    memcpy((char *)options + o->offset, &at, sizeof at);
    return -1;
}

static int set_named(void *options, const struct command_option *o, const char *value)
{
    if (value[0] == '\0' || strcmp(value, "-") == 0)
        return command_refuse(options, o->name, value, "the name of a file is wanted");
    memcpy((char *)options + o->offset, &value, sizeof value);
    return -1;
}

static int set_option(void *options, const struct command_option *o, const char *value)
{
    const bool on = true;

    switch (o->kind) {
    case OPTION_FLAG:
        memcpy((char *)options + o->offset, &on, sizeof on);
        return -1;
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_DIR:
        memcpy((char *)options + o->offset, &value, sizeof value);
        return -1;
    case OPTION_NAMED:
        return set_named(options, o, value);
    case OPTION_UINT:
        return set_number(options, o, value);
    case OPTION_SECONDS:
        return set_seconds(options, o, value);
    case OPTION_YES_NO:
        return set_yes_no(options, o, value);
    case OPTION_CHOICE:
        return set_choice(options, o, value);
    case OPTION_TIME:
        return set_time(options, o, value);
    case OPTION_CUSTOM:
        return o->parse_cb(options, o, value);
    }
    return 2;
}

/* --- which row --- */

static int unknown_option(const void *options, const char *word)
{
    const struct command *c = ((const struct command_line *)options)->command;
    char name[80], hint[120] = "";
    struct suggest s;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + strspn(word, "-"), "="),
             word + strspn(word, "-"));
    s = suggest_for(name);
    for (const struct command_option *o = command_options(c); o->name != NULL; o++)
        suggest_try(&s, o->name);
    suggest_try(&s, help_option.name);
    if (suggest_best(&s) != NULL)
        snprintf(hint, sizeof hint, "; did you mean '--%s'?", suggest_best(&s));
    return command_misused(options, "unknown option '%.*s'%s", (int)strcspn(word, "="), word, hint);
}

/* The row that `name` is, or that it alone begins; NULL after having said why there is none. */
static const struct command_option *find_long(void *options, const char *word, size_t n)
{
    const struct command *c = ((struct command_line *)options)->command;
    const struct command_option *found = NULL, *other = NULL;

    if (n == 4 && memcmp(word, "help", 4) == 0)
        return &help_option;
    for (const struct command_option *o = command_options(c); o->name != NULL; o++) {
        if (strncmp(o->name, word, n) != 0)
            continue;
        if (o->name[n] == '\0')
            return o;
        other = found;
        found = o;
        if (other != NULL)
            break;
    }
    if (found == NULL || n == 0) {
        unknown_option(options, word - 2);
        return NULL;
    }
    if (other == NULL)
        return found;
    command_misused(options, "'--%.*s' could be --%s or --%s; write more of it", (int)n, word,
                    other->name, found->name);
    return NULL;
}

static const struct command_option *find_letter(const struct command *c, char letter)
{
    if (letter == 'h')
        return &help_option;
    for (const struct command_option *o = command_options(c); o->name != NULL; o++) {
        if (o->letter == letter)
            return o;
    }
    return NULL;
}

/* --- the words --- */

/* Standard input can be one file only. */
static int take_input(struct command_line *line)
{
    if (line->input)
        return command_misused(line, "'-' is given twice, and standard input is one file only");
    line->input = true;
    return -1;
}

/* -1: go on. `value` is NULL for a flag. */
static int take_option(void *options, const struct command_option *o, const char *value)
{
    struct command_line *line = options;
    uint64_t bit;

    if (o == &help_option) {
        command_print_help(line->command, stdout);
        return 0;
    }
    bit = UINT64_C(1) << (o - command_options(line->command));
    if ((line->given & bit) != 0 && !o->repeated && o->kind != OPTION_FLAG)
        return command_refuse(options, o->name, value, "given twice; once is enough");
    line->given |= bit;
    if ((o->kind == OPTION_FILE || o->kind == OPTION_CUSTOM) &&
        (strcmp(value, "-") == 0 || strcmp(value, "@-") == 0) && take_input(line) >= 0)
        return 2;
    return set_option(options, o, value);
}

/* The word after an option that wants one; NULL after a complaint. "--host --json" has lost its
 * host: no word that is an option of this command is taken for a value. */
static const char *next_word(void *options, const struct command_option *o, int *i, int argc,
                             char **argv)
{
    const struct command *c = ((struct command_line *)options)->command;
    const char *word = *i + 1 < argc ? argv[*i + 1] : NULL;
    char form[80];

    if (word != NULL && strncmp(word, "--", 2) == 0 && word[2] != '\0') {
        for (const struct command_option *p = command_options(c); p->name != NULL; p++) {
            if (strncmp(p->name, word + 2, strcspn(word + 2, "=")) != 0 ||
                p->name[strcspn(word + 2, "=")] != '\0')
                continue;
            command_misused(options, "%s has no value: '%s' follows (--%s=%s, if that is meant)",
                            option_form(o, form, sizeof form), word, o->name, word);
            return NULL;
        }
    }
    if (word == NULL)
        command_misused(options, "--%s has no value; write %s", o->name,
                        option_form(o, form, sizeof form));
    ++*i;
    return word;
}

static int take_long(void *options, int *i, int argc, char **argv)
{
    const char *word = argv[*i] + 2, *value = strchr(word, '=');
    size_t n = strcspn(word, "=");
    const struct command_option *o = find_long(options, word, n);

    if (o == NULL)
        return 2;
    if (o->kind == OPTION_FLAG && value != NULL)
        return command_misused(options, "--%s takes no value ('%s' was given)", o->name, value + 1);
    if (o->kind == OPTION_FLAG)
        return take_option(options, o, NULL);
    value = value != NULL ? value + 1 : next_word(options, o, i, argc, argv);
    return value == NULL ? 2 : take_option(options, o, value);
}

/* "-fv", "-XPOST", "-X POST". */
static int take_letters(void *options, int *i, int argc, char **argv)
{
    const struct command *c = ((struct command_line *)options)->command;
    const char *whole = argv[*i];

    for (const char *at = whole + 1; *at != '\0'; at++) {
        const struct command_option *o = find_letter(c, *at);
        const char *value = NULL;
        int rc;

        if (o == NULL && at == whole + 1)
            return unknown_option(options, whole);
        if (o == NULL)
            return command_misused(options, "unknown option '-%c' in '%s'", *at, whole);
        if (o->kind != OPTION_FLAG) {
            value = at[1] != '\0' ? at + 1 : next_word(options, o, i, argc, argv);
            return value == NULL ? 2 : take_option(options, o, value);
        }
        rc = take_option(options, o, NULL);
        if (rc >= 0)
            return rc;
    }
    return -1;
}

static int check_operands(void *options)
{
    const struct command_line *line = options;
    const struct command *c = line->command;

    if (line->n_operands > c->max_operands)
        return c->max_operands == 0
                   ? command_misused(options, "'%s' is no option, and nothing else is wanted",
                                     line->operands[0])
                   : command_misused(options, "unexpected operand '%s': %s %s",
                                     line->operands[c->max_operands],
                                     c->max_operands == 1 ? "only one" : "too many", c->operand);
    for (size_t i = 0; i < line->n_operands && c->operand_kind == OPERAND_FILE; i++) {
        if (strcmp(line->operands[i], "-") == 0 && take_input(options) >= 0)
            return 2;
    }
    if (line->n_operands < c->min_operands)
        return command_misused(options, "no %s is given: nlbsim %s %s", c->operand, c->name,
                               c->synopsis[0]);
    return -1;
}

static int set_defaults(void *options)
{
    const struct command *c = ((struct command_line *)options)->command;
    int rc = -1;

    for (const struct command_option *o = command_options(c); o->name != NULL && rc < 0; o++) {
        if (o->def != NULL)
            rc = set_option(options, o, o->def);
    }
    return rc;
}

int command_read(const struct command *c, int argc, char **argv, void *options)
{
    struct command_line *line = options;
    bool all_operands = false;
    int rc;

    line->command = c;
    line->operands = argv + 1;
    rc = set_defaults(options);
    for (int i = 1; i < argc && rc < 0; i++) {
        const char *word = argv[i];

        if (all_operands || word[0] != '-' || word[1] == '\0')
            argv[1 + line->n_operands++] = argv[i];
        else if (strcmp(word, "--") == 0)
            all_operands = true;
        else if (word[1] == '-')
            rc = take_long(options, &i, argc, argv);
        else
            rc = take_letters(options, &i, argc, argv);
    }
    return rc < 0 ? check_operands(options) : rc;
}

bool command_given(const void *options, const char *name)
{
    const struct command_line *line = options;
    const struct command_option *all = command_options(line->command);

    for (const struct command_option *o = all; o->name != NULL; o++) {
        if (strcmp(o->name, name) == 0)
            return (line->given >> (o - all) & 1) != 0;
    }
    return false;
}

/* --- commands of commands --- */

const struct command *command_find(const struct command *from, size_t n, char *const *words,
                                   size_t *used)
{
    const struct command *c = from;

    *used = 0;
    while (*used < n && c->commands != NULL) {
        const struct command *const *next = c->commands;

        /* "show" of "cert show" */
        while (*next != NULL &&
               strcmp((*next)->name + strlen(c->name) + (c->name[0] != '\0'), words[*used]) != 0)
            next++;
        if (*next == NULL)
            return c;
        c = *next;
        ++*used;
    }
    return c;
}

int command_unknown(const struct command *c, const char *word)
{
    const struct command_line line = { .command = c };
    const size_t skip = strlen(c->name) + (c->name[0] != '\0');
    const char *what = c->name[0] == '\0' ? "verb" : "command", *end = strrchr(word, '.');
    struct suggest s = suggest_for(word);
    char hint[64];

    if (word[0] == '-') {
        suggest_try(&s, "--help");
        if (c->name[0] == '\0')
            suggest_try(&s, "--version");
        return command_misused(&line, "unknown option '%s'%s (a %s comes first)", word,
                               suggest_text(&s, hint, sizeof hint), what);
    }
    for (const struct command *const *next = c->commands; *next != NULL; next++)
        suggest_try(&s, (*next)->name + skip);
    if (c->name[0] == '\0' && end != NULL && strcmp(end, ".ini") == 0)
        return command_misused(&line, "'%s' is no verb; did you mean 'nlbsim run %s'?", word, word);
    if (c->name[0] == '\0' && strstr(word, "://") != NULL)
        return command_misused(&line, "'%s' is no verb; did you mean 'nlbsim probe %s'?", word,
                               word);
    return command_misused(&line, "unknown %s '%s'%s", what, word,
                           suggest_text(&s, hint, sizeof hint));
}

const struct command *command_root(void)
{
    return root;
}

int command_dispatch(const struct command *c, int argc, char **argv)
{
    const struct command *found;
    size_t used;

    if (root == NULL)
        root = c;
    if (argc < 2) {
        command_print_help(c, stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (c->name[0] != '\0' && strcmp(argv[1], "help") == 0)) {
        command_print_help(c, stdout);
        return 0;
    }
    found = command_find(c, 1, argv + 1, &used);
    return used == 0 ? command_unknown(c, argv[1]) : found->run(argc - 1, argv + 1);
}
