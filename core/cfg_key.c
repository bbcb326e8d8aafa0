/* SPDX-License-Identifier: Apache-2.0
 * Keys of the configuration file: find the row, parse the value, refuse what is not built. */
#include "core/cfg_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/addr.h"
#include "core/suggest.h"

const struct cfg_key *cfg_find(const struct cfg_key *keys, const char *name)
{
    for (const struct cfg_key *key = keys; key->name != NULL; key++) {
        if (strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

int cfg_parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (text[0] == '\0' || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
        return -1;
    for (const char *c = text; *c != '\0'; c++)
        n = n * 10 + (uint64_t)(*c - '0');
    if (n < min || n > max)
        return -1;
    *out = n;
    return 0;
}

const char *cfg_values(const struct cfg_key *key, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    if (key->values != NULL) {
        snprintf(out, size, "%s", key->values);
    } else if (key->kind == CFG_BOOL) {
        snprintf(out, size, "true, false");
    } else if (key->kind == CFG_UINT || key->kind == CFG_SECONDS) {
        if (key->choices != NULL)
            used = (size_t)snprintf(out, size, "%s, ", key->choices->text);
        snprintf(out + used, size - used, "%" PRIu64 "-%" PRIu64 "%s", key->min, key->max,
                 key->kind == CFG_SECONDS ? " (seconds)" : "");
    } else if (key->kind == CFG_ADDR) {
        snprintf(out, size, "ADDRESS:PORT");
    } else if (key->choices != NULL) {
        for (const struct cfg_choice *c = key->choices; c->text != NULL; c++) {
            if (c->refused == NULL && used < size)
                used += (size_t)snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                         c->text);
        }
    } else {
        snprintf(out, size, "text");
    }
    return out;
}

static int bad_value(const struct cfg_key *key, const struct cfg_value *value, const char *hint)
{
    char values[512];

    problems_add(value->problems, value->line, "bad value '%s' for %s (allowed: %s)%s", value->text,
                 key->name, cfg_values(key, values, sizeof values), hint);
    return -1;
}

static int set_enum(void *field, const struct cfg_key *key, const struct cfg_value *value)
{
    struct suggest s = suggest_for(value->text);
    char hint[96];

    for (const struct cfg_choice *c = key->choices; c->text != NULL; c++) {
        if (strcmp(c->text, value->text) == 0) {
            if (c->refused != NULL) {
                problems_add(value->problems, value->line, "%s = %s: %s", key->name, c->text,
                             c->refused);
                return -1;
            }
            memcpy(field, &c->value, sizeof c->value);
            return 0;
        }
        if (c->refused == NULL)
            suggest_try(&s, c->text);
    }
    return bad_value(key, value, suggest_text(&s, hint, sizeof hint));
}

static int set_uint(void *field, const struct cfg_key *key, const struct cfg_value *value)
{
    uint64_t n;

    for (const struct cfg_choice *c = key->choices; c != NULL && c->text != NULL; c++) {
        if (strcmp(c->text, value->text) == 0) {
            n = (uint64_t)c->value;
            memcpy(field, &n, sizeof n);
            return 0;
        }
    }
    if (cfg_parse_uint(value->text, key->min, key->max, &n) != 0)
        return bad_value(key, value, "");
    if (key->kind == CFG_SECONDS)
        n *= 1000;
    memcpy(field, &n, sizeof n);
    return 0;
}

static int set_bool(void *field, const struct cfg_key *key, const struct cfg_value *value)
{
    bool on = strcmp(value->text, "true") == 0;

    if (!on && strcmp(value->text, "false") != 0)
        return bad_value(key, value, "");
    memcpy(field, &on, sizeof on);
    return 0;
}

static int set_key_addr(void *field, const struct cfg_key *key, const struct cfg_value *value)
{
    struct err err;
    struct addr a;

    if (addr_parse(&a, value->text, &err) != 0) {
        problems_add(value->problems, value->line, "%s: %s", key->name, err.text);
        return -1;
    }
    memcpy(field, &a, sizeof a);
    return 0;
}

static int set_text(void *object, void *field, const struct cfg_key *key,
                    const struct cfg_value *value)
{
    const char *copy;

    if (key->parse_cb != NULL && key->parse_cb(object, value) != 0)
        return -1;
    copy = arena_strdup(value->arena, value->text);
    if (copy == NULL) {
        value->problems->environment = true;
        return -1;
    }
    memcpy(field, &copy, sizeof copy);
    return 0;
}

static int set_field(void *object, const struct cfg_key *key, const struct cfg_value *value)
{
    void *field = (unsigned char *)object + key->offset;

    switch (key->kind) {
    case CFG_TEXT:
        return set_text(object, field, key, value);
    case CFG_BOOL:
        return set_bool(field, key, value);
    case CFG_UINT:
    case CFG_SECONDS:
        return set_uint(field, key, value);
    case CFG_ENUM:
        return set_enum(field, key, value);
    case CFG_ADDR:
        return set_key_addr(field, key, value);
    case CFG_CUSTOM:
        return key->parse_cb(object, value);
    }
    return -1;
}

int cfg_begin(void *object, const char *name, int line, const struct cfg_key *keys,
              struct arena *arena)
{
    struct problems none = { .path = "default" };
    struct cfg_object *o = object;
    int rc = 0;

    o->name = arena_strdup(arena, name);
    o->line = line;
    o->keys = keys;
    for (const struct cfg_key *key = keys; key->name != NULL; key++) {
        struct cfg_value v = { key->name, key->def, line, arena, &none };

        if (key->def != NULL && set_field(object, key, &v) != 0)
            rc = -1;
    }
    problems_clear(&none);
    return o->name == NULL ? -1 : rc;
}

static int note_given(struct cfg_object *o, const struct cfg_key *key, const struct cfg_value *v)
{
    const char *text = arena_strdup(v->arena, v->text);
    struct cfg_given *g = NULL;

    if (text != NULL)
        g = arena_append(v->arena, &o->given, &o->n_given, sizeof *g);
    if (g == NULL) {
        v->problems->environment = true;
        return -1;
    }
    *g = (struct cfg_given){ .key = key, .text = text, .line = v->line };
    return 0;
}

static bool is_mistaken_for(const struct cfg_key *key, const char *name)
{
    const char *at = key->mistaken;
    size_t n = strlen(name);

    while (at != NULL && *at != '\0') {
        size_t word = strcspn(at, " ");

        if (word == n && strncmp(at, name, n) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

/* What a value that was refused was probably meant to be; false when it looks like no slip of the
 * pen. */
static bool tell_slip(const struct cfg_key *key, const struct cfg_value *v)
{
    const char *hash = strstr(v->text, " #"), *semicolon = strchr(v->text, ';');
    const char *comma = strchr(v->text, ',');

    if (hash != NULL)
        problems_add(v->problems, v->line,
                     "%s = %s: behind a value a comment begins with ' ;', not with '#'", key->name,
                     v->text);
    else if (semicolon != NULL && semicolon > v->text)
        problems_add(v->problems, v->line, "%s = %s: a comment needs a blank before its ';'",
                     key->name, v->text);
    else if (comma != NULL && key->repeated)
        problems_add(v->problems, v->line,
                     "%s = %s: one value a line; write '%s = ...' once for each", key->name,
                     v->text, key->name);
    else if (comma != NULL)
        problems_add(v->problems, v->line, "%s = %s: it takes one value, not a list", key->name,
                     v->text);
    else if (key->kind == CFG_ADDR && strspn(v->text, "0123456789") == strlen(v->text))
        problems_add(v->problems, v->line,
                     "%s = %s is a port without an address: write 127.0.0.1:%s (this machine "
                     "alone) or 0.0.0.0:%s",
                     key->name, v->text, v->text, v->text);
    else
        return false;
    return true;
}

/* Set the field; where that fails for a slip of the pen, one sentence about the slip takes the
 * place of what the parser found. */
static int set_or_explain(void *object, const struct cfg_key *key, const struct cfg_value *value)
{
    size_t before = value->problems->n;

    if (set_field(object, key, value) == 0)
        return 0;
    if (value->problems->n > before && tell_slip(key, value)) {
        value->problems->v[before] = value->problems->v[value->problems->n - 1];
        value->problems->n = before + 1;
    }
    return -1;
}

static int unknown_key(const struct cfg_object *o, const struct cfg_value *value)
{
    struct suggest s = suggest_for(value->key);
    char hint[160], values[512], word[48];

    /* "listen 127.0.0.1:1": the reader takes the colon for what stands between key and value. */
    snprintf(word, sizeof word, "%.*s", (int)strcspn(value->key, " \t"), value->key);
    if (strcmp(word, value->key) != 0 && cfg_find(o->keys, word) != NULL) {
        problems_add(value->problems, value->line, "is the '=' missing behind '%s'?", word);
        return -1;
    }

    for (const struct cfg_key *key = o->keys; key->name != NULL; key++) {
        if (is_mistaken_for(key, value->key)) {
            problems_add(value->problems, value->line, "unknown key '%s': write %s = %s",
                         value->key, key->name, cfg_values(key, values, sizeof values));
            return -1;
        }
        suggest_try(&s, key->name);
    }
    problems_add(value->problems, value->line, "unknown key '%s'%s (all keys: nlbsim check --keys)",
                 value->key, suggest_text(&s, hint, sizeof hint));
    return -1;
}

static int check_built(const struct cfg_key *key, const struct cfg_value *value)
{
    if (key->only == NULL || strcmp(key->only, value->text) == 0)
        return 0;
    if (key->only[0] == '\0')
        problems_add(value->problems, value->line,
                     "%s is not supported yet (given: '%s'); leave the line out", key->name,
                     value->text);
    else
        problems_add(value->problems, value->line,
                     "%s = %s is not supported yet; this build acts as with '%s'", key->name,
                     value->text, key->only);
    return -1;
}

/* Defaults that go with the value just given. */
static int set_other_defaults(void *object, const struct cfg_value *value)
{
    struct cfg_object *o = object;

    for (const struct cfg_key *key = o->keys; key->name != NULL; key++) {
        struct cfg_value v = *value;

        if (key->other.key == NULL || strcmp(key->other.key, value->key) != 0 ||
            cfg_line(o, key->name) != 0)
            continue;
        v.key = key->name;
        v.text = cfg_default(o, key);
        if (set_field(object, key, &v) != 0)
            return -1;
    }
    return 0;
}

int cfg_set(void *object, const struct cfg_value *value)
{
    struct cfg_object *o = object;
    const struct cfg_key *key = cfg_find(o->keys, value->key);
    int first = cfg_line(o, value->key);

    if (key == NULL)
        return unknown_key(o, value);
    if (value->text[0] == '\0') {
        problems_add(value->problems, value->line, "%s has no value", key->name);
        return -1;
    }
    if (first != 0 && !key->repeated) {
        problems_add(value->problems, value->line, "%s is given twice (first on line %d)",
                     key->name, first);
        return -1;
    }
    if (note_given(o, key, value) != 0 || set_or_explain(object, key, value) != 0 ||
        set_other_defaults(object, value) != 0)
        return -1;
    return check_built(key, value);
}

void cfg_require(const struct cfg_object *object, const char *section, struct problems *problems)
{
    char values[512];

    for (const struct cfg_key *key = object->keys; key->name != NULL; key++) {
        if (key->required && cfg_line(object, key->name) == 0)
            problems_add(problems, object->line, "%s has no '%s' (%s: %s)", section, key->name,
                         key->help, cfg_values(key, values, sizeof values));
    }
}

static const char *with_key(const struct cfg_key *key)
{
    return key->with_key == NULL ? "protocol" : key->with_key;
}

/* What the object has for the key that `key` depends on; NULL when it has none or a refused one. */
static const char *with_value(const struct cfg_object *o, const struct cfg_key *key)
{
    const struct cfg_key *row = cfg_find(o->keys, with_key(key));
    const char *text = row == NULL ? NULL : cfg_text(o, row->name);

    for (const struct cfg_choice *c = text == NULL ? NULL : row->choices;
         c != NULL && c->text != NULL; c++) {
        if (strcmp(c->text, text) == 0 && c->refused == NULL)
            return text;
    }
    return NULL;
}

bool cfg_applies(const struct cfg_object *object, const struct cfg_key *key)
{
    const char *value = key->with == NULL ? NULL : with_value(object, key);
    const char *at = key->with;

    while (value != NULL && *at != '\0') {
        size_t n = strcspn(at, ", ");

        if (n == strlen(value) && strncmp(at, value, n) == 0)
            return true;
        at += n + strspn(at + n, ", ");
    }
    return value == NULL;
}

void cfg_check_protocol(const struct cfg_object *object, const char *section,
                        struct problems *problems)
{
    for (size_t i = 0; i < object->n_given; i++) {
        const struct cfg_key *key = object->given[i].key;

        if (!cfg_applies(object, key))
            problems_add(problems, object->given[i].line,
                         "%s is only for %s = %s, and %s has %s = %s%s%s; remove the line",
                         key->name, with_key(key), key->with, section, with_key(key),
                         with_value(object, key), key->why == NULL ? "" : ": ",
                         key->why == NULL ? "" : key->why);
    }
}

int cfg_line(const struct cfg_object *object, const char *key)
{
    for (size_t i = 0; i < object->n_given; i++) {
        if (strcmp(object->given[i].key->name, key) == 0)
            return object->given[i].line;
    }
    return 0;
}

bool cfg_same(const struct cfg_key *key, const void *a, const void *b)
{
    const unsigned char *x = (const unsigned char *)a + key->offset;
    const unsigned char *y = (const unsigned char *)b + key->offset;
    const char *s = NULL, *t = NULL;

    switch (key->kind) {
    case CFG_BOOL:
        return memcmp(x, y, sizeof(bool)) == 0;
    case CFG_UINT:
    case CFG_SECONDS:
        return memcmp(x, y, sizeof(uint64_t)) == 0;
    case CFG_ENUM:
        return memcmp(x, y, sizeof(int)) == 0;
    case CFG_ADDR:
        return addr_equal((const struct addr *)(const void *)x,
                          (const struct addr *)(const void *)y);
    case CFG_TEXT:
        memcpy(&s, x, sizeof s);
        memcpy(&t, y, sizeof t);
        break;
    case CFG_CUSTOM:
        s = cfg_text(a, key->name);
        t = cfg_text(b, key->name);
        break;
    }
    return s == t || (s != NULL && t != NULL && strcmp(s, t) == 0);
}

const char *cfg_default(const struct cfg_object *object, const struct cfg_key *key)
{
    const char *text = key->other.key == NULL ? NULL : cfg_text(object, key->other.key);

    return text != NULL && strcmp(text, key->other.value) == 0 ? key->other.def : key->def;
}

const char *cfg_text(const struct cfg_object *object, const char *key)
{
    const struct cfg_key *row;

    for (size_t i = object->n_given; i-- > 0;) {
        if (strcmp(object->given[i].key->name, key) == 0)
            return object->given[i].text;
    }
    row = cfg_find(object->keys, key);
    return row == NULL ? NULL : cfg_default(object, row);
}
