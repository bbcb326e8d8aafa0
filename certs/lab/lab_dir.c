/* SPDX-License-Identifier: Apache-2.0
 * Write a whole certificate lab to disk. */
#include "certs/lab/lab_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/lab/lab_issue.h"
#include "certs/x509/pem_file.h"
#include "core/clock.h"
#include "core/foreign.h"

#define PATH_LEN 4096

struct writing {
    int dir; /* where `name`s below count from: no symbolic link in it is followed */
    struct cert_lab *lab;
    const struct lab_dir_options *o;
    struct lab_dir_summary *summary;
    json_t *manifest;
    struct err *err;
};

/* --- the directory --- */

/* 1 when there is nothing in it, 0 when there is, -1 when it cannot be read. */
static int is_empty(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int empty = 1;

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = 0;
    }
    closedir(d);
    return empty;
}

static int open_dir(const char *path, struct err *err)
{
    size_t n = strlen(path);
    char own[PATH_LEN];
    int dir;

    while (n > 1 && path[n - 1] == '/') /* "pki/" would be followed where "pki" is not */
        n--;
    snprintf(own, sizeof own, "%.*s", (int)n, path);
    if (mkdir(own, 0755) != 0 && errno != EEXIST) {
        err_set(err, ERR_ENVIRONMENT, "%s: cannot make the directory: %s", path, strerror(errno));
        return -1;
    }
    dir = open(own, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        err_set(err, ERR_ENVIRONMENT, "%s: %s", path,
                errno == ENOTDIR || errno == ELOOP
                    ? "is a symbolic link or a file; name the directory itself"
                    : strerror(errno));
    return dir;
}

/* May this directory be written into? */
static int check_dir(const struct lab_dir_options *o, int dir, struct err *err)
{
    int empty = is_empty(dir);

    if (empty < 0) {
        err_set(err, ERR_ENVIRONMENT, "%s: cannot read the directory: %s", o->dir, strerror(errno));
        return -1;
    }
    if (empty == 0 && faccessat(dir, LAB_DIR_MARKER, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        err_set(err, ERR_USAGE,
                "%s: is not empty and has no " LAB_DIR_MARKER
                " in it, so it is no certificate lab; nothing was written (take a new directory)",
                o->dir);
        return -1;
    }
    if (empty == 0 && !o->force) {
        err_set(err, ERR_USAGE, "%s: holds a certificate lab already (--force replaces it)",
                o->dir);
        return -1;
    }
    return 0;
}

/* Before anything is written: a folder that is somebody's link stops the whole. */
static int make_folders(const struct writing *w)
{
    static const char *const folders[] = { "server", "client", "ca", "crl" };

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int fd = file_dir_in(w->dir, folders[i], true);

        if (fd < 0) {
            err_set(w->err, ERR_ENVIRONMENT, "%s/%s: %s", w->o->dir, folders[i],
                    errno == ENOTDIR || errno == ELOOP
                        ? "is a symbolic link or a file, and a lab is not written through it; "
                          "nothing was written"
                        : strerror(errno));
            return -1;
        }
        close(fd);
    }
    return 0;
}

static int write_file(struct writing *w, const char *name, const char *text, size_t len,
                      unsigned flags)
{
    int rc = file_write_in(w->dir, name, text, len,
                           flags | FILE_LAZY | (w->o->force ? FILE_REPLACE : 0U), w->err);

    w->summary->files++;
    if (rc != 0)
        err_prefix(w->err, "%s/%s", w->o->dir, name);
    return rc;
}

static int write_pem(struct writing *w, const char *name, struct pem_text *text, unsigned flags)
{
    int rc = -1;

    if (text->bad)
        err_set(w->err, ERR_NOMEM, "%s", name);
    else
        rc = write_file(w, name, text->at, text->len, flags);
    pem_text_clear(text);
    return rc;
}

/* NAME.pem and NAME.key. */
static int write_pair(struct writing *w, const char *name, const struct cert_lab_item *item)
{
    struct pem_text text = { 0 };
    char file[256];

    for (size_t i = 0; i < item->chain_len; i++)
        pem_put(&text, "CERTIFICATE", item->chain[i]);
    snprintf(file, sizeof file, "%s.pem", name);
    if (write_pem(w, file, &text, 0) != 0)
        return -1;
    pem_put_key(&text, item->key);
    snprintf(file, sizeof file, "%s.key", name);
    return write_pem(w, file, &text, FILE_SECRET);
}

/* --- what is in it --- */

static const char *folder_of(const struct lab_profile *p)
{
    return p->side == LAB_SERVER ? "server" : "client";
}

/* Left out now, though an earlier lab in this directory may have had it: a key that no longer fits
 * the authorities would mislead. */
static void skip_profile(struct writing *w, const struct lab_profile *p)
{
    static const char *const endings[] = { "pem", "key", "root.pem" };
    char file[160];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(file, sizeof file, "%s/%s.%s", folder_of(p), p->name, endings[i]);
        file_remove_in(w->dir, file);
    }
    w->summary->skipped++;
}

static int write_profile(struct writing *w, const struct lab_profile *p)
{
    struct cert_lab_item item;
    struct pem_text text = { 0 };
    char name[128], file[160];
    json_t *row;

    if (cert_lab_issue(w->lab, p->name, w->o->host, &item, w->err) != 0)
        return -1;
    snprintf(name, sizeof name, "%s/%s", folder_of(p), p->name);
    if (write_pair(w, name, &item) != 0)
        return -1;
    pem_put(&text, "CERTIFICATE", item.root);
    snprintf(file, sizeof file, "%s.root.pem", name);
    if (write_pem(w, file, &text, 0) != 0)
        return -1;
    w->summary->profiles++;
    row = json_pack("{s:s, s:s, s:s, s:s, s:s+, s:s?, s:s?, s:s, s:s+, s:s+, s:s+}", "profile",
                    p->name, "side", folder_of(p), "wrong", p->wrong, "hop", p->hop, "trust_store",
                    p->store, ".pem", "says", p->says, "badssl", p->badssl, "source", p->source,
                    "certificate", name, ".pem", "key", name, ".key", "root", name, ".root.pem");
    return json_array_append_new(json_object_get(w->manifest, "profiles"), row);
}

/* The dearest key that a profile needs, its issuer's or its own; kinds are numbered by cost. */
static int cost_of(const struct lab_profile *p)
{
    const struct lab_authority *issuer = lab_authority_find(lab_profile_issuer(p));
    int issuer_cost = issuer != NULL ? (int)issuer->key : 0;

    return (int)p->key > issuer_cost ? (int)p->key : issuer_cost;
}

static int by_cost(const void *a, const void *b)
{
    const struct lab_profile *p = *(const struct lab_profile *const *)a;
    const struct lab_profile *q = *(const struct lab_profile *const *)b;
    int pc = cost_of(p), qc = cost_of(q);

    return pc != qc ? pc - qc : p < q ? -1 : p > q;
}

/* Every profile, the cheap ones first: while they are written, threads look for the RSA keys. */
static int write_profiles(struct writing *w)
{
    const struct lab_profile **wanted = calloc(lab_n_profiles, sizeof *wanted);
    size_t n = 0;
    int rc = -1;

    if (wanted == NULL) {
        err_set(w->err, ERR_NOMEM, "profiles");
        return -1;
    }
    for (size_t i = 0; i < lab_n_profiles; i++) {
        if (w->o->no_large_rsa && issue_key_is_large_rsa(lab_profiles[i].key))
            skip_profile(w, &lab_profiles[i]);
        else
            wanted[n++] = &lab_profiles[i];
    }
    if (cert_lab_prepare(w->lab, wanted, n, w->o->host, w->err) != 0)
        goto out;
    qsort(wanted, n, sizeof *wanted, by_cost);
    for (size_t i = 0; i < n; i++) {
        if (w->o->progress_cb != NULL)
            w->o->progress_cb(w->o->progress_arg, i, n, wanted[i]->name);
        if (write_profile(w, wanted[i]) != 0)
            goto out;
    }
    if (w->o->progress_cb != NULL)
        w->o->progress_cb(w->o->progress_arg, n, n, "");
    rc = 0;
out:
    free(wanted);
    return rc;
}

static int write_stores(struct writing *w)
{
    for (size_t i = 0; i < lab_n_stores; i++) {
        struct der_span anchors[CERT_LAB_CHAIN_MAX];
        struct pem_text text = { 0 };
        char file[128];
        size_t n;

        if (cert_lab_store(w->lab, lab_stores[i].name, anchors, &n, w->err) != 0)
            return -1;
        for (size_t k = 0; k < n; k++)
            pem_put(&text, "CERTIFICATE", anchors[k]);
        snprintf(file, sizeof file, "%s.pem", lab_stores[i].name);
        if (write_pem(w, file, &text, 0) != 0)
            return -1;
        if (json_array_append_new(json_object_get(w->manifest, "stores"),
                                  json_pack("{s:s, s:s, s:s}", "store", lab_stores[i].name, "what",
                                            lab_stores[i].what, "file", file)) != 0)
            return -1;
    }
    return 0;
}

static int write_crl(struct writing *w, const struct lab_authority *row, json_t *entry)
{
    struct pem_text text = { 0 };
    char file[128];
    uint8_t *der;
    size_t len;

    if (cert_lab_crl(w->lab, row->name, &der, &len, w->err) != 0)
        return -1;
    pem_put(&text, "X509 CRL", der_span_of(der, len));
    free(der);
    snprintf(file, sizeof file, "crl/%s.pem", row->name);
    if (json_object_set_new(entry, "crl", json_string(file)) != 0)
        return -1;
    return write_pem(w, file, &text, 0);
}

static int write_authorities(struct writing *w)
{
    for (size_t i = 0; i < lab_n_authorities; i++) {
        const struct lab_authority *row = &lab_authorities[i];
        struct cert_lab_item item;
        char name[96];
        json_t *entry;

        if (cert_lab_authority(w->lab, row->name, w->o->host, &item, w->err) != 0)
            return -1;
        item.chain_len = 1;
        snprintf(name, sizeof name, "ca/%s", row->name);
        if (write_pair(w, name, &item) != 0)
            return -1;
        entry = json_pack("{s:s, s:s, s:s?, s:s+, s:s+}", "authority", row->name, "what", row->what,
                          "issuer", row->issuer, "certificate", name, ".pem", "key", name, ".key");
        if (entry == NULL || (row->crl && write_crl(w, row, entry) != 0) ||
            json_array_append_new(json_object_get(w->manifest, "authorities"), entry) != 0)
            return -1;
    }
    return 0;
}

static int write_manifest(struct writing *w)
{
    char *text = foreign_dumps(w->manifest, JSON_INDENT(1));
    int rc = -1;

    if (text != NULL)
        rc = write_file(w, "lab.json", text, strlen(text), 0);
    free(text);
    return rc;
}

static json_t *new_manifest(struct cert_lab *lab, const char *host)
{
    char now[24];

    clock_format_utc(cert_lab_now(lab), now, sizeof now);
    return json_pack("{s:s, s:s, s:s+, s:[], s:[], s:[]}", "nlbsim", NLB_VERSION, "host", host,
                     "now", now, "Z", "profiles", "stores", "authorities");
}

int lab_dir_write(struct cert_lab *lab, const struct lab_dir_options *o,
                  struct lab_dir_summary *summary, struct err *err)
{
    static const char marker[] =
        "This directory was written by 'nlbsim lab' and may be replaced by "
        "it.\nNothing in it is to be trusted outside of tests.\n";
    struct writing w = { .lab = lab, .o = o, .summary = summary, .err = err };
    int rc = -1;

    memset(summary, 0, sizeof *summary);
    err_set(err, ERR_NOMEM, "certificate lab");
    if (lab_host_check(o->host, err) != 0)
        return -1;
    w.dir = open_dir(o->dir, err);
    if (w.dir < 0)
        return -1;
    if (check_dir(o, w.dir, err) != 0 || make_folders(&w) != 0)
        goto out;
    w.manifest = new_manifest(lab, o->host);
    if (w.manifest != NULL && write_file(&w, LAB_DIR_MARKER, marker, sizeof marker - 1, 0) == 0 &&
        write_profiles(&w) == 0 && write_stores(&w) == 0 && write_authorities(&w) == 0 &&
        write_manifest(&w) == 0)
        rc = 0;
out:
    json_decref(w.manifest);
    close(w.dir);
    return rc;
}
