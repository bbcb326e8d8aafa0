/* SPDX-License-Identifier: Apache-2.0
 * Stage client certificates in a directory, and their rotation. */
#include "certs/audit/client_store_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/lab/issue_key.h"
#include "certs/lab/lab.h"
#include "certs/x509/parse.h"
#include "core/foreign.h"

#define ID_LEN     6
#define ID_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

/* --- files --- */

const char *client_path(const struct client_store *s, const char *name, const char *ending,
                        char out[CLIENT_PATH_LEN])
{
    snprintf(out, CLIENT_PATH_LEN, "%s/%s%s", s->dir, name, ending);
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
    return file_write(marker, text, sizeof text - 1, 0, err);
}

struct client_store *client_store_open(const char *dir, bool create, struct err *err)
{
    struct client_store *s = calloc(1, sizeof *s);
    char marker[CLIENT_PATH_LEN];

    if (s == NULL || strlen(dir) >= sizeof s->dir) {
        err_set(err, ERR_NOMEM, "%s", dir);
        free(s);
        return NULL;
    }
    s->lock = -1;
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    client_path(s, CLIENT_STORE_MARKER, "", marker);
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

int client_write_json(const struct client_store *s, const char *name, const json_t *json,
                      struct err *err)
{
    char path[CLIENT_PATH_LEN], *text = foreign_dumps(json, JSON_INDENT(2));
    int rc = -1;

    if (text == NULL)
        err_set(err, ERR_NOMEM, "%s", name);
    else
        rc = file_write(client_path(s, name, ".json", path), text, strlen(text), FILE_REPLACE, err);
    free(text);
    return rc;
}

int client_write_pem(const struct client_store *s, const char *name, struct pem_text *text,
                     unsigned flags, struct err *err)
{
    char path[CLIENT_PATH_LEN];
    int rc = -1;

    if (text->bad)
        err_set(err, ERR_NOMEM, "%s", name);
    else
        rc = file_write(client_path(s, name, "", path), text->at, text->len, flags | FILE_REPLACE,
                        err);
    pem_text_clear(text);
    return rc;
}

bool client_is_id(const char *id)
{
    return strlen(id) == ID_LEN && strspn(id, ID_LETTERS) == ID_LEN;
}

/* --- the API's objects --- */

json_t *client_read_json(const char *path, struct err *err)
{
    size_t len = 0;
    char *text = pem_read(path, &len, err);
    json_error_t why;
    json_t *json;

    if (text == NULL)
        return NULL;
    json = json_loadb(text, len, 0, &why);
    if (json == NULL)
        err_set(err, ERR_FORMAT, "%s:%d: %s", path, why.line, why.text);
    file_wipe(text, len);
    return json;
}

/* The members that are read later are there, and are what the API says they are. */
static bool is_object_of(const json_t *object, const char *id)
{
    const char *named = json_string_value(json_object_get(object, "clientCertificateId"));
    const json_t *description = json_object_get(object, "description");

    return named != NULL && strcmp(named, id) == 0 &&
           json_is_integer(json_object_get(object, "createdDate")) &&
           json_is_integer(json_object_get(object, "expirationDate")) &&
           json_is_string(json_object_get(object, "pemEncodedCertificate")) &&
           (description == NULL || json_is_string(description));
}

json_t *client_store_get(struct client_store *s, const char *id, struct err *err)
{
    char path[CLIENT_PATH_LEN];
    json_t *object;

    if (!client_is_id(id) || access(client_path(s, id, ".json", path), F_OK) != 0) {
        err_set(err, ERR_USAGE, "no client certificate '%.40s' in %s", id, s->dir);
        return NULL;
    }
    object = client_read_json(path, err);
    if (object == NULL || is_object_of(object, id))
        return object;
    err_set(err, ERR_FORMAT,
            "%s: is no client certificate %s: clientCertificateId, createdDate, expirationDate or "
            "pemEncodedCertificate is missing or of another type; remove the file, or restore it",
            path, id);
    json_decref(object);
    return NULL;
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
        if (!client_is_id(id) || strcmp(entry->d_name + ID_LEN, ".json") != 0)
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
    char path[CLIENT_PATH_LEN];
    uint8_t octets[ID_LEN];
    int rc = issue_rng_init(&rng, seed, "client certificate id", err);

    if (rc != 0)
        return -1;
    do {
        rc = mbedtls_hmac_drbg_random(&rng, octets, sizeof octets);
        for (size_t i = 0; i < ID_LEN; i++)
            id[i] = ID_LETTERS[octets[i] % (sizeof ID_LETTERS - 1)];
        id[ID_LEN] = '\0';
    } while (rc == 0 && access(client_path(s, id, ".json", path), F_OK) == 0);
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
    if (client_write_pem(s, name, &pem, FILE_SECRET, err) != 0)
        goto fail;
    pem_put(&pem, "CERTIFICATE", item.chain[0]);
    snprintf(name, sizeof name, "%s.pem", id);
    if (client_write_pem(s, name, &pem, 0, err) != 0 || client_write_json(s, id, object, err) != 0)
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
