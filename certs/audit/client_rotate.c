/* SPDX-License-Identifier: Apache-2.0
 * Rotation of stage client certificates: its state and its steps. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "certs/audit/client_store_impl.h"

#define ID_MAX 16 /* an identifier with its terminator, and more */

/* How far a rotation has come. An empty text: none. */
struct state {
    char current[ID_MAX], next[ID_MAX], previous[ID_MAX];
};

/* An identifier, or null where there is none; false for anything else. */
static bool read_id(const json_t *json, const char *key, char out[ID_MAX])
{
    const json_t *value = json_object_get(json, key);
    const char *text = json_string_value(value);

    out[0] = '\0';
    if (text != NULL && client_is_id(text))
        snprintf(out, ID_MAX, "%s", text);
    return out[0] != '\0' || json_is_null(value);
}

/* A state that cannot be read is never taken for an empty one: the backend would then come to
 * accept the new certificate only, while the stage still presents the old one. */
static int read_state(const struct client_store *s, struct state *st, struct err *err)
{
    char path[CLIENT_PATH_LEN];
    json_t *json;
    bool sound;

    memset(st, 0, sizeof *st);
    if (access(client_path(s, "state", ".json", path), F_OK) != 0) {
        if (access(client_path(s, "current.pem", "", path), F_OK) != 0)
            return 0; /* nothing was rotated yet */
        err_set(err, ERR_FORMAT, "%s/state.json is missing, though there is a current.pem", s->dir);
        return -1;
    }
    json = client_read_json(path, err);
    if (json == NULL)
        return -1;
    sound = read_id(json, "current", st->current) && read_id(json, "next", st->next) &&
            read_id(json, "previous", st->previous);
    json_decref(json);
    if (sound)
        return 0;
    err_set(err, ERR_FORMAT,
            "%s: is no state of a rotation: current, next and previous each hold an identifier or "
            "null; restore the file",
            path);
    return -1;
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
    int rc = client_write_json(s, "state", json, err);

    json_decref(json);
    return rc;
}

static int append_file(const struct client_store *s, const char *id, const char *ending,
                       struct pem_text *out, struct err *err)
{
    char path[CLIENT_PATH_LEN];
    size_t len = 0;
    char *text = pem_read(client_path(s, id, ending, path), &len, err);

    if (text == NULL)
        return -1;
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    pem_put_line(out, text);
    file_wipe(text, len);
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
    return client_write_pem(s, "accepted.pem", &text, 0, err);
}

static int write_current(const struct client_store *s, const struct state *st, struct err *err)
{
    struct pem_text text = { 0 };

    if (append_file(s, st->current, ".pem", &text, err) != 0 ||
        append_file(s, st->current, ".key", &text, err) != 0) {
        pem_text_clear(&text);
        return -1;
    }
    return client_write_pem(s, "current.pem", &text, FILE_SECRET, err);
}

static int remove_files(struct client_store *s, const char *id, struct err *err)
{
    static const char *const endings[] = { ".key", ".pem", ".json" };
    char path[CLIENT_PATH_LEN];

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (unlink(client_path(s, id, endings[i], path)) != 0 && errno != ENOENT) {
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

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* The newest certificate that was generated and nobody uses: younger than the one presented, and
 * not expired. Its identifier into `out`, "" when there is none. */
static int find_unused(struct client_store *s, const struct state *st, int64_t now_s,
                       char out[ID_MAX], struct err *err)
{
    json_t *list = client_store_list(s, err), *items = json_object_get(list, "items"), *item;
    json_int_t oldest = 0;
    size_t i;

    out[0] = '\0';
    if (list == NULL)
        return -1;
    json_array_foreach(items, i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "clientCertificateId")), st->current) ==
            0)
            oldest = number_of(item, "createdDate");
    }
    json_array_foreach(items, i, item) /* by date */
    {
        const char *id = json_string_value(json_object_get(item, "clientCertificateId"));

        if (strcmp(id, st->current) != 0 && number_of(item, "createdDate") >= oldest &&
            number_of(item, "expirationDate") > now_s)
            (void)read_id(item, "clientCertificateId", out);
    }
    json_decref(list);
    return 0;
}

/* A certificate that was generated already, or, when there is none or the new one is described, one
 * made now; the backend accepts it beside the old one before anybody presents it. */
static int step_accept(struct client_store *s, struct state *st, const char *description,
                       const char *seed, int64_t now_s, struct err *err)
{
    json_t *made;

    if (description == NULL && seed == NULL && find_unused(s, st, now_s, st->next, err) != 0)
        return -1;
    if (st->next[0] == '\0') {
        made = client_store_generate(s, description, seed, now_s, err);
        if (made == NULL)
            return -1;
        (void)read_id(made, "clientCertificateId", st->next);
        json_decref(made);
    }
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
