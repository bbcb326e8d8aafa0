/* SPDX-License-Identifier: Apache-2.0
 * nlbsim cert audit: files, directories and INI files, looked at for what a validating client, an
 * NLB or a compliance rule would mind. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/audit/audit.h"
#include "certs/judge/trust.h"
#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "cli/audit_ini.h"
#include "cli/audit_output.h"
#include "cli/cert.h"
#include "core/clock.h"

#define DEFAULT_DAYS 30
#define PATH_LEN     4096
#define DEPTH_MAX    16

static const char help[] =
    "usage: nlbsim cert audit [options] FILE|DIR|INI...\n"
    "\n"
    "Look for what API Gateway, an NLB or the usual compliance rules would mind: expired, soon to\n"
    "expire, incomplete or disordered chains, weak keys and hashes, keys a TLS listener does not\n"
    "take, names, private keys that others can read. Of an INI file (*.ini) every certificate is\n"
    "looked at in its place: whose it is, who validates it, for which host.\n"
    "\n"
    "  --days N             rotation threshold (default 30)\n"
    "  --trust-store STORE  for files: a PEM file, system (default), lab:NAME with --seed, or "
    "none;\n"
    "                       an INI file has its own\n"
    "  --host NAME          for files: the host of the integration's uri\n"
    "  --seed TEXT          the seed of the lab that lab:NAME means\n"
    "  --at TIME            as of then: 2026-11-21T10:00:00Z, +30d, @1764000000\n"
    "  --json               one JSON document\n"
    "  --sarif              SARIF 2.1.0, for annotations in CI\n"
    "  --help               this text\n"
    "\n"
    "exit status: 0 nothing found, 1 something found, 2 usage or configuration, 3 cannot read\n"
    "\n"
    "example: nlbsim cert audit --days 45 certs/ nlb.ini\n";

struct audit_run {
    struct audit_options o;
    struct audit_report report;
    size_t looked_at;
    const char *store_spec, *host, *seed;
    struct cert_lab *lab;
    struct trust_store *bundle;
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

static int visit_dir(struct audit_run *run, const char *dir, int depth)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, not_hidden, alphasort), rc = 0;

    if (n < 0) {
        fprintf(stderr, "nlbsim cert audit: %s: %s\n", dir, strerror(errno));
        return 3;
    }
    for (int i = 0; i < n; i++) {
        char path[PATH_LEN];
        struct stat st;

        snprintf(path, sizeof path, "%s/%s", dir, entries[i]->d_name);
        if (rc == 0 && lstat(path, &st) == 0 &&
            (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && looks_like_certificate(path))))
            rc = visit(run, path, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int visit_file(struct audit_run *run, const char *path, bool named)
{
    struct err err = { 0 };
    int rc = audit_file(&run->report, &run->o, path, run->bundle != NULL ? &run->store : NULL,
                        run->host, &err);

    if (rc < 0)
        return cert_fail("audit", &err);
    run->looked_at += rc == 0;
    if (rc == 1 && named) {
        fprintf(stderr, "nlbsim cert audit: %s: no certificate in it\n", path);
        return 2;
    }
    return 0;
}

/* 0, or the exit status of what went wrong. */
static int visit(struct audit_run *run, const char *path, int depth)
{
    size_t before = run->looked_at;
    struct stat st;
    int rc;

    if (stat(path, &st) != 0) {
        fprintf(stderr, "nlbsim cert audit: %s: %s\n", path, strerror(errno));
        return 3;
    }
    if (S_ISDIR(st.st_mode)) {
        rc = depth < DEPTH_MAX ? visit_dir(run, path, depth) : 0;
        if (rc != 0 || depth > 0 || run->looked_at > before)
            return rc;
        fprintf(stderr, "nlbsim cert audit: %s: no certificate in it\n", path);
        return 2; /* a pipeline that audits the wrong directory must not pass */
    }
    if (has_ending(path, ".ini"))
        return audit_ini(&run->report, &run->o, path, &run->looked_at);
    return visit_file(run, path, depth == 0);
}

static int load_store(struct audit_run *run)
{
    struct err err = { 0 };
    const char *spec = run->store_spec != NULL ? run->store_spec : "system";

    if (strcmp(spec, "none") == 0)
        return 0;
    if (cert_spec_is_lab(spec)) {
        run->lab = cert_lab_new(run->seed, run->o.now_s, &err);
        if (run->lab == NULL)
            return cert_fail("audit", &err);
    }
    run->bundle = trust_store_load(spec, NULL, run->lab, &err);
    if (run->bundle == NULL && run->store_spec == NULL) {
        fprintf(stderr, "nlbsim cert audit: trust is not judged: %s\n", err.text);
        return 0;
    }
    if (run->bundle == NULL)
        return cert_fail("audit", &err);
    run->anchors =
        trust_anchors_new(run->bundle->list.at, run->bundle->list.n, strcmp(spec, "system") == 0);
    run->store =
        (struct audit_store){ .name = spec, .list = &run->bundle->list, .anchors = run->anchors };
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

    for (int i = 0; i < n && rc == 0; i++)
        rc = visit(run, paths[i], 0);
    if (rc == 0)
        rc = print_report(run) != 0 ? 3 : run->report.n > 0;
    audit_report_clear(&run->report);
    trust_anchors_free(run->anchors);
    trust_store_unref(run->bundle);
    cert_lab_free(run->lab);
    return rc;
}

int cert_cmd_audit(int argc, char **argv)
{
    static const struct option options[] = {
        { "days", required_argument, NULL, 'd' },
        { "trust-store", required_argument, NULL, 't' },
        { "host", required_argument, NULL, 'H' },
        { "seed", required_argument, NULL, 's' },
        { "at", required_argument, NULL, 'a' },
        { "json", no_argument, NULL, 'j' },
        { "sarif", no_argument, NULL, 'S' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct audit_run run = { .o = { .now_s = clock_wall_us() / 1000000, .days = DEFAULT_DAYS } };
    char *end;
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            run.o.days = (unsigned)strtoul(optarg, &end, 10);
            if (*optarg < '0' || *optarg > '9' || *end != '\0' || run.o.days > 36500)
                return cert_usage("audit", "--days: 0 to 36500");
            break;
        case 't':
            run.store_spec = optarg;
            break;
        case 'H':
            run.host = optarg;
            break;
        case 's':
            run.seed = optarg;
            break;
        case 'a':
            if (cert_parse_at("audit", optarg, &run.o.now_s) != 0)
                return 2;
            break;
        case 'j':
            run.json = true;
            break;
        case 'S':
            run.sarif = true;
            break;
        case 'h':
            fputs(help, stdout);
            return 0;
        default:
            return cert_try_help("audit");
        }
    }
    if (optind == argc)
        return cert_usage("audit", "at least one FILE, DIR or INI file is wanted");
    if (run.json && run.sarif)
        return cert_usage("audit", "--json and --sarif exclude each other");
    return audit(&run, argc - optind, argv + optind);
}
