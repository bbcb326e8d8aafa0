/* SPDX-License-Identifier: Apache-2.0
 * nlbsim validate: what API Gateway would say about a chain, offline; one chain, or JSON lines. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "cli/cli.h"
#include "cli/validate_json.h"
#include "core/clock.h"

static const char help[] =
    "usage: nlbsim validate --chain PEM --trust-store PEM --host NAME [options]\n"
    "       nlbsim validate --json - < cases.jsonl\n\n"
    "Say what API Gateway (a Java client) would say about a certificate chain, without a "
    "connection.\n\n"
    "  --chain FILE                  the chain as it is presented, leaf first (PEM)\n"
    "  --trust-store SPEC            trusted authorities: a PEM file, lab:public, or system\n"
    "  --host NAME                   host of the integration's uri; without it names are not "
    "checked\n"
    "  --at TIME                     judge at this moment: 2027-01-31, 2027-01-31T12:00:00Z, +30d\n"
    "  --insecure-skip-verification  as with tlsConfig.insecureSkipVerification\n"
    "  --skip-allows-plain-self-signed yes|no\n"
    "                                with the flag: may a self-signed leaf be no CA? (yes)\n"
    "  --public-authorities          the trust store holds authorities that the client's JDK "
    "ships:\n"
    "                                SHA-1 and *.com are refused\n"
    "  --client apache|jdk           whose host name rules and words: API Gateway's (apache), or\n"
    "                                the JDK's own HTTPS checker\n"
    "  --json                        one JSON document; with '-' after it, read cases as JSON "
    "lines\n"
    "                                {\"id\",\"chain\":[pem],\"trust\":[pem],\"host\",\"time\"} "
    "and\n"
    "                                write one line per case\n"
    "  --help                        this text\n\n"
    "exit status: 0 accepted, 1 refused, 2 usage or unreadable input, 3 the environment failed;\n"
    "of --json -: 0 when every line was judged, 2 when one could not be read\n\n"
    "example: nlbsim validate --chain api.pem --trust-store system --host api.example.com --at "
    "+30d\n";

enum {
    OPT_CHAIN = 256,
    OPT_TRUST,
    OPT_HOST,
    OPT_AT,
    OPT_SKIP,
    OPT_PLAIN,
    OPT_PUBLIC,
    OPT_CLIENT,
    OPT_JSON
};

static const struct option options[] = {
    { "chain", required_argument, NULL, OPT_CHAIN },
    { "trust-store", required_argument, NULL, OPT_TRUST },
    { "host", required_argument, NULL, OPT_HOST },
    { "at", required_argument, NULL, OPT_AT },
    { "insecure-skip-verification", no_argument, NULL, OPT_SKIP },
    { "skip-allows-plain-self-signed", required_argument, NULL, OPT_PLAIN },
    { "public-authorities", no_argument, NULL, OPT_PUBLIC },
    { "client", required_argument, NULL, OPT_CLIENT },
    { "json", no_argument, NULL, OPT_JSON },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

struct arguments {
    const char *chain, *trust_store;
    bool json, stream;
    struct validate_settings settings;
};

static int usage(const char *problem, const char *what)
{
    fprintf(stderr, "nlbsim validate: %s%s\ntry 'nlbsim validate --help'\n", problem, what);
    return 2;
}

static int take_option(struct arguments *a, int option)
{
    struct trust_request *req = &a->settings.request;

    switch (option) {
    case OPT_CHAIN:
        a->chain = optarg;
        return 0;
    case OPT_TRUST:
        a->trust_store = optarg;
        return 0;
    case OPT_HOST:
        req->host = optarg;
        return 0;
    case OPT_AT:
        if (validate_time(optarg, req->at_utc, &req->at_utc) != 0)
            return usage("not a time: ", optarg);
        return 0;
    case OPT_SKIP:
        req->insecure_skip = true;
        return 0;
    case OPT_PLAIN:
        req->skip_refuses_plain_self_signed = strcmp(optarg, "no") == 0;
        if (strcmp(optarg, "yes") != 0 && strcmp(optarg, "no") != 0)
            return usage("--skip-allows-plain-self-signed takes yes or no, not ", optarg);
        return 0;
    case OPT_PUBLIC:
        a->settings.public_authorities = true;
        return 0;
    case OPT_CLIENT:
        req->client = strcmp(optarg, "jdk") == 0 ? TRUST_JDK : TRUST_APACHE;
        if (strcmp(optarg, "jdk") != 0 && strcmp(optarg, "apache") != 0)
            return usage("--client takes apache or jdk, not ", optarg);
        return 0;
    case OPT_JSON:
        a->json = true;
        return 0;
    default:
        fputs("try 'nlbsim validate --help'\n", stderr); /* getopt has said what is wrong */
        return 2;
    }
}

/* 0 go on, 1 help was printed, 2 wrong usage. */
static int read_arguments(struct arguments *a, int argc, char **argv)
{
    int option, rc;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 1;
        }
        rc = take_option(a, option);
        if (rc != 0)
            return rc;
    }
    if (optind < argc && a->json && strcmp(argv[optind], "-") == 0) {
        a->stream = true;
        optind++;
    }
    if (optind < argc) {
        fprintf(stderr, "nlbsim validate: unexpected operand '%s'\ntry 'nlbsim validate --help'\n",
                argv[optind]);
        return 2;
    }
    if (a->stream)
        return 0;
    if (a->chain == NULL)
        return usage("--chain is missing", "");
    return a->trust_store == NULL ? usage("--trust-store is missing", "") : 0;
}

static void print_text(const struct verdict *v, const struct trust_request *req)
{
    char sentence[2048];

    verdict_sentence(v, req, sentence, sizeof sentence);
    if (v->ok) {
        printf("accepted\n%s\n", sentence);
        return;
    }
    printf("refused: %s\n", v->error);
    if (v->detail[0] != '\0')
        printf("cause: %s\n", v->detail);
    printf("%s\n", sentence);
}

static int judge_one(struct arguments *a, const struct cert_list *anchors,
                     const struct cert_list *chain)
{
    struct trust_request *req = &a->settings.request;
    struct trust_anchors *trust =
        trust_anchors_new(anchors->at, anchors->n, a->settings.public_authorities);
    struct verdict v;

    if (trust == NULL) {
        fputs("nlbsim validate: out of memory\n", stderr);
        return 3;
    }
    req->chain = chain->at;
    req->chain_len = chain->n;
    req->anchors = trust;
    trust_judge(req, &v);
    if (a->json)
        validate_print_json(NULL, &v, req, stdout);
    else
        print_text(&v, req);
    trust_anchors_free(trust);
    return v.ok ? 0 : 1;
}

static int run_one(struct arguments *a)
{
    struct cert_list chain = { NULL, 0 };
    struct trust_store *bundle = NULL;
    struct cert_lab *lab = NULL;
    struct err err = { 0 };
    int rc = -1;

    if (cert_list_load(&chain, a->chain, &err) != 0)
        goto out;
    if (cert_spec_is_lab(a->trust_store)) {
        lab = cert_lab_new(NULL, a->settings.request.at_utc, &err);
        if (lab == NULL)
            goto out;
    }
    bundle = trust_store_load(a->trust_store, NULL, lab, &err);
    if (bundle != NULL)
        rc = judge_one(a, &bundle->list, &chain);
out:
    if (rc < 0) {
        fprintf(stderr, "nlbsim validate: %s\n", err.text);
        rc = err_exit_status(&err);
    }
    trust_store_unref(bundle);
    cert_lab_free(lab);
    cert_list_clear(&chain);
    return rc;
}

int cmd_validate(int argc, char **argv)
{
    struct arguments a = { 0 };
    int rc;

    a.settings.request.at_utc = clock_wall_us() / 1000000;
    rc = read_arguments(&a, argc, argv);
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    return a.stream ? validate_stream(&a.settings, stdin, stdout) : run_one(&a);
}
