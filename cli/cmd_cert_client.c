/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert client: client certificates as API Gateway keeps them, and their rotation. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "certs/audit/client_store.h"
#include "cli/cert.h"
#include "core/clock.h"

#define DEFAULT_DIR "client-certificates"

static const char help[] =
    "usage: nlbsim cert client generate [--description TEXT] [options]\n"
    "       nlbsim cert client list|get ID|delete ID [options]\n"
    "       nlbsim cert client rotate [--all | --reload COMMAND] [options]\n"
    "\n"
    "Stage client certificates in a directory: API Gateway's shape (self-signed, RSA-2048, 365\n"
    "days), its JSON fields on standard output. current.pem (certificate and key) is what the "
    "stage\n"
    "presents: client_certificate = DIR/current.pem. accepted.pem is what a backend pins.\n"
    "\n"
    "rotate goes on to the next point where somebody else has to act, in the documented order:\n"
    "  1 generate a new certificate; accepted.pem has both: let the backend reload it\n"
    "  2 current.pem is the new one: redeploy the stage\n"
    "  3 the old one leaves accepted.pem and is deleted\n"
    "\n"
    "  --all              every step at once: for a backend that reads accepted.pem each time\n"
    "  --reload COMMAND   every step, with this shell command after each change of accepted.pem;\n"
    "                     when it fails, nothing further is done (call again to go on)\n"
    "  --description TEXT for generate and rotate\n"
    "  --dir DIR          the directory (default client-certificates)\n"
    "  --at TIME          make it as of then: -400d gives an expired one\n"
    "  --seed TEXT        the same key every time (never for secrets)\n"
    "  --help             this text\n"
    "\n"
    "example: nlbsim cert client rotate --dir stage --reload 'systemctl reload nginx'\n";

struct client {
    const char *dir, *description, *seed, *reload;
    int64_t now_s;
    bool all;
};

static int print_json(json_t *json)
{
    int rc = json_dumpf(json, stdout, JSON_INDENT(2));

    putchar('\n');
    json_decref(json);
    return rc == 0 && fflush(stdout) == 0 ? 0 : 3;
}

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
            return cert_fail("client", &err);
        if (c->reload != NULL && step != CLIENT_STEP_SWITCH && run_reload(c->reload) != 0) {
            json_decref(state);
            return 1;
        }
        /* The first certificate of a store has no old one to remove. */
        if (step == CLIENT_STEP_REMOVE ||
            (step == CLIENT_STEP_SWITCH && json_is_null(json_object_get(state, "previous"))))
            more = false;
    } while (more);
    if (!c->all && c->reload == NULL)
        fprintf(stderr, "%s: %s\n", client_step_name(step), advice(step, first));
    return print_json(state);
}

static int run_command(const struct client *c, const char *command, const char *id)
{
    bool creates = strcmp(command, "generate") == 0 || strcmp(command, "rotate") == 0;
    struct err err = { 0 };
    struct client_store *store = client_store_open(c->dir, creates, &err);
    json_t *json = NULL;
    int rc = 0;

    if (store == NULL)
        return cert_fail("client", &err);
    if (strcmp(command, "rotate") == 0) {
        rc = rotate(c, store);
    } else if (strcmp(command, "delete") == 0) {
        rc = client_store_delete(store, id, &err) != 0 ? cert_fail("client", &err) : 0;
    } else {
        json = strcmp(command, "generate") == 0
                   ? client_store_generate(store, c->description, c->seed, c->now_s, &err)
               : strcmp(command, "list") == 0 ? client_store_list(store, &err)
                                              : client_store_get(store, id, &err);
        rc = json != NULL ? print_json(json) : cert_fail("client", &err);
    }
    client_store_close(store);
    return rc;
}

/* Does the command exist, and has it the operands it wants? */
static int check_operands(const char *command, int n)
{
    static const struct {
        const char *name;
        int operands;
    } commands[] = {
        { "generate", 0 }, { "list", 0 }, { "get", 1 }, { "delete", 1 }, { "rotate", 0 }
    };

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, command) == 0)
            return commands[i].operands == n ? 0
                   : n > 0 && commands[i].operands == 0
                       ? cert_usage("client", "this command takes no operand")
                       : cert_usage("client", "one ID is wanted");
    }
    return cert_usage("client", "generate, list, get, delete or rotate is wanted");
}

int cert_cmd_client(int argc, char **argv)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'D' },    { "description", required_argument, NULL, 'd' },
        { "seed", required_argument, NULL, 's' },   { "at", required_argument, NULL, 'a' },
        { "reload", required_argument, NULL, 'r' }, { "all", no_argument, NULL, 'A' },
        { "help", no_argument, NULL, 'h' },         { 0 },
    };
    struct client c = { .dir = DEFAULT_DIR, .now_s = clock_wall_us() / 1000000 };
    int option, rc;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'D':
            c.dir = optarg;
            break;
        case 'd':
            c.description = optarg;
            break;
        case 's':
            c.seed = optarg;
            break;
        case 'a':
            if (cert_parse_at("client", optarg, &c.now_s) != 0)
                return 2;
            break;
        case 'r':
            c.reload = optarg;
            break;
        case 'A':
            c.all = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return cert_try_help("client");
        }
    }
    if (optind == argc)
        return cert_usage("client", "generate, list, get, delete or rotate is wanted");
    rc = check_operands(argv[optind], argc - optind - 1);
    if (rc != 0)
        return rc;
    if ((c.all || c.reload != NULL) && strcmp(argv[optind], "rotate") != 0)
        return cert_usage("client", "--all and --reload go with rotate");
    return run_command(&c, argv[optind], argv[optind + 1]);
}
