/* SPDX-License-Identifier: Apache-2.0
 * nlbsim validate: what API Gateway would say about a chain, offline; one chain, or JSON lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "cli/cli.h"
#include "cli/validate_json.h"
#include "core/clock.h"
#include "core/foreign.h"
#include "core/screen.h"

struct validate_options {
    struct command_line line;
    const char *chain, *trust_store;
    bool json, skip_allows_plain_self_signed;
    const char *seed; /* NULL: none */
    struct validate_settings settings;
};

static void print_text(const struct judged_chain *j)
{
    const struct verdict *v = j->verdict;
    struct diagnosis d = { NULL, 0 };
    struct chain *chain = judged_drawing(j);
    char *sentence = validate_diagnose(j, &d) == 0 ? diagnosis_text(&d) : NULL;

    if (v->ok)
        puts("accepted");
    else
        foreign_printf(stdout, "%s: %s\n", verdict_unknown(v->code) ? "not judged" : "refused",
                       v->error);
    if (!v->ok && v->detail[0] != '\0')
        foreign_printf(stdout, "cause: %s\n", v->detail);
    screen_sentence(stdout, "", sentence == NULL ? "" : sentence);
    chain_draw(chain, v, "  ", stdout);
    chain_free(chain);
    free(sentence);
    diagnosis_clear(&d);
}

static int judge_one(struct validate_options *a, const struct trust_store *store,
                     const struct cert_list *chain)
{
    struct trust_request *req = &a->settings.request;
    struct trust_anchors *trust = trust_anchors_of(store, a->settings.public_authorities);
    struct judged_chain judged;
    struct verdict v;

    if (trust == NULL) {
        fputs("nlbsim validate: out of memory\n", stderr);
        return 3;
    }
    req->chain = chain->at;
    req->chain_len = chain->n;
    req->anchors = trust;
    req->tls12 = validate_tls12(req);
    trust_judge(req, &v);
    judged = (struct judged_chain){ .verdict = &v,
                                    .request = req,
                                    .anchors = &store->list,
                                    .store = a->trust_store,
                                    .file = a->chain };
    if (a->json)
        validate_print_json(NULL, &judged, stdout);
    else
        print_text(&judged);
    trust_anchors_free(trust);
    return v.ok ? 0 : verdict_unknown(v.code) ? 3 : 1;
}

static int run_one(struct validate_options *a)
{
    struct cert_list chain = { NULL, 0 };
    struct trust_store *store = NULL;
    struct cert_lab *lab = NULL;
    struct err err = { 0 };
    int rc = -1;

    if (cert_list_load(&chain, a->chain, &err) != 0)
        goto out;
    if (cert_spec_is_lab(a->trust_store)) {
        if (a->seed == NULL) {
            /* Any verdict would be about an authority that issued nothing. */
            err_set(&err, ERR_USAGE,
                    "--trust-store %s: a lab's authorities are made anew each time, so none of "
                    "these issued the chain; give the seed of the lab that did (--seed TEXT: the "
                    "configuration's lab_seed, or that of 'nlbsim lab --seed'), or the PEM file "
                    "that 'nlbsim lab' wrote",
                    a->trust_store);
            goto out;
        }
        lab = cert_lab_new(a->seed, a->settings.request.at_utc, &err);
        if (lab == NULL)
            goto out;
    }
    store = trust_store_load(a->trust_store, NULL, lab, &err);
    if (store != NULL)
        rc = judge_one(a, store, &chain);
out:
    if (rc < 0) {
        fprintf(stderr, "nlbsim validate: %s\n", err.text);
        rc = err_exit_status(&err);
    }
    trust_store_unref(store);
    cert_lab_free(lab);
    cert_list_clear(&chain);
    return rc;
}

/* --json - reads cases; otherwise a chain and a trust store are needed. */
static int check_arguments(struct validate_options *a)
{
    struct trust_request *req = &a->settings.request;
    const bool stream = a->line.n_operands == 1;

    req->skip_refuses_plain_self_signed = !a->skip_allows_plain_self_signed;
    if (stream && (!a->json || strcmp(a->line.operands[0], "-") != 0))
        return command_misused(a, "unexpected operand '%s'%s", a->line.operands[0],
                               a->json ? ": cases are read from standard input, '-'" : "");
    if (stream && (a->chain != NULL || a->trust_store != NULL))
        return command_misused(a, "--%s with '-': each case has its own",
                               a->chain != NULL ? "chain" : "trust-store");
    if (!stream && a->chain == NULL)
        return command_misused(a, "--chain FILE is missing");
    return stream || a->trust_store != NULL
               ? -1
               : command_misused(a, "--trust-store SPEC is missing (a PEM file, or system)");
}

static int validate_run(int argc, char **argv)
{
    struct validate_options a = { .settings.request.at_utc = clock_wall_s() };
    int rc = command_read(&command_validate, argc, argv, &a);

    if (rc < 0)
        rc = check_arguments(&a);
    if (rc >= 0)
        return rc;
    return a.line.n_operands == 1 ? validate_stream(&a.settings, stdin, stdout) : run_one(&a);
}

static const struct cfg_choice clients[] = { { .text = "apache", .value = TRUST_APACHE },
                                             { .text = "jdk", .value = TRUST_JDK },
                                             { .text = NULL } };

#define AT(field) .offset = offsetof(struct validate_options, field)
static const struct command_option validate_option_rows[] = {
    { .name = "chain",
      .argument = "FILE",
      .kind = OPTION_FILE,
      AT(chain),
      .help = "the chain as it is presented, leaf first (PEM)" },
    { .name = "trust-store",
      .argument = "SPEC",
      .kind = OPTION_FILE,
      AT(trust_store),
      .help = "trusted authorities: a PEM file, system, apigateway (those of system on its list), "
              "or lab:public of a lab with a seed" },
    { .name = "seed",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(seed),
      .help = "with a lab: store: the seed of the lab that issued the chain" },
    { .name = "host",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(settings.request.host),
      .help = "host of the integration's uri; without it names are not checked" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(settings.request.at_utc),
      .help = "judge at this moment: 2027-01-31, 2027-01-31T12:00:00Z, +30d" },
    { .name = "insecure-skip-verification",
      .kind = OPTION_FLAG,
      AT(settings.request.insecure_skip),
      .help = "as with tlsConfig.insecureSkipVerification" },
    { .name = "skip-allows-plain-self-signed",
      .kind = OPTION_YES_NO,
      AT(skip_allows_plain_self_signed),
      .def = "yes",
      .help = "with the flag: may a self-signed leaf be no CA?" },
    { .name = "public-authorities",
      .kind = OPTION_FLAG,
      AT(settings.public_authorities),
      .help = "the trust store holds authorities that the client's JDK ships: SHA-1 and *.com are "
              "refused" },
    { .name = "client",
      .kind = OPTION_CHOICE,
      AT(settings.request.client),
      .choices = clients,
      .def = "apache",
      .help = "whose host name rules and words: API Gateway's (apache), or the JDK's own HTTPS "
              "checker" },
    { .name = "json",
      .kind = OPTION_FLAG,
      AT(json),
      .help = "one JSON document; with '-' after it, read cases as JSON lines "
              "{\"id\", \"chain\":[pem], \"trust\":[pem], \"host\", \"time\"} and write one line "
              "per case" },
    { .name = NULL },
};
#undef AT
static const char *const validate_synopsis[] = {
    "--chain FILE --trust-store SPEC --host NAME [options]", "--json - < cases.jsonl", NULL
};
static const char *const validate_examples[] = {
    "nlbsim validate --chain api.pem --trust-store system --host api.example.com --at +30d", NULL
};

const struct command command_validate = {
    .name = "validate",
    .summary = "what API Gateway would say about a certificate chain, offline",
    .run = validate_run,
    .synopsis = validate_synopsis,
    .about = "Says what API Gateway (a Java client) would say about a certificate chain, without a "
             "connection.",
    .options = validate_option_rows,
    .operand = "-",
    .operand_kind = OPERAND_NONE,
    .max_operands = 1,
    .notes = "Exit status: 0 accepted, 1 refused, 2 usage or unreadable input, 3 the environment "
             "failed or the chain costs more than nlbsim spends on a judgement; of --json -: 0 "
             "when every line was judged, 2 when one could not be read.",
    .examples = validate_examples,
};
