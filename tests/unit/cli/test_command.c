/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 16

struct tried {
    struct command_line line;
    bool flag, verbose, yes;
    const char *text, *file;
    unsigned number;
    uint64_t ms;
    int choice;
    int64_t at;
    char custom[64];
};

static int take_custom(void *options, const struct command_option *option, const char *value)
{
    struct tried *t = options;

    if (strcmp(value, "bad") == 0)
        return command_refuse(t, option->name, value, "not that one");
    strncat(t->custom, value, sizeof t->custom - strlen(t->custom) - 1);
    return -1;
}

static const struct cfg_choice colours[] = { { .text = "red", .value = 7 },
                                             { .text = "green", .value = 9 },
                                             { .text = NULL } };

#define AT(field) .offset = offsetof(struct tried, field)
/* clang-format off */
static const struct command_option rows[] = {
    { .name = "flag", .kind = OPTION_FLAG, AT(flag), .help = "a flag" },
    { .name = "verbose", .letter = 'v', .kind = OPTION_FLAG, AT(verbose), .help = "more" },
    { .name = "text", .letter = 't', .argument = "TEXT", .kind = OPTION_TEXT, AT(text), .def = "none",
      .help = "a text" },
    { .name = "file", .argument = "FILE", .kind = OPTION_FILE, AT(file), .help = "a file" },
    { .name = "number", .argument = "N", .kind = OPTION_UINT, AT(number), .min = 1, .max = 9,
      .def = "3", .help = "a number" },
    { .name = "wait", .argument = "SECONDS", .kind = OPTION_SECONDS, AT(ms), .min = 50, .max = 2000,
      .def = "0.5", .help = "a time to wait" },
    { .name = "colour", .kind = OPTION_CHOICE, AT(choice), .choices = colours, .def = "green",
      .help = "a colour" },
    { .name = "may", .kind = OPTION_YES_NO, AT(yes), .def = "yes", .help = "may it?" },
    { .name = "at", .argument = "TIME", .kind = OPTION_TIME, AT(at), .help = "when" },
    { .name = "custom", .argument = "X", .kind = OPTION_CUSTOM, .parse_cb = take_custom,
      .repeated = true, .help = "its own" },
    { .name = NULL },
};
/* clang-format on */
static const char *const synopsis[] = { "[options] [WORD...]", NULL };
static const struct command tried_command = {
    .name = "try",
    .summary = "tried",
    .synopsis = synopsis,
    .about = "Tried.",
    .options = rows,
    .operand = "WORD",
    .operand_kind = OPERAND_WORD,
    .max_operands = 3,
};

/* The words, read; what was said on standard error into `said`. */
static char said[4096];

static int read_words(struct tried *t, const char *line)
{
    static char text[512];
    char *argv[WORDS_MAX] = { (char *)"nlbsim" };
    FILE *file = tmpfile();
    int argc = 1, status, saved = dup(STDERR_FILENO);
    size_t n;

    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "''") == 0 ? (char *)"" : word;
    memset(t, 0, sizeof *t);
    t->at = 1000;
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    status = command_read(&tried_command, argc, argv, t);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    n = fread(said, 1, sizeof said - 1, file);
    said[n] = '\0';
    fclose(file);
    return status;
}

static void check_refused(const char *line, const char *why)
{
    struct tried t;

    assert_int_equal(read_words(&t, line), 2);
    if (strstr(said, why) == NULL || strncmp(said, "nlbsim try: ", 12) != 0)
        fail_msg("'%s' says: %s", line, said);
}

static void test_defaults_come_from_the_rows(void **state)
{
    struct tried t;

    (void)state;
    assert_int_equal(read_words(&t, ""), -1);
    assert_string_equal(t.text, "none");
    assert_int_equal(t.number, 3);
    assert_int_equal(t.ms, 500);
    assert_int_equal(t.choice, 9);
    assert_true(t.yes);
    assert_int_equal(t.at, 1000);
    assert_int_equal(t.line.n_operands, 0);
    assert_false(command_given(&t, "number"));
}

static void test_every_form_of_an_option(void **state)
{
    static const char *const forms[] = {
        "--text=x -v", "--text x --verbose", "-t x -v", "-tx -v", "-vt x", "-vtx", "--te x --verb"
    };
    struct tried t;

    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_int_equal(read_words(&t, forms[i]), -1);
        assert_string_equal(t.text, "x");
        assert_true(t.verbose);
        assert_false(t.flag);
        assert_true(command_given(&t, "text") && !command_given(&t, "file"));
    }
}

static void test_values(void **state)
{
    struct tried t;

    (void)state;
    assert_int_equal(read_words(&t, "--number 9 --wait 2 --colour RED --may no --at +1h"), -1);
    assert_int_equal(t.number, 9);
    assert_int_equal(t.ms, 2000);
    assert_int_equal(t.choice, 7);
    assert_false(t.yes);
    assert_int_equal(t.at, 4600);
    assert_int_equal(read_words(&t, "--at -1h --text= --file - --custom a --custom=b"), -1);
    assert_int_equal(t.at, 1000 - 3600);
    assert_string_equal(t.text, "");
    assert_string_equal(t.file, "-");
    assert_string_equal(t.custom, "ab");
    assert_int_equal(read_words(&t, "--text=a=b --flag --flag -vv"), -1);
    assert_string_equal(t.text, "a=b");
}

static void test_operands_stand_anywhere(void **state)
{
    struct tried t;

    (void)state;
    assert_int_equal(read_words(&t, "a --flag - --text x c"), -1);
    assert_int_equal(t.line.n_operands, 3);
    assert_string_equal(t.line.operands[0], "a");
    assert_string_equal(t.line.operands[1], "-");
    assert_string_equal(t.line.operands[2], "c");
    assert_int_equal(read_words(&t, "--flag -- --text -v"), -1);
    assert_int_equal(t.line.n_operands, 2);
    assert_string_equal(t.line.operands[0], "--text");
    assert_string_equal(t.text, "none");
    assert_false(t.verbose);
    check_refused("a b c d", "unexpected operand 'd': too many WORD");
}

static void test_what_is_wrong(void **state)
{
    (void)state;
    check_refused("--txet x", "unknown option '--txet'; did you mean '--text'?");
    check_refused("--qqqqqq=1", "unknown option '--qqqqqq'\n");
    check_refused("--hlep", "did you mean '--help'?");
    check_refused("-z", "unknown option '-z'");
    check_refused("-verbos", "unknown option '-e' in '-verbos'");
    check_refused("-flag", "unknown option '-flag'; did you mean '--flag'?");
}

static void test_missing_and_superfluous_values(void **state)
{
    (void)state;
    check_refused("--text", "--text has no value; write -t, --text TEXT");
    check_refused("-t", "--text has no value");
    check_refused("--file --flag", "--file FILE has no value: '--flag' follows (--file=--flag");
    check_refused("--file --text=x", "has no value: '--text=x' follows");
    check_refused("--flag=1", "--flag takes no value ('1' was given)");
    check_refused("--f x", "'--f' could be --flag or --file");
    check_refused("--text a --text b", "--text 'b': given twice");
}

static void test_bad_values(void **state)
{
    static const char *const bad[] = {
        "--number 0",    "--number 10",  "--number -1",  "--number 1x",   "--number ''",
        "--number=",     "--wait 0.01",  "--wait 3",     "--wait inf",    "--wait 1e0",
        "--wait ''",     "--wait 0x1",   "--wait 1.2.3", "--may perhaps", "--at tomorrow",
        "--colour blue", "--custom bad", "--at ''"
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(bad[i], ": ");
    check_refused("--number 12", "--number '12': a number from 1 to 9");
    check_refused("--wait 9", "--wait '9': seconds, from 0.05 to 2");
    check_refused("--colour grren", "--colour 'grren': red or green; did you mean 'green'?");
}

static char *completed(const struct command *root, const char *line)
{
    static char text[256];
    char *words[WORDS_MAX], *got = NULL;
    size_t n = 0, length = 0;
    FILE *out = open_memstream(&got, &length);

    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        words[n++] = strcmp(word, "''") == 0 ? (char *)"" : word;
    command_complete(root, n, words, out);
    fclose(out);
    return got;
}

static void check_completed(const char *line, const char *want)
{
    static const struct command *const commands[] = { &tried_command, NULL };
    static const struct command root = { .name = "", .synopsis = synopsis, .commands = commands };
    char *got = completed(&root, line);

    assert_string_equal(got, want);
    free(got);
}

static void test_completion(void **state)
{
    (void)state;
    check_completed("t", "try\ttried\n:none\n");
    check_completed("x", ":none\n");
    check_completed("try --f", "--flag\ta flag\n--file\ta file\n:none\n");
    check_completed("try --colour ''", "red\ngreen\n:none\n");
    check_completed("try --colour=g", "green\n:none\n");
    check_completed("try --may ''", "yes\nno\n:none\n");
    check_completed("try --file ''", ":file\n");
    check_completed("try --file=/e", ":file\n");
    check_completed("try --flag ''", ":none\n");
    check_completed("try -- --f", ":none\n");
    check_completed("try --unknown=", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_come_from_the_rows),
        cmocka_unit_test(test_every_form_of_an_option),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_operands_stand_anywhere),
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_missing_and_superfluous_values),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_completion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
