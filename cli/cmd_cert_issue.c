/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert issue: one certificate, by lab profile or by flags, signed by an authority of a lab.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab_dir.h"
#include "certs/lab/lab_issue.h"
#include "certs/x509/pem_file.h"
#include "cli/cert.h"
#include "core/clock.h"

#define NAMES_MAX    200
#define DEFAULT_DAYS 198
#define MAX_DAYS     36500
#define DAY_S        86400

static const char help[] =
    "usage: nlbsim cert issue [options] HOST...\n"
    "\n"
    "Make one certificate: BASE.pem (the chain), BASE.key (mode 0600), BASE.root.pem (what to "
    "trust).\n"
    "The first HOST is the common name; all are names of the certificate.\n"
    "\n"
    "  --lab DIR          sign with the authorities of that lab directory (nlbsim lab DIR)\n"
    "  --seed TEXT        sign with the authorities that 'nlbsim lab --seed TEXT' makes\n"
    "                     (without either, the authorities are made for this one certificate)\n"
    "  --out BASE         where to write (default: the first HOST)\n"
    "  --force            replace what is there\n"
    "  --at TIME          count from then: 2026-11-21T10:00:00Z, +30d, @1764000000\n"
    "\n"
    "by profile:\n"
    "  --profile NAME     a profile of the lab, flaw and all (nlbsim lab --list)\n"
    "\n"
    "by flags:\n"
    "  --authority NAME   who signs (default issuing); self: signed with its own key\n"
    "  --key KIND         ecdsa-256 (default), ecdsa-384, ecdsa-521, rsa-1024 ... rsa-4096\n"
    "  --hash HASH        sha256 (default), sha384, sha512, sha1, md5\n"
    "  --usage WHO        server (default), client, both\n"
    "  --days N           how long it is valid (default 198)\n"
    "  --from TIME        valid from (default: yesterday)\n"
    "  --subject NAME     the whole subject, in the order of the encoding: C=US,O=lab,CN=x\n"
    "  --ca               an authority: CA:TRUE, keyCertSign\n"
    "  --help             this text\n"
    "\n"
    "example: nlbsim cert issue --lab pki --days 20 api.example.com www.example.com\n"
    "example: nlbsim cert issue --profile expired --out listener api.example.com\n";

struct issue {
    const char *lab_dir, *seed, *out, *profile, *authority, *subject;
    const char *names[NAMES_MAX];
    size_t n_names;
    enum issue_key_kind key;
    mbedtls_md_type_t md;
    enum issue_eku eku;
    long days;
    int64_t now_s, from_s;
    bool force, ca, by_flags;
};

static const struct {
    const char *name;
    mbedtls_md_type_t md;
} hashes[] = {
    { "sha256", MBEDTLS_MD_SHA256 }, { "sha384", MBEDTLS_MD_SHA384 },
    { "sha512", MBEDTLS_MD_SHA512 }, { "sha1", MBEDTLS_MD_SHA1 },
    { "md5", MBEDTLS_MD_MD5 },
};

static int by_flags(const struct issue *o, struct cert_lab *lab, struct cert_lab_item *item,
                    struct err *err)
{
    char subject[LAB_HOST_MAX * 2 + 64] = LAB_SUBJECT_BASE, label[512];
    struct cert_lab_request r = {
        .label = label,
        .authority = strcmp(o->authority, "self") == 0 ? NULL : o->authority,
        .key_kind = o->key,
        .cert = {
            .subject = o->subject != NULL ? o->subject : subject,
            .md = o->md,
            .not_before_utc = o->from_s,
            .not_after_utc = o->from_s + o->days * DAY_S,
            .basic = o->ca ? ISSUE_BASIC_CA : ISSUE_BASIC_NOT_CA,
            .path_len = -1,
            .usage = o->ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN |
                                 MBEDTLS_X509_KU_DIGITAL_SIGNATURE
                           : MBEDTLS_X509_KU_DIGITAL_SIGNATURE |
                                 (issue_key_is_slow(o->key) ? MBEDTLS_X509_KU_KEY_ENCIPHERMENT
                                                            : 0U),
            .eku = o->ca ? ISSUE_EKU_NONE : o->eku,
            .names = o->names,
            .n_names = o->n_names,
            .key_ids = true,
        },
    };

    if (!issue_name_add(subject, sizeof subject, "CN", o->names[0])) {
        err_set(err, ERR_USAGE, "the name '%.60s...' is too long", o->names[0]);
        return -1;
    }
    /* With a seed the same flags give the same key. */
    snprintf(label, sizeof label, "%s %s %s %ld", o->authority, o->names[0], issue_key_name(o->key),
             o->days);
    return cert_lab_issue_request(lab, &r, item, err);
}

static int write_one(const struct issue *o, const char *ending, struct pem_text *text,
                     unsigned flags, struct err *err)
{
    char path[4096];
    int rc = -1;

    snprintf(path, sizeof path, "%s%s", o->out, ending);
    if (text->bad)
        err_set(err, ERR_NOMEM, "%s", path);
    else
        rc = file_write(path, text->at, text->len, flags | (o->force ? FILE_REPLACE : 0U), err);
    pem_text_clear(text);
    return rc;
}

/* The key first: a certificate without its key would be of no use. */
static int write_all(const struct issue *o, const struct cert_lab_item *item, struct err *err)
{
    struct pem_text text = { 0 };

    pem_put_key(&text, item->key);
    if (write_one(o, ".key", &text, FILE_SECRET, err) != 0)
        return -1;
    for (size_t i = 0; i < item->chain_len; i++)
        pem_put(&text, "CERTIFICATE", item->chain[i]);
    if (write_one(o, ".pem", &text, 0, err) != 0)
        return -1;
    pem_put(&text, "CERTIFICATE", item->root);
    return write_one(o, ".root.pem", &text, 0, err);
}

static int issue(const struct issue *o)
{
    struct err err = { 0 };
    struct cert_lab_item item;
    struct cert_lab *lab = cert_lab_new(o->seed, o->now_s, &err);
    int rc = lab != NULL ? 0 : -1;

    for (size_t i = 0; i < o->n_names && rc == 0; i++)
        rc = lab_host_check(o->names[i], &err);
    if (rc == 0 && o->lab_dir != NULL)
        rc = lab_dir_load(lab, o->lab_dir, &err);
    if (rc == 0)
        rc = o->profile != NULL ? cert_lab_issue(lab, o->profile, o->names[0], &item, &err)
                                : by_flags(o, lab, &item, &err);
    if (rc == 0)
        rc = write_all(o, &item, &err);
    cert_lab_free(lab);
    if (rc != 0)
        return cert_fail("issue", &err);
    fprintf(stderr, "wrote %s.pem, %s.key and %s.root.pem\n", o->out, o->out, o->out);
    return 0;
}

/* --- options --- */

static int set_hash(struct issue *o, const char *text)
{
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        if (strcmp(hashes[i].name, text) == 0) {
            o->md = hashes[i].md;
            return 0;
        }
    }
    return cert_usage("issue", "--hash: sha256, sha384, sha512, sha1 or md5");
}

static int set_key(struct issue *o, const char *text)
{
    char names[160], message[224];

    o->key = issue_key_find(text);
    if (o->key != ISSUE_KEY_N)
        return 0;
    snprintf(message, sizeof message, "--key: one of %s", issue_key_names(names, sizeof names));
    return cert_usage("issue", message);
}

static int set_usage(struct issue *o, const char *text)
{
    o->eku = strcmp(text, "server") == 0   ? ISSUE_EKU_SERVER
             : strcmp(text, "client") == 0 ? ISSUE_EKU_CLIENT
             : strcmp(text, "both") == 0   ? ISSUE_EKU_BOTH
                                           : ISSUE_EKU_NONE;
    return o->eku != ISSUE_EKU_NONE ? 0 : cert_usage("issue", "--usage: server, client or both");
}

static int set_days(struct issue *o, const char *text)
{
    char *end;

    o->days = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && o->days > 0 && o->days <= MAX_DAYS
               ? 0
               : cert_usage("issue", "--days: 1 to 36500");
}

/* The options that describe a certificate; 0, or the exit status. */
static int set_flag(struct issue *o, int option, const char *text)
{
    o->by_flags = true;
    switch (option) {
    case 'A':
        o->authority = text;
        return 0;
    case 'k':
        return set_key(o, text);
    case 'H':
        return set_hash(o, text);
    case 'u':
        return set_usage(o, text);
    case 'd':
        return set_days(o, text);
    case 'F':
        o->from_s = o->now_s;
        return cert_parse_at("issue", text, &o->from_s) != 0 ? 2 : 0;
    case 'n':
        o->subject = text;
        return 0;
    case 'c':
        o->ca = true;
        return 0;
    default:
        return cert_try_help("issue");
    }
}

static const struct option options[] = {
    { "lab", required_argument, NULL, 'l' },   { "seed", required_argument, NULL, 's' },
    { "out", required_argument, NULL, 'o' },   { "force", no_argument, NULL, 'f' },
    { "at", required_argument, NULL, 'a' },    { "profile", required_argument, NULL, 'p' },
    { "help", no_argument, NULL, 'h' },        { "authority", required_argument, NULL, 'A' },
    { "key", required_argument, NULL, 'k' },   { "hash", required_argument, NULL, 'H' },
    { "usage", required_argument, NULL, 'u' }, { "days", required_argument, NULL, 'd' },
    { "from", required_argument, NULL, 'F' },  { "subject", required_argument, NULL, 'n' },
    { "ca", no_argument, NULL, 'c' },          { 0 },
};

static int finish_options(struct issue *o, int argc, char **argv)
{
    for (int i = optind; i < argc; i++) {
        if (o->n_names == NAMES_MAX)
            return cert_usage("issue", "at most 200 names");
        o->names[o->n_names++] = argv[i];
    }
    if (o->n_names == 0)
        return cert_usage("issue", "at least one HOST is wanted");
    if (o->lab_dir != NULL && o->seed != NULL)
        return cert_usage("issue", "--lab and --seed exclude each other");
    if (o->profile != NULL && (o->by_flags || o->n_names > 1))
        return cert_usage("issue", "a profile settles everything but one HOST");
    if (o->out == NULL)
        o->out = o->names[0];
    return issue(o);
}

int cert_cmd_issue(int argc, char **argv)
{
    struct issue o = { .authority = "issuing",
                       .key = ISSUE_KEY_EC256,
                       .md = MBEDTLS_MD_SHA256,
                       .eku = ISSUE_EKU_SERVER,
                       .days = DEFAULT_DAYS,
                       .now_s = clock_wall_us() / 1000000 };
    int option, rc;

    o.from_s = o.now_s - DAY_S;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            o.lab_dir = optarg;
            break;
        case 's':
            o.seed = optarg;
            break;
        case 'o':
            o.out = optarg;
            break;
        case 'f':
            o.force = true;
            break;
        case 'a':
            if (cert_parse_at("issue", optarg, &o.now_s) != 0)
                return 2;
            o.from_s = o.now_s - DAY_S;
            break;
        case 'p':
            o.profile = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            rc = set_flag(&o, option, optarg);
            if (rc != 0)
                return rc;
        }
    }
    return finish_options(&o, argc, argv);
}
