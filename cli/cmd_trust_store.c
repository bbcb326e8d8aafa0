/* SPDX-License-Identifier: Apache-2.0
 * nlbsim trust-store: API Gateway's list of authorities, beside the roots of this machine. */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/store/apigateway_authorities.h"
#include "certs/store/trust_store.h"
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/foreign.h"
#include "core/screen.h"

#define SUBJECT_MAX 512

static const struct command command_trust_store_list, command_trust_store_diff;

struct authorities {
    struct command_line line;
    bool json;
    struct trust_store *store; /* "apigateway": what of the list is here, and what is left out */
    const struct cert_facts **here; /* per row of the list: this machine's root, or NULL */
    size_t n_here;
};

static int open_store(struct authorities *a, const struct command *self)
{
    struct err err = { 0 };

    a->store = trust_store_load("apigateway", NULL, NULL, &err);
    if (a->store == NULL)
        return command_fail(self, &err);
    a->here = calloc(apigateway_n_authorities, sizeof *a->here);
    if (a->here == NULL) {
        err_set(&err, ERR_NOMEM, "trust store");
        trust_store_unref(a->store);
        return command_fail(self, &err);
    }
    for (size_t i = 0; i < a->store->list.n; i++) {
        const struct cert_facts *f = a->store->list.at[i];
        size_t row = (size_t)(apigateway_authority_of(f) - apigateway_authorities);

        a->n_here += a->here[row] == NULL;
        a->here[row] = f;
    }
    return 0;
}

static void close_store(struct authorities *a)
{
    free(a->here);
    trust_store_unref(a->store);
}

static json_t *subject_json(const struct cert_facts *f)
{
    char subject[SUBJECT_MAX];

    return f == NULL
               ? json_null()
               : foreign_json(cert_name_text(f->subject, CERT_STYLE_JAVA, subject, sizeof subject));
}

/* --- list --- */
static json_t *row_json(const struct authorities *a, size_t i)
{
    const struct apigateway_authority *row = &apigateway_authorities[i];
    const struct cert_facts *f = a->here[i];

    return json_pack("{s:s, s:s, s:b, s:o}", "alias", row->alias, "sha256", row->sha256,
                     "on_this_machine", f != NULL, "subject", subject_json(f));
}

static int authorities_json(const struct authorities *a)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < apigateway_n_authorities; i++)
        json_array_append_new(rows, row_json(a, i));
    return foreign_print_document(
               json_pack("{s:s, s:o}", "date", APIGATEWAY_AUTHORITIES_DATE, "authorities", rows),
               stdout) == 0
               ? 0
               : 3;
}

static int list_verb(int argc, char **argv)
{
    struct authorities a = { .store = NULL };
    char subject[SUBJECT_MAX];
    int rc = command_read(&command_trust_store_list, argc, argv, &a);

    if (rc >= 0)
        return rc;
    rc = open_store(&a, &command_trust_store_list);
    if (rc != 0)
        return rc;
    if (a.json) {
        rc = authorities_json(&a);
    } else {
        for (size_t i = 0; i < apigateway_n_authorities; i++) {
            const struct cert_facts *f = a.here[i];

            foreign_printf(
                stdout, "%s%s%s\n", apigateway_authorities[i].alias, f != NULL ? ": " : "",
                f == NULL ? ""
                          : cert_name_text(f->subject, CERT_STYLE_JAVA, subject, sizeof subject));
        }
        printf("%zu authorities (AWS's list, %s), %zu of them on this machine (with subject)\n",
               apigateway_n_authorities, APIGATEWAY_AUTHORITIES_DATE, a.n_here);
    }
    close_store(&a);
    return rc;
}

/* --- diff --- */
static int diff_json(const struct authorities *a)
{
    json_t *missing = json_array(), *extra = json_array();

    for (size_t i = 0; i < apigateway_n_authorities; i++) {
        if (a->here[i] == NULL)
            json_array_append_new(missing, row_json(a, i));
    }
    for (size_t i = 0; i < a->store->left_out.n; i++) {
        const struct cert_facts *f = a->store->left_out.at[i];
        char hex[65];

        json_array_append_new(extra,
                              json_pack("{s:s, s:o}", "sha256", bytes_hex(f->sha256, 32, hex),
                                        "subject", subject_json(f)));
    }
    return foreign_print_document(json_pack("{s:s, s:o, s:o}", "date", APIGATEWAY_AUTHORITIES_DATE,
                                            "only_on_this_machine", extra, "only_on_the_list",
                                            missing),
                                  stdout) == 0
               ? 0
               : 3;
}

static void diff_text(const struct authorities *a)
{
    char subject[SUBJECT_MAX], word[128];
    const size_t columns = screen_columns(stdout);
    size_t at = 1;

    printf(
        "On this machine, not on API Gateway's list (%zu): API Gateway refuses what they issue\n",
        a->store->left_out.n);
    for (size_t i = 0; i < a->store->left_out.n; i++)
        foreign_printf(stdout, "  %s\n",
                       cert_name_text(a->store->left_out.at[i]->subject, CERT_STYLE_JAVA, subject,
                                      sizeof subject));
    printf("On API Gateway's list, not on this machine (%zu): trusted here when presented\n ",
           apigateway_n_authorities - a->n_here);
    for (size_t i = 0; i < apigateway_n_authorities; i++) {
        if (a->here[i] != NULL)
            continue;
        snprintf(word, sizeof word, " %s", apigateway_authorities[i].alias);
        at = screen_wrap(stdout, word, at, 2, columns);
    }
    putchar('\n');
}

static int diff_verb(int argc, char **argv)
{
    struct authorities a = { .store = NULL };
    int rc = command_read(&command_trust_store_diff, argc, argv, &a);

    if (rc >= 0)
        return rc;
    rc = open_store(&a, &command_trust_store_diff);
    if (rc != 0)
        return rc;
    if (a.json)
        rc = diff_json(&a);
    else
        diff_text(&a);
    close_store(&a);
    return rc;
}

/* --- the table --- */
static const struct command_option authorities_option_rows[] = {
    { .name = "json",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct authorities, json),
      .help = "one JSON document" },
    { .name = NULL },
};
static const char *const authorities_synopsis[] = { "[--json]", NULL };

static const struct command command_trust_store_list = {
    .name = "trust-store list",
    .summary = "the authorities that API Gateway accepts",
    .run = list_verb,
    .synopsis = authorities_synopsis,
    .about = "AWS's published list, by alias; those that this machine's CA bundle has, with their "
             "subject. trust_store = apigateway judges by it.",
    .options = authorities_option_rows,
};
static const struct command command_trust_store_diff = {
    .name = "trust-store diff",
    .summary = "what API Gateway's list and this machine do not have in common",
    .run = diff_verb,
    .synopsis = authorities_synopsis,
    .about = "Which of this machine's roots API Gateway refuses although browsers trust them, and "
             "which of its authorities this machine lacks.",
    .options = authorities_option_rows,
};

static int trust_store_run(int argc, char **argv)
{
    return command_dispatch(&command_trust_store, argc, argv);
}
static const struct command *const trust_store_commands[] = { &command_trust_store_list,
                                                              &command_trust_store_diff, NULL };
static const char *const trust_store_synopsis[] = { "list|diff [--json]", NULL };
static const char *const trust_store_examples[] = { "nlbsim trust-store diff", NULL };

const struct command command_trust_store = {
    .name = "trust-store",
    .summary = "the authorities that API Gateway accepts, beside this machine's",
    .run = trust_store_run,
    .synopsis = trust_store_synopsis,
    .about = "nlbsim trust-store COMMAND --help tells more of each command.",
    .commands = trust_store_commands,
    .examples = trust_store_examples,
};
