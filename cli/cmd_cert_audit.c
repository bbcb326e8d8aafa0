/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert audit: files, directories and INI files, looked at for what a validating client, an
 * NLB or a compliance rule would mind. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/audit/audit.h"
#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/store/trust_store.h"
#include "certs/x509/pem_file.h"
#include "cli/audit_ini.h"
#include "cli/audit_output.h"
#include "cli/cert.h"
#include "core/clock.h"
#include "core/foreign.h"

#define PATH_LEN  4096
#define DEPTH_MAX 16

struct seen {
    dev_t device;
    ino_t inode;
};

struct audit_run {
    struct command_line line;
    struct audit_options o;
    struct audit_report report;
    size_t looked_at;
    struct seen *seen; /* below directories */
    size_t n_seen;
    const char *store_spec, *truststore_spec, *host, *seed;
    struct cert_lab *lab;
    struct trust_store *trusted, *truststore;
    struct trust_anchors *anchors;
    struct audit_store store;
    bool json, sarif;
};

static int visit(struct audit_run *run, const char *path, int depth);

static bool has_ending(const char *name, const char *ending)
{
    size_t n = strlen(name), e = strlen(ending);

    return n > e && strcmp(name + n - e, ending) == 0;
}

static bool looks_like_certificate(const char *name)
{
    static const char *const endings[] = { ".pem", ".crt", ".cer", ".der", ".cert" };

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (has_ending(name, endings[i]))
            return true;
    }
    return false;
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Links are followed, so a directory may lead back to itself, and a file have several names: each
 * is looked at once. */
static bool is_new(struct audit_run *run, const struct stat *st, int *rc)
{
    struct seen *bigger;

    for (size_t i = 0; i < run->n_seen; i++) {
        if (run->seen[i].device == st->st_dev && run->seen[i].inode == st->st_ino)
            return false;
    }
    bigger = realloc(run->seen, (run->n_seen + 1) * sizeof *bigger);
    if (bigger == NULL) {
        *rc = 3;
        return false;
    }
    run->seen = bigger;
    run->seen[run->n_seen++] = (struct seen){ st->st_dev, st->st_ino };
    return true;
}

static int visit_dir(struct audit_run *run, const char *dir, int depth)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, not_hidden, alphasort), rc = 0;

    if (n < 0) {
        foreign_printf(stderr, "nlbsim cert audit: %s: %s\n", dir, strerror(errno));
        return 3;
    }
    for (int i = 0; i < n; i++) {
        char path[PATH_LEN];
        struct stat st;

        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (rc == 0 && stat(path, &st) == 0 &&
            (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && looks_like_certificate(path))) &&
            is_new(run, &st, &rc))
            rc = visit(run, path, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int audit_content(struct audit_run *run, const char *path, const char *text, size_t n,
                         bool named)
{
    struct err err = { 0 };
    int rc;

    if (has_ending(path, ".ini") || (named && audit_is_ini(text, n)))
        return audit_ini(&run->report, &run->o, path, text, n, &run->looked_at);
    rc = audit_file(&run->report, &run->o, path, text, n, run->trusted != NULL ? &run->store : NULL,
                    run->host, &err);
    if (rc < 0)
        return command_fail(&command_cert_audit, &err);
    run->looked_at += rc == 0;
    if (rc == 1 && named) {
        foreign_printf(stderr, "nlbsim cert audit: %s\n", err.text);
        return 2;
    }
    return 0;
}

/* "-" is standard input, a pipe like others: what it is, its content says. */
static int visit_file(struct audit_run *run, const char *path, bool named)
{
    struct err err = { 0 };
    size_t n = 0;
    char *text = pem_read(path, &n, &err);
    int status = text != NULL ? audit_content(run, path, text, n, named)
                              : command_fail(&command_cert_audit, &err);

    file_wipe(text, n);
    return status;
}

/* 0, or the exit status of what went wrong. */
static int visit(struct audit_run *run, const char *path, int depth)
{
    size_t before = run->looked_at;
    struct stat st;
    int rc;

    if (depth == 0 && strcmp(path, "-") == 0)
        return visit_file(run, path, true);
    if (stat(path, &st) != 0) {
        foreign_printf(stderr, "nlbsim cert audit: %s: %s\n", path, strerror(errno));
        return 3;
    }
    if (!S_ISDIR(st.st_mode))
        return visit_file(run, path, depth == 0);
    rc = depth < DEPTH_MAX ? visit_dir(run, path, depth) : 0;
    if (rc != 0 || depth > 0 || run->looked_at > before)
        return rc;
    foreign_printf(stderr, "nlbsim cert audit: %s: no certificate in it\n", path);
    return 2; /* a pipeline that audits the wrong directory must not pass */
}

static int make_lab(struct audit_run *run, const char *spec)
{
    struct err err = { 0 };

    if (run->lab != NULL || spec == NULL || !cert_spec_is_lab(spec))
        return 0;
    run->lab = cert_lab_new(run->seed, run->o.now_s, &err);
    return run->lab != NULL ? 0 : command_fail(&command_cert_audit, &err);
}

/* The truststore of a custom domain, which is looked at as well. */
static int load_truststore(struct audit_run *run)
{
    const char *spec = run->truststore_spec;
    struct err err = { 0 };
    struct stat st = { 0 };
    int rc = make_lab(run, spec);

    if (rc != 0 || spec == NULL)
        return rc;
    run->truststore = trust_store_load(spec, NULL, run->lab, &err);
    if (run->truststore == NULL)
        return command_fail(&command_cert_audit, &err);
    if (!cert_spec_is_lab(spec))
        (void)stat(spec, &st); /* of a pipe there is no size to tell */
    run->o.truststore = &run->truststore->list;
    run->looked_at++;
    return audit_truststore(&run->report, &run->o, spec, run->o.truststore, (size_t)st.st_size,
                            &err) == 0
               ? 0
               : command_fail(&command_cert_audit, &err);
}

static int load_store(struct audit_run *run)
{
    struct err err = { 0 };
    const char *spec = run->store_spec != NULL ? run->store_spec : "system";
    int rc = make_lab(run, spec);

    if (rc != 0 || strcmp(spec, "none") == 0)
        return rc;
    run->trusted = trust_store_load(spec, NULL, run->lab, &err);
    if (run->trusted == NULL && run->store_spec == NULL) {
        fprintf(stderr, "nlbsim cert audit: trust is not judged: %s\n", err.text);
        return 0;
    }
    if (run->trusted == NULL)
        return command_fail(&command_cert_audit, &err);
    run->anchors = trust_anchors_of(run->trusted, strcmp(spec, "system") == 0);
    run->store =
        (struct audit_store){ .name = spec, .list = &run->trusted->list, .anchors = run->anchors };
    return run->anchors != NULL ? 0 : 3;
}

static int print_report(const struct audit_run *run)
{
    if (run->json)
        return audit_print_json(&run->report, run->looked_at, stdout);
    if (run->sarif)
        return audit_print_sarif(&run->report, stdout);
    audit_print_text(&run->report, run->looked_at, stdout);
    return fflush(stdout) == 0 ? 0 : -1;
}

static int audit(struct audit_run *run, int n, char **paths)
{
    int rc = load_store(run);

    if (rc == 0)
        rc = load_truststore(run);
    for (int i = 0; i < n && rc == 0; i++)
        rc = visit(run, paths[i], 0);
    if (rc == 0)
        rc = print_report(run) != 0 ? 3 : run->report.n > 0;
    audit_report_clear(&run->report);
    free(run->seen);
    trust_anchors_free(run->anchors);
    trust_store_unref(run->trusted);
    trust_store_unref(run->truststore);
    cert_lab_free(run->lab);
    return rc;
}

static int audit_verb(int argc, char **argv)
{
    struct audit_run run = { .o = { .now_s = clock_wall_s() } };
    int status = command_read(&command_cert_audit, argc, argv, &run);

    if (status >= 0)
        return status;
    if (run.line.n_operands == 0 && run.truststore_spec == NULL)
        return command_misused(&run, "FILE, DIR or INI is missing");
    if (run.json && run.sarif)
        return command_misused(&run, "--json and --sarif exclude each other");
    return audit(&run, (int)run.line.n_operands, run.line.operands);
}

#define AT(field) .offset = offsetof(struct audit_run, field)
static const struct command_option audit_option_rows[] = {
    { .name = "days",
      .argument = "N",
      .kind = OPTION_UINT,
      AT(o.days),
      .max = 36500,
      .def = "30",
      .help = "rotation threshold" },
    { .name = "trust-store",
      .argument = "STORE",
      .kind = OPTION_FILE,
      AT(store_spec),
      .help = "for files: a PEM file, system (default), apigateway, lab:NAME with --seed, or none; "
              "an INI file "
              "has its own" },
    { .name = "truststore",
      .argument = "STORE",
      .kind = OPTION_FILE,
      AT(truststore_spec),
      .help =
          "of a custom domain with mutual TLS, a PEM file or lab:client with --seed: it is looked "
          "at too, and files are clients' certificates" },
    { .name = "host",
      .argument = "NAME",
      .kind = OPTION_TEXT,
      AT(host),
      .help = "for files: the host of the integration's uri" },
    { .name = "seed",
      .argument = "TEXT",
      .kind = OPTION_TEXT,
      AT(seed),
      .help = "the seed of the lab that lab:NAME means" },
    { .name = "at",
      .argument = "TIME",
      .kind = OPTION_TIME,
      AT(o.now_s),
      .help = "as of then: 2026-11-21T10:00:00Z, +30d, @1764000000" },
    { .name = "json", .kind = OPTION_FLAG, AT(json), .help = "one JSON document" },
    { .name = "sarif",
      .kind = OPTION_FLAG,
      AT(sarif),
      .help = "SARIF 2.1.0, for annotations in CI" },
    { .name = NULL },
};
#undef AT
static const char *const audit_synopsis[] = { "[options] FILE|DIR|INI...",
                                              "[options] --truststore STORE [CLIENT.pem...]",
                                              NULL };
static const char *const audit_examples[] = {
    "nlbsim cert audit --days 45 certs/ nlb.ini",
    "nlbsim cert audit --truststore truststore.pem client.pem", NULL
};

const struct command command_cert_audit = {
    .name = "cert audit",
    .summary = "what a validating client or an NLB would mind; exit status 1",
    .run = audit_verb,
    .synopsis = audit_synopsis,
    .about = "Looks for what API Gateway, an NLB or the usual compliance rules would mind: "
             "expired, soon to expire, incomplete or disordered chains, weak keys and hashes, keys "
             "a TLS listener does not take, names, private keys that others can read. Of an INI "
             "file (*.ini) every certificate is looked at in its place: whose it is, who validates "
             "it, for which host. - is certificates on standard input. With --truststore it "
             "says what the door of a custom domain says: which client gets in, and why another "
             "gets 403.",
    .options = audit_option_rows,
    .operand = "FILE, DIR or INI",
    .operand_kind = OPERAND_FILE,
    .max_operands = 100000,
    .notes = "Exit status: 0 nothing found, 1 something found, 2 usage or configuration, 3 cannot "
             "read.",
    .examples = audit_examples,
};
