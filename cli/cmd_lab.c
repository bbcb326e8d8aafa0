/* SPDX-License-Identifier: Apache-2.0
 * nlbsim lab: write the certificate lab to disk, or list its profiles. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/lab/lab.h"
#include "certs/lab/lab_dir.h"
#include "certs/lab/lab_issue.h"
#include "certs/lab/profiles.h"
#include "cli/cli.h"
#include "cli/lab_words.h"
#include "core/clock.h"
#include "core/foreign.h"
#include "core/screen.h"

#define PROGRESS_AFTER_US 1000000U /* a progress bar for work over a second */
#define BAR_WIDTH         30

struct lab_options {
    struct command_line line;
    struct lab_dir_options dir;
    const char *seed;
    int64_t now_s;
    int ca_key; /* enum issue_key_kind */
    bool list, json;
};

/* --- the list --- */

static void list_row(const char *name, const char *what)
{
    char label[80];

    snprintf(label, sizeof label, "  %-33s ", name);
    screen_sentence(stdout, label, what);
}

static void list_text(void)
{
    for (int side = LAB_SERVER; side <= LAB_CLIENT; side++) {
        printf("%s certificates, lab:PROFILE/HOST\n", side == LAB_SERVER ? "Server" : "\nClient");
        for (size_t i = 0; i < lab_n_profiles; i++) {
            if ((int)lab_profiles[i].side == side)
                list_row(lab_profiles[i].name, lab_profiles[i].wrong);
        }
    }
    puts("\nTrust stores, lab:NAME");
    for (size_t i = 0; i < lab_n_stores; i++)
        list_row(lab_stores[i].name, lab_stores[i].what);
    puts("\nAuthorities");
    for (size_t i = 0; i < lab_n_authorities; i++)
        list_row(lab_authorities[i].name, lab_authorities[i].what);
}

static json_t *profile_json(const struct lab_profile *p)
{
    const char *words[LAB_WORDS_MAX];
    char buf[256];
    size_t n = lab_profile_chain(p, buf, sizeof buf, words);
    json_t *chain = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(chain, json_string(words[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:o, s:s}", "profile",
                     p->name, "side", p->side == LAB_SERVER ? "server" : "client", "wrong",
                     p->wrong, "hop", p->hop, "trust_store", p->store, "says", p->says, "badssl",
                     p->badssl, "source", p->source, "issuer", lab_profile_issuer(p), "chain",
                     chain, "key", issue_key_name(p->key));
}

static int list_json(void)
{
    json_t *profiles = json_array(), *stores = json_array(), *authorities = json_array(), *all;
    int rc;

    for (size_t i = 0; i < lab_n_profiles; i++)
        json_array_append_new(profiles, profile_json(&lab_profiles[i]));
    for (size_t i = 0; i < lab_n_stores; i++)
        json_array_append_new(stores,
                              json_pack("{s:s, s:s, s:s}", "store", lab_stores[i].name, "members",
                                        lab_stores[i].members, "what", lab_stores[i].what));
    for (size_t i = 0; i < lab_n_authorities; i++)
        json_array_append_new(authorities,
                              json_pack("{s:s, s:s?, s:s}", "authority", lab_authorities[i].name,
                                        "issuer", lab_authorities[i].issuer, "what",
                                        lab_authorities[i].what));
    all = json_pack("{s:o, s:o, s:o}", "profiles", profiles, "stores", stores, "authorities",
                    authorities);
    rc = foreign_dumpf(all, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(all);
    return rc == 0 && fflush(stdout) == 0 ? 0 : 3;
}

/* --- writing --- */

struct progress {
    uint64_t began_us;
    bool shown;
};

static void show_progress(void *arg, size_t done, size_t total, const char *profile)
{
    struct progress *p = arg;
    enum issue_key_kind key = issue_key_find(profile);
    int filled = (int)(done * BAR_WIDTH / total);

    /* Profiles with large keys are called like the keys: what follows takes long. */
    if (clock_mono_us() - p->began_us < PROGRESS_AFTER_US &&
        !(key < ISSUE_KEY_N && issue_key_is_large_rsa(key)) && !p->shown)
        return;
    if (done == total) {
        if (p->shown)
            fputs("\r\033[K", stderr);
        return;
    }
    p->shown = true;
    fprintf(stderr, "\r[%.*s%*s] %zu/%zu %s\033[K", filled, "##############################",
            BAR_WIDTH - filled, "", done, total, profile);
}

static int write_lab(struct lab_dir_options *o, const char *seed, int64_t now_s,
                     enum issue_key_kind ca_key)
{
    struct lab_dir_summary summary;
    struct progress progress = { .began_us = clock_mono_us() };
    struct err err = { 0 };
    struct cert_lab *lab = cert_lab_new(seed, now_s, &err);
    int rc = -1;

    if (isatty(STDERR_FILENO)) {
        o->progress_cb = show_progress;
        o->progress_arg = &progress;
    }
    if (lab != NULL)
        cert_lab_set_authority_key(lab, ca_key);
    if (lab != NULL)
        rc = lab_dir_write(lab, o, &summary, &err);
    cert_lab_free(lab);
    if (rc != 0) {
        fprintf(stderr, "%snlbsim lab: %s\n", progress.shown ? "\n" : "", err.text);
        return err_exit_status(&err);
    }
    fprintf(stderr, "%s: %zu profiles for %s", o->dir, summary.profiles, o->host);
    if (summary.skipped > 0)
        fprintf(stderr, " (%zu with large RSA keys left out)", summary.skipped);
    fprintf(stderr, ", %zu files; lab.json says what is what\n", summary.files);
    return 0;
}

static int take_ca_key(void *options, const struct command_option *option, const char *value)
{
    struct lab_options *o = options;
    char names[160];

    o->ca_key = (int)issue_key_find(value);
    return o->ca_key != ISSUE_KEY_N ? -1
                                    : command_refuse(options, option->name, value, "one of %s",
                                                     issue_key_names(names, sizeof names));
}

static int lab_run(int argc, char **argv)
{
    struct lab_options o = { .now_s = clock_wall_s() };
    int status = command_read(&command_lab, argc, argv, &o);

    if (status >= 0)
        return status;
    if (o.list && o.line.n_operands > 0)
        return command_misused(&o, "--list takes no directory");
    if (o.list && o.json)
        return list_json();
    if (o.list) {
        list_text();
        return 0;
    }
    if (o.json)
        return command_misused(&o, "--json goes with --list");
    if (o.line.n_operands == 0)
        return command_misused(&o, "no DIR is given: nlbsim lab [options] DIR");
    o.dir.dir = o.line.operands[0];
    return write_lab(&o.dir, o.seed, o.now_s, (enum issue_key_kind)o.ca_key);
}

#define AT(field) .offset = offsetof(struct lab_options, field)
static const struct command_option lab_option_rows[] = {
    { .name = "host",
      .argument = "HOST",
      .kind = OPTION_TEXT,
      AT(dir.host),
      .def = "api.example.com",
      .help = "the host that the certificates are for" },
    { .name = "seed",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(seed),
      .help = "the same keys, serial numbers and signatures every time (never for secrets)" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(now_s),
      .help = "count \"expired\" from then: 2026-11-21T10:00:00Z, +30d, @1764000000" },
    { .name = "ca-key",
      .argument = "KIND",
      .kind = OPTION_CUSTOM,
      .parse_cb = take_ca_key,
      .words_cb = lab_key_words,
      .def = "ecdsa-256",
      .help = "key of the authorities: ecdsa-256 ... ecdsa-521, rsa-2048 ..." },
    { .name = "no-large-rsa",
      .kind = OPTION_FLAG,
      AT(dir.no_large_rsa),
      .help = "leave out RSA keys of 3072 bits and more: they take a second or more" },
    { .name = "force",
      .kind = OPTION_FLAG,
      AT(dir.force),
      .help = "replace the lab in DIR; a directory that is no lab is never touched" },
    { .name = "list",
      .kind = OPTION_FLAG,
      AT(list),
      .help = "the profiles, authorities and trust stores; writes nothing" },
    { .name = "json", .kind = OPTION_FLAG, AT(json), .help = "the list as one JSON document" },
    { .name = NULL },
};
#undef AT
static const char *const lab_synopsis[] = { "[options] DIR", "--list [--json]", NULL };
static const char *const lab_examples[] = {
    "nlbsim lab --host orders.example.com pki",
    "openssl verify -CAfile pki/public.pem -untrusted pki/server/expired.pem "
    "pki/server/expired.pem",
    NULL
};

const struct command command_lab = {
    .name = "lab",
    .summary = "write the certificate lab: every sound and flawed certificate, trust stores, "
               "revocation lists",
    .run = lab_run,
    .synopsis = lab_synopsis,
    .about = "Writes the certificate lab: a public and a private authority, one certificate of "
             "every profile (sound or flawed) for one host, trust stores, revocation lists, and "
             "lab.json, which says what is what. In an INI file each profile is lab:PROFILE/HOST "
             "without any file. DIR is new or empty, or with --force one that holds a lab.",
    .options = lab_option_rows,
    .operand = "DIR",
    .operand_kind = OPERAND_DIR,
    .max_operands = 1,
    .examples = lab_examples,
};
