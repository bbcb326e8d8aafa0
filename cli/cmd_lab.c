/* SPDX-License-Identifier: Apache-2.0
 * nlbsim lab: write the certificate lab to disk, or list its profiles. */
#include <getopt.h>
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
#include "core/clock.h"

#define PROGRESS_AFTER_US 1000000U /* a progress bar for work over a second */
#define BAR_WIDTH         30

static const char help[] =
    "usage: nlbsim lab [options] DIR\n"
    "       nlbsim lab --list [--json]\n"
    "\n"
    "Write the certificate lab: a public and a private authority, one certificate of every "
    "profile\n"
    "(sound or flawed) for one host, trust stores, revocation lists, and lab.json, which says "
    "what\n"
    "is what. In an INI file each profile is lab:PROFILE/HOST without any file.\n"
    "\n"
    "  DIR              a new or empty directory, or with --force one that holds a lab\n"
    "  --host HOST      the host that the certificates are for (default api.example.com)\n"
    "  --seed TEXT      the same keys, serial numbers and signatures every time (never for "
    "secrets)\n"
    "  --at TIME        count \"expired\" from then: 2026-11-21T10:00:00Z, +30d, @1764000000\n"
    "  --ca-key KIND    key of the authorities: ecdsa-256 (default) ... ecdsa-521, rsa-2048 ...\n"
    "  --no-large-rsa   leave out RSA keys of 3072 bits and more: they take a second or more\n"
    "  --force          replace the lab in DIR; a directory that is no lab is never touched\n"
    "  --list           the profiles, authorities and trust stores; writes nothing\n"
    "  --json           the list as one JSON document\n"
    "  --help           this text\n"
    "\n"
    "example: nlbsim lab --host orders.example.com pki\n"
    "example: openssl verify -CAfile pki/public.pem -untrusted pki/server/expired.pem "
    "pki/server/expired.pem\n";

/* --- the list --- */

static void list_text(void)
{
    for (int side = LAB_SERVER; side <= LAB_CLIENT; side++) {
        printf("%s certificates, lab:PROFILE/HOST\n", side == LAB_SERVER ? "Server" : "\nClient");
        for (size_t i = 0; i < lab_n_profiles; i++) {
            if ((int)lab_profiles[i].side == side)
                printf("  %-40s %s\n", lab_profiles[i].name, lab_profiles[i].wrong);
        }
    }
    puts("\nTrust stores, lab:NAME");
    for (size_t i = 0; i < lab_n_stores; i++)
        printf("  %-40s %s\n", lab_stores[i].name, lab_stores[i].what);
    puts("\nAuthorities");
    for (size_t i = 0; i < lab_n_authorities; i++)
        printf("  %-40s %s\n", lab_authorities[i].name, lab_authorities[i].what);
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
    rc = json_dumpf(all, stdout, JSON_INDENT(1));
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

static int usage_error(const char *text)
{
    fprintf(stderr, "nlbsim lab: %s (nlbsim lab --help)\n", text);
    return 2;
}

int cmd_lab(int argc, char **argv)
{
    static const struct option options[] = {
        { "host", required_argument, NULL, 'H' },   { "seed", required_argument, NULL, 's' },
        { "at", required_argument, NULL, 'a' },     { "no-large-rsa", no_argument, NULL, 'n' },
        { "force", no_argument, NULL, 'f' },        { "list", no_argument, NULL, 'l' },
        { "ca-key", required_argument, NULL, 'k' }, { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },         { 0 },
    };
    struct lab_dir_options o = { .host = "api.example.com" };
    int64_t real_s = clock_wall_us() / 1000000, now_s = real_s;
    enum issue_key_kind ca_key = ISSUE_KEY_EC256;
    const char *seed = NULL;
    bool list = false, json = false;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'H':
            o.host = optarg;
            break;
        case 's':
            seed = optarg;
            break;
        case 'a':
            if (clock_parse_utc(optarg, real_s, &now_s) != 0)
                return usage_error("--at: not a time");
            break;
        case 'k':
            ca_key = issue_key_find(optarg);
            if (ca_key == ISSUE_KEY_N)
                return usage_error("--ca-key: no such kind of key (ecdsa-256, rsa-2048, ...)");
            break;
        case 'n':
            o.no_large_rsa = true;
            break;
        case 'f':
            o.force = true;
            break;
        case 'l':
            list = true;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            fputs("(nlbsim lab --help tells more)\n", stderr);
            return 2;
        }
    }
    if (list)
        return optind != argc ? usage_error("--list takes no directory")
               : json         ? list_json()
                              : (list_text(), 0);
    if (json)
        return usage_error("--json goes with --list");
    if (optind + 1 != argc)
        return usage_error("one directory is wanted");
    o.dir = argv[optind];
    return write_lab(&o, seed, now_s, ca_key);
}
