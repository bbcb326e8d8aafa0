/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert issue: one certificate, by lab profile or by flags, signed by an authority of a lab.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/lab/lab_dir.h"
#include "certs/lab/lab_issue.h"
#include "certs/x509/pem_file.h"
#include "cli/cert.h"
#include "cli/lab_words.h"
#include "core/clock.h"

#define DAY_S 86400

struct issue {
    struct command_line line;
    const char *lab_dir, *seed, *out, *profile, *authority, *subject;
    const char *const *names;
    size_t n_names;
    enum issue_key_kind key;
    mbedtls_md_type_t md;
    enum issue_eku eku;
    unsigned days;
    const char *from;
    int64_t now_s, from_s;
    bool force, ca;
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
            .not_after_utc = o->from_s + (int64_t)o->days * DAY_S,
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
    snprintf(label, sizeof label, "%s %s %s %u", o->authority, o->names[0], issue_key_name(o->key),
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
        return command_fail(&command_cert_issue, &err);
    fprintf(stderr, "wrote %s.pem, %s.key and %s.root.pem\n", o->out, o->out, o->out);
    return 0;
}

/* --- options --- */

static int take_key_kind(void *options, const struct command_option *option, const char *value)
{
    struct issue *o = options;
    char names[160];

    o->key = issue_key_find(value);
    return o->key != ISSUE_KEY_N ? -1
                                 : command_refuse(o, option->name, value, "one of %s",
                                                  issue_key_names(names, sizeof names));
}

/* Relative to --at, wherever that stands: kept as it is until all is read. */
static int settle_from(struct issue *o, const char *from)
{
    o->from_s = o->now_s - DAY_S;
    if (from == NULL || clock_parse_utc(from, o->now_s, &o->from_s) == 0)
        return -1;
    return command_refuse(o, "from", from, "no time; write 2027-01-31, +30d, -1h or @SECONDS");
}

/* The first option given that a profile settles; NULL: none. */
static const char *flag_given(const struct issue *o)
{
    static const char *const flags[] = { "authority", "key",     "hash", "usage",
                                         "days",      "subject", "ca",   "from" };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (command_given(o, flags[i]))
            return flags[i];
    }
    return NULL;
}

static int issue_run(int argc, char **argv)
{
    struct issue o = { .now_s = clock_wall_s() };
    int status = command_read(&command_cert_issue, argc, argv, &o);

    if (status < 0)
        status = settle_from(&o, o.from);
    if (status >= 0)
        return status;
    o.names = (const char *const *)o.line.operands;
    o.n_names = o.line.n_operands;
    if (o.lab_dir != NULL && o.seed != NULL)
        return command_misused(&o, "--lab and --seed exclude each other");
    if (o.profile != NULL && flag_given(&o) != NULL)
        return command_misused(&o, "--%s with --profile, which settles it", flag_given(&o));
    if (o.profile != NULL && o.n_names > 1)
        return command_misused(&o, "a profile settles everything but one HOST ('%s' is the second)",
                               o.names[1]);
    if (o.out == NULL)
        o.out = o.names[0];
    return issue(&o);
}

static const struct cfg_choice hashes[] = {
    { .text = "sha256", .value = MBEDTLS_MD_SHA256 },
    { .text = "sha384", .value = MBEDTLS_MD_SHA384 },
    { .text = "sha512", .value = MBEDTLS_MD_SHA512 },
    { .text = "sha1", .value = MBEDTLS_MD_SHA1 },
    { .text = "md5", .value = MBEDTLS_MD_MD5 },
    { .text = NULL },
};
static const struct cfg_choice usages[] = { { .text = "server", .value = ISSUE_EKU_SERVER },
                                            { .text = "client", .value = ISSUE_EKU_CLIENT },
                                            { .text = "both", .value = ISSUE_EKU_BOTH },
                                            { .text = NULL } };

#define AT(field) .offset = offsetof(struct issue, field)
static const struct command_option issue_option_rows[] = {
    { .name = "lab",
      .argument = "DIR",
      .kind = OPTION_DIR,
      AT(lab_dir),
      .help = "sign with the authorities of that lab directory (nlbsim lab DIR)" },
    { .name = "seed",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(seed),
      .help = "sign with the authorities that 'nlbsim lab --seed TEXT' makes; without either, the "
              "authorities are made for this one certificate" },
    { .name = "out",
      .argument = "BASE",
      .kind = OPTION_NAMED,
      AT(out),
      .help = "where to write; without it, the first HOST" },
    { .name = "force", .kind = OPTION_FLAG, AT(force), .help = "replace what is there" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(now_s),
      .help = "count from then: 2026-11-21T10:00:00Z, +30d, @1764000000" },
    { .name = "profile",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(profile),
      .words_cb = lab_profile_words,
      .section = "By profile",
      .help = "a profile of the lab, flaw and all (nlbsim lab --list)" },
    { .name = "authority",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(authority),
      .words_cb = lab_authority_words,
      .def = "issuing",
      .section = "By flags",
      .help = "who signs; self: signed with its own key" },
    { .name = "key",
      .argument = "KIND",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_key_kind,
      .words_cb = lab_key_words,
      .def = "ecdsa-256",
      .help = "ecdsa-256, ecdsa-384, ecdsa-521, rsa-1024 ... rsa-4096" },
    { .name = "hash",
      .kind = OPTION_CHOICE,
      .argument = "HASH",
      AT(md),
      .choices = hashes,
      .def = "sha256",
      .help = "sha256, sha384, sha512, sha1, md5" },
    { .name = "usage",
      .kind = OPTION_CHOICE,
      AT(eku),
      .choices = usages,
      .def = "server",
      .help = "whom the certificate is for" },
    { .name = "days",
      .argument = "N",
      .kind = OPTION_UINT,
      AT(days),
      .min = 1,
      .max = 36500,
      .def = "198",
      .help = "how long it is valid" },
    { .name = "from",
      .argument = "TIME",
      .kind = OPTION_TEXT,
      AT(from),
      .help = "valid from; without it, yesterday" },
    { .name = "subject",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(subject),
      .help = "the whole subject, in the order of the encoding: C=US,O=lab,CN=x" },
    { .name = "ca", .kind = OPTION_FLAG, AT(ca), .help = "an authority: CA:TRUE, keyCertSign" },
    { .name = NULL },
};
#undef AT
static const char *const issue_synopsis[] = { "[options] HOST...", NULL };
static const char *const issue_examples[] = {
    "nlbsim cert issue --lab pki --days 20 api.example.com www.example.com",
    "nlbsim cert issue --profile expired --out listener api.example.com", NULL
};

const struct command command_cert_issue = {
    .name = "cert issue",
    .summary = "make one certificate, by lab profile or by flags",
    .run = issue_run,
    .synopsis = issue_synopsis,
    .about = "Makes one certificate: BASE.pem (the chain), BASE.key (mode 0600), BASE.root.pem "
             "(what to trust). The first HOST is the common name; all are names of the "
             "certificate.",
    .options = issue_option_rows,
    .operand = "HOST",
    .operand_kind = OPERAND_WORD,
    .min_operands = 1,
    .max_operands = 200,
    .examples = issue_examples,
};
