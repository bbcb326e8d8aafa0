/* SPDX-License-Identifier: Apache-2.0
 * What `nlbsim check` prints: problems, the configuration in effect, differences, the key tables.
 */
#include "cli/check_report.h"

#include <jansson.h>
#include <string.h>

#include "core/foreign.h"
#include "nlb/differences.h"
#include "nlb/quotas.h"
#include "testbed/chain_warnings.h"
#include "testbed/key_warnings.h"
#include "testbed/link_warnings.h"
#include "testbed/sections.h"

static const char later_integration[] =
    "checked, not acted on by `run`: sending its requests comes with `probe` and `matrix`";

static const struct cfg_object *object_at(const struct config_list *list, size_t i)
{
    return (const struct cfg_object *)((const unsigned char *)list->items + i * list->kind->size);
}

void check_print_summary(const struct nlb_config *config, FILE *out)
{
    const char *separator = "";

    fprintf(out, "%s: ok: ", config->path);
    for (size_t i = 0; i < config->n_lists; i++) {
        const struct config_list *list = &config->lists[i];

        if (!list->kind->named || list->n == 0)
            continue;
        fprintf(out, "%s%zu %s%s", separator, list->n, list->kind->name, list->n == 1 ? "" : "s");
        separator = ", ";
    }
    fputc('\n', out);
}

struct warnings {
    const char *path;
    FILE *out; /* NULL: into `list` */
    json_t *list;
    size_t n;
};

static void take_warning(void *user, int line, const char *text)
{
    struct warnings *w = user;

    w->n++;
    if (w->out == NULL)
        json_array_append_new(w->list, json_pack("{s:i, s:s}", "line", line, "message", text));
    else
        fprintf(w->out, "%s:%d: warning: %s\n", w->path, line, text);
}

static void warn(const struct nlb_config *config, struct warnings *w)
{
    nlb_config_quotas(config, take_warning, w);
    lab_config_link_warnings(config, take_warning, w);
    lab_config_key_warnings(config, take_warning, w);
    lab_config_chain_warnings(config, take_warning, w);
}

size_t check_print_warnings(const struct nlb_config *config, FILE *out)
{
    struct warnings w = { .path = config->path, .out = out };

    warn(config, &w);
    return w.n;
}

/* Every given line of a key, or its default. */
static void print_key(const struct cfg_object *o, const struct cfg_key *key,
                      const struct nlb_config *config, FILE *out)
{
    const char *def = cfg_default(o, key);
    bool given = false;

    for (size_t i = 0; i < o->n_given; i++) {
        if (o->given[i].key != key)
            continue;
        fprintf(out, "%s = %s\n", key->name, o->given[i].text);
        given = true;
    }
    if (given)
        return;
    if (def != NULL)
        fprintf(out, "%s = %s ; default\n", key->name, def);
    else if (strcmp(key->name, "workers") == 0)
        fprintf(out, "%s = %u ; default: the number of cores\n", key->name,
                (unsigned)config->nlb.process.workers);
}

static const char *section_name(const struct section_kind *kind, const struct cfg_object *o,
                                char *out, size_t size)
{
    snprintf(out, size, "[%s%s%s]", kind->name, o->name[0] == '\0' ? "" : " ", o->name);
    return out;
}

static void print_difference(void *user, const char *section, const char *text)
{
    fprintf(user, "; %s %s\n", section, text);
}

/* Remarks about sections of the layers above nlb/. */
static void lab_differences(const struct nlb_config *config, differences_cb *say, void *user)
{
    size_t n;
    const struct integration_cfg *g = lab_config_integrations(config, &n);
    char section[96];

    for (size_t i = 0; i < n; i++) {
        snprintf(section, sizeof section, "[integration %s]", g[i].obj.name);
        say(user, section, later_integration);
    }
}

void check_print_verbose(const struct nlb_config *config, FILE *out)
{
    char section[96];

    fputs("\n; the configuration in effect\n", out);
    for (size_t i = 0; i < config->n_lists; i++) {
        for (size_t j = 0; j < config->lists[i].n; j++) {
            const struct cfg_object *o = object_at(&config->lists[i], j);

            fprintf(out, "\n%s\n", section_name(config->lists[i].kind, o, section, sizeof section));
            for (const struct cfg_key *key = o->keys; key->name != NULL; key++) {
                if (cfg_applies(o, key))
                    print_key(o, key, config, out);
            }
        }
    }
    fputs("\n; where this build differs from AWS, or AWS's behaviour is unknown\n", out);
    nlb_config_differences(config, print_difference, out);
    lab_differences(config, print_difference, out);
}

/* A key's values: one string, an array when it is repeated, null when it has none. */
static json_t *key_json(const struct cfg_object *o, const struct cfg_key *key)
{
    json_t *array = json_array();
    const char *def = cfg_default(o, key);

    for (size_t i = 0; i < o->n_given; i++) {
        if (o->given[i].key == key)
            json_array_append_new(array, json_string(o->given[i].text));
    }
    if (key->repeated)
        return array;
    if (json_array_size(array) == 0)
        json_array_append_new(array, def == NULL ? json_null() : json_string(def));
    json_t *first = json_incref(json_array_get(array, 0));

    json_decref(array);
    return first;
}

static json_t *section_json(const struct section_kind *kind, const struct cfg_object *o)
{
    json_t *keys = json_object();

    for (const struct cfg_key *key = o->keys; key->name != NULL; key++) {
        if (cfg_applies(o, key))
            json_object_set_new(keys, key->name, key_json(o, key));
    }
    return json_pack("{s:s, s:s, s:i, s:o}", "section", kind->name, "name", o->name, "line",
                     o->line, "keys", keys);
}

static void append_difference(void *user, const char *section, const char *text)
{
    json_array_append_new(user, json_pack("{s:s, s:s}", "section", section, "text", text));
}

static void add_config(json_t *doc, const struct nlb_config *config)
{
    json_t *sections = json_array(), *differences = json_array();

    for (size_t i = 0; i < config->n_lists; i++) {
        for (size_t j = 0; j < config->lists[i].n; j++)
            json_array_append_new(
                sections, section_json(config->lists[i].kind, object_at(&config->lists[i], j)));
    }
    nlb_config_differences(config, append_difference, differences);
    lab_differences(config, append_difference, differences);
    json_object_set_new(doc, "configuration", sections);
    json_object_set_new(doc, "differences", differences);
}

int check_print_json(const char *path, const struct nlb_config *config,
                     const struct problems *problems, bool verbose, size_t *n_warnings, FILE *out)
{
    json_t *list = json_array(), *warnings = json_array();
    json_t *doc =
        json_pack("{s:s, s:b, s:O, s:I, s:O}", "file", path, "ok", config != NULL, "problems", list,
                  "more", (json_int_t)problems->more, "warnings", warnings);
    int rc = -1;

    for (size_t i = 0; i < problems->n; i++)
        json_array_append_new(list, json_pack("{s:i, s:s}", "line", problems->v[i].line, "message",
                                              problems->v[i].text));
    if (config != NULL)
        warn(config, &(struct warnings){ .list = warnings });
    *n_warnings = json_array_size(warnings);
    if (doc != NULL && config != NULL && verbose)
        add_config(doc, config);
    if (doc != NULL && foreign_dumpf(doc, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF)
        rc = 0;
    json_decref(doc);
    json_decref(list);
    json_decref(warnings);
    return rc;
}

static void print_row(const struct cfg_key *key, FILE *out)
{
    char values[512];

    fprintf(out, "| `%s` | %s", key->name, cfg_values(key, values, sizeof values));
    if (key->with != NULL)
        fprintf(out, "; %s %s", key->with_key == NULL ? "protocol" : key->with_key, key->with);
    fputs(" | ", out);
    if (key->required)
        fputs("required", out);
    else if (key->def != NULL)
        fprintf(out, "`%s`", key->def);
    else
        fputs("none", out);
    if (key->other.key != NULL)
        fprintf(out, "; `%s` with %s %s", key->other.def, key->other.key, key->other.value);
    fprintf(out, " | %s%s%s | ", key->help, key->repeated ? " (may be repeated)" : "",
            key->restart ? " (needs a restart)" : "");
    if (key->only == NULL)
        fputs("yes", out);
    else if (key->only[0] == '\0')
        fputs("not yet", out);
    else
        fprintf(out, "only `%s`", key->only);
    fprintf(out, " | %s |\n", key->source);
}

int check_print_keys(FILE *out)
{
    static const char least[] = "[lab_target x]\nprotocol = HTTP\n"; /* any valid file will do */
    struct problems problems = { .path = "(built in)" };
    struct nlb_config *config =
        nlb_config_parse(least, strlen(least), "(built in)", ".", lab_section_kinds,
                         lab_n_section_kinds, false, &problems);
    int rc = config == NULL ? -1 : 0;

    for (size_t i = 0; config != NULL && i < config->n_lists; i++) {
        const struct section_kind *kind = config->lists[i].kind;

        fprintf(out, "%s### [%s%s]\n\n", i == 0 ? "" : "\n", kind->name,
                kind->named ? " NAME" : "");
        fputs("| key | values | default | meaning | built | source |\n"
              "| --- | --- | --- | --- | --- | --- |\n",
              out);
        for (const struct cfg_key *key = kind->keys; key->name != NULL; key++)
            print_row(key, out);
    }
    problems_print(&problems, stderr);
    nlb_config_unref(config);
    problems_clear(&problems);
    return rc;
}
