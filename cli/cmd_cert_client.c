/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert client: client certificates as API Gateway keeps them, and their rotation. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "certs/audit/client_store.h"
#include "cli/cert.h"
#include "core/clock.h"
#include "core/foreign.h"
#include "core/suggest.h"

struct client {
    struct command_line line;
    const char *dir, *description, *seed, *reload;
    int64_t now_s;
    bool all;
};

static int run_reload(const char *command)
{
    int status = system(command);

    if (status == 0)
        return 0;
    fprintf(stderr, "nlbsim cert client rotate: '%s' %s %d; nothing further was done\n", command,
            status != -1 && WIFEXITED(status) ? "ended with status" : "failed:",
            status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : status);
    return 1;
}

static const char *advice(enum client_step step, bool first)
{
    switch (step) {
    case CLIENT_STEP_ACCEPT:
        return "let the backend reload accepted.pem, then rotate again";
    case CLIENT_STEP_SWITCH:
        return first
                   ? "redeploy the stage with current.pem"
                   : "redeploy the stage with current.pem, then rotate again to remove the old one";
    case CLIENT_STEP_REMOVE:
        return "done; let the backend reload accepted.pem";
    }
    return "";
}

static int rotate(const struct client *c, struct client_store *store)
{
    enum client_step step = CLIENT_STEP_ACCEPT;
    struct err err = { 0 };
    json_t *state = NULL;
    bool more = c->all || c->reload != NULL, first = false;

    do {
        json_decref(state);
        state = client_store_rotate(store, c->description, c->seed, c->now_s, &step, &err);
        if (state == NULL)
            return command_fail(&command_cert_client, &err);
        if (c->reload != NULL && step != CLIENT_STEP_SWITCH && run_reload(c->reload) != 0) {
            json_decref(state);
            return 1;
        }
        /* The first certificate of a store has no old one to remove. */
        first = step == CLIENT_STEP_SWITCH && json_is_null(json_object_get(state, "previous"));
        more = more && step != CLIENT_STEP_REMOVE && !first;
    } while (more);
    if (!c->all && c->reload == NULL)
        fprintf(stderr, "%s: %s\n", client_step_name(step), advice(step, first));
    return foreign_print_document(state, stdout) == 0 ? 0 : 3;
}

static int run_command(const struct client *c, const char *command, const char *id)
{
    bool creates = strcmp(command, "generate") == 0 || strcmp(command, "rotate") == 0;
    struct err err = { 0 };
    struct client_store *store = client_store_open(c->dir, creates, &err);
    json_t *json = NULL;
    int rc = 0;

    if (store == NULL)
        return command_fail(&command_cert_client, &err);
    if (strcmp(command, "rotate") == 0) {
        rc = rotate(c, store);
    } else if (strcmp(command, "delete") == 0) {
        rc = client_store_delete(store, id, &err) != 0 ? command_fail(&command_cert_client, &err)
                                                       : 0;
    } else {
        json = strcmp(command, "generate") == 0
                   ? client_store_generate(store, c->description, c->seed, c->now_s, &err)
               : strcmp(command, "list") == 0 ? client_store_list(store, &err)
                                              : client_store_get(store, id, &err);
        rc = json == NULL                                ? command_fail(&command_cert_client, &err)
             : foreign_print_document(json, stdout) == 0 ? 0
                                                         : 3;
    }
    client_store_close(store);
    return rc;
}

static const struct {
    const char *name, *help;
    size_t operands;
} client_commands[] = {
    { "generate", "make a certificate", 0 },
    { "list", "all of them", 0 },
    { "get", "one of them", 1 },
    { "delete", "remove one that nobody uses", 1 },
    { "rotate", "go on to the next point where somebody else has to act", 0 },
};
#define N_CLIENT_COMMANDS (sizeof client_commands / sizeof client_commands[0])

/* Does the command exist, and has it the operands it wants? -1, or the exit status. */
static int check_client_command(const struct client *c)
{
    const char *command = c->line.operands[0];
    struct suggest s = suggest_for(command);
    char hint[64];

    for (size_t i = 0; i < N_CLIENT_COMMANDS; i++) {
        suggest_try(&s, client_commands[i].name);
        if (strcmp(client_commands[i].name, command) != 0)
            continue;
        if (c->line.n_operands - 1 < client_commands[i].operands)
            return command_misused(c, "%s: no ID is given (cert client list shows them)", command);
        if (c->line.n_operands - 1 > client_commands[i].operands)
            return command_misused(c, "%s: unexpected operand '%s'", command,
                                   c->line.operands[1 + client_commands[i].operands]);
        if ((c->all || c->reload != NULL) && strcmp(command, "rotate") != 0)
            return command_misused(c, "--all and --reload go with rotate");
        return -1;
    }
    return command_misused(c, "unknown command '%s'%s", command,
                           suggest_text(&s, hint, sizeof hint));
}

static int client_run(int argc, char **argv)
{
    struct client c = { .now_s = clock_wall_s() };
    int status = command_read(&command_cert_client, argc, argv, &c);

    if (status < 0)
        status = check_client_command(&c);
    return status < 0 ? run_command(&c, c.line.operands[0], c.line.operands[1]) : status;
}

static void client_words(word_cb put, void *arg)
{
    for (size_t i = 0; i < N_CLIENT_COMMANDS; i++)
        put(arg, client_commands[i].name, client_commands[i].help);
}

#define AT(field) .offset = offsetof(struct client, field)
static const struct command_option client_option_rows[] = {
    { .name = "dir",
      .argument = "DIR",
      .kind = OPTION_DIR,
      AT(dir),
      .def = "client-certificates",
      .help = "the directory" },
    { .name = "description",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(description),
      .help = "for generate and rotate" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(now_s),
      .help = "make it as of then: -400d gives an expired one" },
    { .name = "seed",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(seed),
      .help = "the same key every time (never for secrets)" },
    { .name = "all",
      .kind = OPTION_FLAG,
      AT(all),
      .section = "For rotate",
      .help = "every step at once: for a backend that reads accepted.pem each time" },
    { .name = "reload",
      .argument = "COMMAND",
      .kind = OPTION_TEXT,
      AT(reload),
      .help = "every step, with this shell command after each change of accepted.pem; when it "
              "fails, nothing further is done (call again to go on)" },
    { .name = NULL },
};
#undef AT
static const char *const client_synopsis[] = { "generate [--description TEXT] [options]",
                                               "list|get ID|delete ID [options]",
                                               "rotate [--all | --reload COMMAND] [options]",
                                               NULL };
static const char *const client_examples[] = {
    "nlbsim cert client rotate --dir stage --reload 'systemctl reload nginx'", NULL
};

const struct command command_cert_client = {
    .name = "cert client",
    .summary = "client certificates as API Gateway keeps them, and rotation",
    .run = client_run,
    .synopsis = client_synopsis,
    .about =
        "Stage client certificates in a directory: API Gateway's shape (self-signed, RSA-2048, "
        "365 days), its JSON fields on standard output. current.pem (certificate and key) is "
        "what the stage presents: client_certificate = DIR/current.pem. accepted.pem is what "
        "a backend pins.\n\n"
        "rotate goes on to the next point where somebody else has to act, in the documented "
        "order:\n"
        "1. a new certificate (the newest that generate made and nobody uses; without one, or "
        "with --description or --seed, one made now); accepted.pem has both: let the backend "
        "reload it\n"
        "2. current.pem is the new one: redeploy the stage\n"
        "3. the old one leaves accepted.pem and is deleted",
    .options = client_option_rows,
    .operand = "COMMAND",
    .operand_kind = OPERAND_WORD,
    .operand_words_cb = client_words,
    .min_operands = 1,
    .max_operands = 2,
    .examples = client_examples,
};
