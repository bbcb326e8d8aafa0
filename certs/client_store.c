/* SPDX-License-Identifier: Apache-2.0
 * Stage client certificates in a directory, and their rotation. */
#include "certs/client_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/issue_key.h"
#include "certs/lab.h"
#include "certs/parse.h"
#include "certs/pem_file.h"

#define PATH_LEN   4096
#define ID_LEN     6
#define ID_MAX     16
#define ID_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

struct client_store {
    char dir[PATH_LEN - 64];
    int lock; /* on the marker file */
};

/* How far a rotation has come. An empty text: none. */
struct state {
    char current[ID_MAX], next[ID_MAX], previous[ID_MAX];
};

/* --- files ----------------------------------------------------------------------------------- */

static const char *path_of(const struct client_store *s, const char *name, const char *ending,
                           char out[PATH_LEN])
{
    snprintf(out, PATH_LEN, "%s/%s%s", s->dir, name, ending);
    return out;
}

static bool is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    if (d == NULL)
        return false;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n == 2; /* "." and ".." */
}

static int make_store(const struct client_store *s, const char *marker, struct err *err)
{
    static const char text[] = "Client certificates of 'nlbsim cert client'.\n";

    if (mkdir(s->dir, 0700) != 0 && errno != EEXIST) {
        err_set(err, ERR_ENVIRONMENT, "%s: cannot make the directory: %s", s->dir, strerror(errno));
        return -1;
    }
    if (!is_empty(s->dir)) {
        err_set(err, ERR_USAGE,
                "%s: is not empty and has no " CLIENT_STORE_MARKER
                " in it, so it is no store of client certificates; nothing was written",
                s->dir);
        return -1;
    }
    return pem_write(marker, text, sizeof text - 1, 0, err);
}

struct client_store *client_store_open(const char *dir, bool create, struct err *err)
{
    struct client_store *s = calloc(1, sizeof *s);
    char marker[PATH_LEN];

    if (s == NULL || strlen(dir) >= sizeof s->dir) {
        err_set(err, ERR_NOMEM, "%s", dir);
        free(s);
        return NULL;
    }
    s->lock = -1;
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    path_of(s, CLIENT_STORE_MARKER, "", marker);
    if (access(marker, F_OK) != 0) {
        if (!create)
            err_set(err, ERR_CONFIG, "%s: no store of client certificates (generate makes one)",
                    dir);
        if (!create || make_store(s, marker, err) != 0)
            goto fail;
    }
    s->lock = open(marker, O_RDONLY | O_CLOEXEC);
    if (s->lock < 0 || flock(s->lock, LOCK_EX) != 0) {
        err_set(err, ERR_ENVIRONMENT, "%s: cannot lock: %s", marker, strerror(errno));
        goto fail;
    }
    return s;
fail:
    client_store_close(s);
    return NULL;
}

void client_store_close(struct client_store *s)
{
    if (s == NULL)
        return;
    if (s->lock >= 0)
        close(s->lock);
    free(s);
}

static int write_json(const struct client_store *s, const char *name, const json_t *json,
                      struct err *err)
{
    char path[PATH_LEN], *text = json_dumps(json, JSON_INDENT(2));
    int rc = -1;

    if (text == NULL)
        err_set(err, ERR_NOMEM, "%s", name);
    else
        rc = pem_write(path_of(s, name, ".json", path), text, strlen(text), PEM_REPLACE, err);
    free(text);
    return rc;
}

static int write_pem(const struct client_store *s, const char *name, struct pem_text *text,
                     unsigned flags, struct err *err)
{
    char path[PATH_LEN];
    int rc = -1;

    if (text->bad)
        err_set(err, ERR_NOMEM, "%s", name);
    else
        rc = pem_write(path_of(s, name, "", path), text->at, text->len, flags | PEM_REPLACE, err);
    pem_text_clear(text);
    return rc;
}

/* Is this an identifier, and not a way out of the directory? */
static bool is_id(const char *id)
{
    return strlen(id) == ID_LEN && strspn(id, ID_LETTERS) == ID_LEN;
}

/* --- the API's objects ------------------------------------------------------------------------ */

json_t *client_store_get(struct client_store *s, const char *id, struct err *err)
{
    char path[PATH_LEN];
    json_error_t why;
    json_t *object;

    if (!is_id(id) || access(path_of(s, id, ".json", path), F_OK) != 0) {
        err_set(err, ERR_USAGE, "no client certificate '%.40s' in %s", id, s->dir);
        return NULL;
    }
    object = json_load_file(path, 0, &why);
    if (object == NULL)
        err_set(err, ERR_FORMAT, "%s:%d: %s", path, why.line, why.text);
    return object;
}

static int by_creation(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t dx = json_integer_value(json_object_get(x, "createdDate"));
    json_int_t dy = json_integer_value(json_object_get(y, "createdDate"));

    if (dx != dy)
        return dx < dy ? -1 : 1;
    return strcmp(json_string_value(json_object_get(x, "clientCertificateId")),
                  json_string_value(json_object_get(y, "clientCertificateId")));
}

/* Every object of the directory into `out` (borrowed by nobody: the caller owns each). */
static int read_all(struct client_store *s, json_t *out[CLIENT_STORE_MAX], size_t *n,
                    struct err *err)
{
    const struct dirent *entry;
    DIR *d = opendir(s->dir);
    int rc = 0;

    *n = 0;
    if (d == NULL) {
        err_set(err, ERR_ENVIRONMENT, "%s: cannot read the directory: %s", s->dir, strerror(errno));
        return -1;
    }
    while (rc == 0 && *n < CLIENT_STORE_MAX && (entry = readdir(d)) != NULL) {
        char id[ID_LEN + 1];

        snprintf(id, sizeof id, "%.*s", ID_LEN, entry->d_name);
        if (!is_id(id) || strcmp(entry->d_name + ID_LEN, ".json") != 0)
            continue;
        out[*n] = client_store_get(s, id, err);
        if (out[*n] == NULL)
            rc = -1;
        else
            (*n)++;
    }
    closedir(d);
    if (rc == 0)
        qsort(out, *n, sizeof *out, by_creation);
    return rc;
}

json_t *client_store_list(struct client_store *s, struct err *err)
{
    json_t *all[CLIENT_STORE_MAX], *items = json_array(), *list = NULL;
    size_t n;
    int rc = read_all(s, all, &n, err);

    for (size_t i = 0; i < n; i++)
        json_array_append_new(items, all[i]);
    if (rc == 0)
        list = json_pack("{s:O}", "items", items);
    json_decref(items);
    return list;
}

static int check_quota(struct client_store *s, struct err *err)
{
    json_t *list = client_store_list(s, err);
    size_t n = json_array_size(json_object_get(list, "items"));

    if (list == NULL)
        return -1;
    json_decref(list);
    if (n < CLIENT_STORE_MAX)
        return 0;
    err_set(
        err, ERR_USAGE,
        "%s: holds %d client certificates, as many as API Gateway allows per account and region",
        s->dir, CLIENT_STORE_MAX);
    return -1;
}

/* An identifier that is not taken: "abc123". */
static int new_id(const struct client_store *s, const char *seed, char id[ID_LEN + 1],
                  struct err *err)
{
    mbedtls_hmac_drbg_context rng;
    char path[PATH_LEN];
    uint8_t octets[ID_LEN];
    int rc = issue_rng_init(&rng, seed, "client certificate id", err);

    if (rc != 0)
        return -1;
    do {
        rc = mbedtls_hmac_drbg_random(&rng, octets, sizeof octets);
        for (size_t i = 0; i < ID_LEN; i++)
            id[i] = ID_LETTERS[octets[i] % (sizeof ID_LETTERS - 1)];
        id[ID_LEN] = '\0';
    } while (rc == 0 && access(path_of(s, id, ".json", path), F_OK) == 0);
    issue_rng_free(&rng);
    if (rc != 0)
        err_set(err, ERR_CRYPTO, "no random numbers for an identifier");
    return rc;
}

static json_t *object_of(const char *id, const char *description, const struct cert_lab_item *item)
{
    struct cert_facts *facts = cert_facts_new(item->chain[0].at, item->chain[0].len);
    struct pem_text pem = { 0 };
    json_t *object = NULL;

    pem_put(&pem, "CERTIFICATE", item->chain[0]);
    if (facts != NULL && !pem.bad)
        object = json_pack("{s:s, s:I, s:I, s:s}", "clientCertificateId", id, "createdDate",
                           (json_int_t)facts->not_before_utc, "expirationDate",
                           (json_int_t)facts->not_after_utc, "pemEncodedCertificate", pem.at);
    if (object != NULL && description != NULL)
        json_object_set_new(object, "description", json_string(description));
    pem_text_clear(&pem);
    cert_facts_free(facts);
    return object;
}

static json_t *generate_in(struct client_store *s, struct cert_lab *lab, const char *id,
                           const char *description, struct err *err)
{
    struct cert_lab_item item;
    struct pem_text pem = { 0 };
    char name[ID_LEN + 8];
    json_t *object;

    if (cert_lab_issue(lab, "stage-client", id, &item, err) != 0)
        return NULL;
    object = object_of(id, description, &item);
    if (object == NULL) {
        err_set(err, ERR_NOMEM, "client certificate (is the description UTF-8?)");
        return NULL;
    }
    pem_put_key(&pem, item.key);
    snprintf(name, sizeof name, "%s.key", id);
    if (write_pem(s, name, &pem, PEM_SECRET, err) != 0)
        goto fail;
    pem_put(&pem, "CERTIFICATE", item.chain[0]);
    snprintf(name, sizeof name, "%s.pem", id);
    if (write_pem(s, name, &pem, 0, err) != 0 || write_json(s, id, object, err) != 0)
        goto fail;
    return object;
fail:
    json_decref(object);
    return NULL;
}

json_t *client_store_generate(struct client_store *s, const char *description, const char *seed,
                              int64_t now_s, struct err *err)
{
    struct cert_lab *lab;
    json_t *object = NULL;
    char id[ID_LEN + 1];

    if (check_quota(s, err) != 0 || new_id(s, seed, id, err) != 0)
        return NULL;
    lab = cert_lab_new(seed, now_s, err);
    if (lab != NULL)
        object = generate_in(s, lab, id, description, err);
    cert_lab_free(lab);
    return object;
}

/* --- rotation -------------------------------------------------------------------------------- */

static void read_text(const json_t *json, const char *key, char out[ID_MAX])
{
    const char *text = json_string_value(json_object_get(json, key));

    snprintf(out, ID_MAX, "%s", text != NULL && is_id(text) ? text : "");
}

/* A state that cannot be read is never taken for an empty one: the backend would then come to
 * accept the new certificate only, while the stage still presents the old one. */
static int read_state(const struct client_store *s, struct state *st, struct err *err)
{
    char path[PATH_LEN];
    json_error_t why;
    json_t *json;

    memset(st, 0, sizeof *st);
    if (access(path_of(s, "state", ".json", path), F_OK) != 0) {
        if (access(path_of(s, "current.pem", "", path), F_OK) != 0)
            return 0; /* nothing was rotated yet */
        err_set(err, ERR_FORMAT, "%s/state.json is missing, though there is a current.pem", s->dir);
        return -1;
    }
    json = json_load_file(path, 0, &why);
    if (json == NULL) {
        err_set(err, ERR_FORMAT, "%s:%d: %s", path, why.line, why.text);
        return -1;
    }
    read_text(json, "current", st->current);
    read_text(json, "next", st->next);
    read_text(json, "previous", st->previous);
    json_decref(json);
    return 0;
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static json_t *state_json(const struct state *st)
{
    const char *ids[] = { st->current, st->next, st->previous };
    json_t *accepted = json_array();

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (ids[i][0] != '\0')
            json_array_append_new(accepted, json_string(ids[i]));
    }
    return json_pack("{s:s?, s:s?, s:s?, s:o}", "current", or_null(st->current), "next",
                     or_null(st->next), "previous", or_null(st->previous), "accepted", accepted);
}

static int write_state(const struct client_store *s, const struct state *st, struct err *err)
{
    json_t *json = state_json(st);
    int rc = write_json(s, "state", json, err);

    json_decref(json);
    return rc;
}

static int append_file(const struct client_store *s, const char *id, const char *ending,
                       struct pem_text *out, struct err *err)
{
    char path[PATH_LEN];
    size_t len = 0;
    char *text = pem_read(path_of(s, id, ending, path), &len, err);

    if (text == NULL)
        return -1;
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    pem_put_line(out, text);
    pem_wipe(text, len);
    return 0;
}

/* accepted.pem: every certificate of the state. */
static int write_accepted(const struct client_store *s, const struct state *st, struct err *err)
{
    const char *ids[] = { st->current, st->next, st->previous };
    struct pem_text text = { 0 };

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (ids[i][0] != '\0' && append_file(s, ids[i], ".pem", &text, err) != 0) {
            pem_text_clear(&text);
            return -1;
        }
    }
    return write_pem(s, "accepted.pem", &text, 0, err);
}

static int write_current(const struct client_store *s, const struct state *st, struct err *err)
{
    struct pem_text text = { 0 };

    if (append_file(s, st->current, ".pem", &text, err) != 0 ||
        append_file(s, st->current, ".key", &text, err) != 0) {
        pem_text_clear(&text);
        return -1;
    }
    return write_pem(s, "current.pem", &text, PEM_SECRET, err);
}

static int remove_files(struct client_store *s, const char *id, struct err *err)
{
    static const char *const endings[] = { ".key", ".pem", ".json" };
    char path[PATH_LEN];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (unlink(path_of(s, id, endings[i], path)) != 0 && errno != ENOENT) {
            err_set(err, ERR_ENVIRONMENT, "%s: cannot delete: %s", path, strerror(errno));
            return -1;
        }
    }
    return 0;
}

int client_store_delete(struct client_store *s, const char *id, struct err *err)
{
    json_t *object = client_store_get(s, id, err);
    struct state st;

    if (object == NULL)
        return -1;
    json_decref(object);
    if (read_state(s, &st, err) != 0)
        return -1;
    if (strcmp(id, st.current) == 0 || strcmp(id, st.next) == 0 || strcmp(id, st.previous) == 0) {
        err_set(err, ERR_USAGE, "client certificate %s is in use (%s); rotate first", id,
                strcmp(id, st.current) == 0 ? "the stage presents it" : "the backend accepts it");
        return -1;
    }
    return remove_files(s, id, err);
}

const char *client_step_name(enum client_step step)
{
    switch (step) {
    case CLIENT_STEP_ACCEPT:
        return "accept";
    case CLIENT_STEP_SWITCH:
        return "switch";
    case CLIENT_STEP_REMOVE:
        return "remove";
    }
    return "?";
}

/* Make a certificate; the backend accepts it beside the old one before anybody presents it. */
static int step_accept(struct client_store *s, struct state *st, const char *description,
                       const char *seed, int64_t now_s, struct err *err)
{
    json_t *made = client_store_generate(s, description, seed, now_s, err);

    if (made == NULL)
        return -1;
    read_text(made, "clientCertificateId", st->next);
    json_decref(made);
    return write_accepted(s, st, err) != 0 ? -1 : write_state(s, st, err);
}

/* The stage presents the new one. accepted.pem is written again first: an earlier run may have been
 * interrupted. */
static int step_switch(struct client_store *s, struct state *st, struct err *err)
{
    if (write_accepted(s, st, err) != 0)
        return -1;
    memcpy(st->previous, st->current, ID_MAX);
    memcpy(st->current, st->next, ID_MAX);
    st->next[0] = '\0';
    return write_current(s, st, err) != 0 ? -1 : write_state(s, st, err);
}

/* Nobody presents the old one any more: the backend need not accept it. The state goes first, so
 * that an interrupted removal leaves files, never a pin on a certificate that is gone. */
static int step_remove(struct client_store *s, struct state *st, struct err *err)
{
    char old[ID_MAX];

    memcpy(old, st->previous, ID_MAX);
    st->previous[0] = '\0';
    if (write_current(s, st, err) != 0 || write_accepted(s, st, err) != 0 ||
        write_state(s, st, err) != 0)
        return -1;
    return remove_files(s, old, err);
}

json_t *client_store_rotate(struct client_store *s, const char *description, const char *seed,
                            int64_t now_s, enum client_step *step, struct err *err)
{
    struct state st;
    json_t *json;
    int rc;

    if (read_state(s, &st, err) != 0)
        return NULL;
    if (st.previous[0] != '\0') {
        *step = CLIENT_STEP_REMOVE;
        rc = step_remove(s, &st, err);
    } else if (st.next[0] != '\0') {
        *step = CLIENT_STEP_SWITCH;
        rc = step_switch(s, &st, err);
    } else {
        *step = CLIENT_STEP_ACCEPT;
        rc = step_accept(s, &st, description, seed, now_s, err);
    }
    if (rc != 0)
        return NULL;
    json = state_json(&st);
    json_object_set_new(json, "step", json_string(client_step_name(*step)));
    return json;
}
