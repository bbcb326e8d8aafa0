/* SPDX-License-Identifier: Apache-2.0
 * Walk the sections of an INI file and make one constant struct nlb_config of them. */
#include "nlb/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/ini.h"
#include "core/suggest.h"
#include "nlb/config_impl.h"

/* The kinds of this layer; their lists come first, in this order. */
enum { LIST_NLB, LIST_LISTENER, LIST_GROUP, N_OWN_KINDS };

static const struct section_kind kind_listener = {
    .name = "listener",
    .named = true,
    .size = sizeof(struct listener_cfg),
    .keys = listener_keys,
};
static const struct section_kind kind_group = {
    .name = "target_group",
    .named = true,
    .size = sizeof(struct target_group_cfg),
    .keys = group_keys,
};
static const struct section_kind *const own_kinds[N_OWN_KINDS] = {
    [LIST_NLB] = &config_kind_nlb,
    [LIST_LISTENER] = &kind_listener,
    [LIST_GROUP] = &kind_group,
};

struct walk {
    struct nlb_config *config;
    struct config_list
        *list;  /* of the section being read; NULL: an unknown one, keys are skipped */
    bool begun; /* a section header was seen */
    struct problems *problems;
};

/* "[listener https]", "[nlb]": how messages name a section. */
static const char *label(const struct section_kind *kind, const char *name, char *out, size_t size)
{
    snprintf(out, size, "[%s%s%s]", kind->name, name[0] == '\0' ? "" : " ", name);
    return out;
}

static struct config_list *find_list(struct walk *w, const char *kind, size_t n, int line)
{
    char word[INI_LINE_MAX + 1], hint[128];
    struct suggest s;

    snprintf(word, sizeof word, "%.*s", (int)n, kind);
    s = suggest_for(word);
    for (size_t i = 0; i < w->config->n_lists; i++) {
        const char *name = w->config->lists[i].kind->name;

        if (strcmp(name, word) == 0)
            return &w->config->lists[i];
        suggest_try(&s, name);
    }
    problems_add(w->problems, line, "unknown section [%s]%s", word,
                 suggest_text(&s, hint, sizeof hint));
    return NULL;
}

static void check_header(struct walk *w, const struct config_list *list, const char *name, int line)
{
    char text[INI_LINE_MAX + 32];

    if (list->kind->named && name[0] == '\0') {
        problems_add(w->problems, line, "[%s] needs a name: [%s NAME]", list->kind->name,
                     list->kind->name);
    } else if (!list->kind->named && name[0] != '\0') {
        problems_add(w->problems, line, "[%s] takes no name ('%s'); write [%s]", list->kind->name,
                     name, list->kind->name);
    } else if (list->kind->named && !config_plain_name(name)) {
        problems_add(w->problems, line,
                     "bad name '%s' (1-32 letters, digits, hyphens, underscores and dots)", name);
    }
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(config_item(list, i)->name, name) == 0) {
            problems_add(w->problems, line, "%s is there twice (first on line %d)",
                         label(list->kind, name, text, sizeof text), config_item(list, i)->line);
            return;
        }
    }
}

static int begin_object(struct nlb_config *c, struct config_list *list, const char *name, int line)
{
    void *object = arena_append(&c->arena, &list->items, &list->n, list->kind->size);

    if (object == NULL)
        return -1;
    if (cfg_begin(object, name, line, list->kind->keys, &c->arena) == 0)
        return 0;
    list->n--; /* half made */
    return -1;
}

static void on_section(void *user, int line, const char *text)
{
    struct walk *w = user;
    size_t word;
    const char *name;

    w->begun = true;
    w->list = NULL;
    if (text == NULL)
        return;
    word = strcspn(text, " \t");
    name = text + word + strspn(text + word, " \t");
    w->list = find_list(w, text, word, line);
    if (w->list == NULL)
        return;
    check_header(w, w->list, name, line);
    if (begin_object(w->config, w->list, name, line) != 0) {
        w->problems->environment = true;
        w->list = NULL;
    }
}

/* A key that this section does not know: does another one? */
static bool belongs_elsewhere(struct walk *w, const char *key, int line)
{
    for (size_t i = 0; i < w->config->n_lists; i++) {
        const struct section_kind *kind = w->config->lists[i].kind;

        if (cfg_find(kind->keys, key) != NULL) {
            problems_add(w->problems, line, "'%s' is a key of [%s%s], not of [%s%s]", key,
                         kind->name, kind->named ? " NAME" : "", w->list->kind->name,
                         w->list->kind->named ? " NAME" : "");
            return true;
        }
    }
    return false;
}

static void on_pair(void *user, int line, const char *key, const char *text)
{
    struct walk *w = user;
    struct cfg_value value = { key, text, line, &w->config->arena, w->problems };

    if (!w->begun) {
        problems_add(w->problems, line, "'%s' stands before the first [section]", key);
        return;
    }
    if (w->list == NULL)
        return;
    if (cfg_find(w->list->kind->keys, key) == NULL && belongs_elsewhere(w, key, line))
        return;
    /* What is wrong with it is noted; the rest of the file is read all the same. */
    (void)cfg_set(config_item(w->list, w->list->n - 1), &value);
}

static struct nlb_config *config_new(const char *path, const char *dir,
                                     const struct section_kind *const *kinds, size_t n_kinds)
{
    struct nlb_config *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    atomic_init(&c->refs, 1);
    atomic_init(&c->kept, 1);
    c->path = arena_strdup(&c->arena, path);
    c->dir = arena_strdup(&c->arena, dir);
    c->n_lists = N_OWN_KINDS + n_kinds;
    c->lists = arena_alloc(&c->arena, c->n_lists * sizeof *c->lists);
    if (c->path == NULL || c->dir == NULL || c->lists == NULL) {
        c->n_lists = 0;
        nlb_config_unref(c);
        return NULL;
    }
    for (size_t i = 0; i < c->n_lists; i++)
        c->lists[i].kind = i < N_OWN_KINDS ? own_kinds[i] : kinds[i - N_OWN_KINDS];
    return c;
}

/* Point the typed fields at what the lists hold; from here on no list grows. */
static int settle(struct nlb_config *c)
{
    struct config_list *nlb = &c->lists[LIST_NLB];
    struct nlb_cfg *first;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (nlb->n == 0 && begin_object(c, nlb, "", 0) != 0)
        return -1;
    first = nlb->items;
    if (first->process.workers == 0)
        first->process.workers = cores < 1 ? 1 : cores > 256 ? 256 : (uint64_t)cores;
    c->nlb = *first;
    c->listeners = c->lists[LIST_LISTENER].items;
    c->n_listeners = c->lists[LIST_LISTENER].n;
    c->groups = c->lists[LIST_GROUP].items;
    c->n_groups = c->lists[LIST_GROUP].n;
    return 0;
}

static void check_all(struct nlb_config *c, bool load, struct problems *problems)
{
    char text[INI_LINE_MAX + 32];

    for (size_t i = 0; i < c->n_lists; i++) {
        for (size_t j = 0; j < c->lists[i].n; j++) {
            const struct cfg_object *o = config_item(&c->lists[i], j);

            label(c->lists[i].kind, o->name, text, sizeof text);
            cfg_require(o, text, problems);
            cfg_check_protocol(o, text, problems);
        }
    }
    config_check(c, problems);
    config_find_policies(c, problems);
    if (load)
        config_load(c, problems);
    else
        config_check_specs(c, problems);
    for (size_t i = 0; i < c->n_lists; i++) {
        for (size_t j = 0; c->lists[i].kind->check_cb != NULL && j < c->lists[i].n; j++)
            c->lists[i].kind->check_cb(c, config_item(&c->lists[i], j), load, problems);
    }
}

struct nlb_config *nlb_config_parse(const char *text, size_t n, const char *path, const char *dir,
                                    const struct section_kind *const *kinds, size_t n_kinds,
                                    bool load, struct problems *problems)
{
    struct walk w = { .config = config_new(path, dir, kinds, n_kinds), .problems = problems };
    struct ini_sink sink = { on_section, on_pair, &w, problems };

    problems->path = path;
    if (w.config == NULL) {
        problems->environment = true;
        return NULL;
    }
    ini_read(text, n, &sink);
    if (settle(w.config) != 0)
        problems->environment = true;
    else if (!problems->environment)
        check_all(w.config, load, problems);
    problems_sort(problems);
    if (problems_exit_status(problems) == 0)
        return w.config;
    nlb_config_unref(w.config);
    return NULL;
}

struct nlb_config *nlb_config_load(const char *path, const struct section_kind *const *kinds,
                                   size_t n_kinds, bool load, struct problems *problems)
{
    const char *slash = strrchr(path, '/');
    struct nlb_config *c = NULL;
    char *text, *dir;
    size_t n;

    problems->path = path;
    if (config_read_file(path, &text, &n, problems) != 0)
        return NULL;
    if (slash == NULL)
        dir = strdup(".");
    else
        dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (dir == NULL)
        problems->environment = true;
    else
        c = nlb_config_parse(text, n, path, dir, kinds, n_kinds, load, problems);
    free(dir);
    free(text);
    return c;
}

struct nlb_config *nlb_config_ref(const struct nlb_config *config)
{
    struct nlb_config *c = (struct nlb_config *)(uintptr_t)config;

    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

/* All references together hold the memory once. */
const struct nlb_config *nlb_config_keep(const struct nlb_config *config)
{
    struct nlb_config *c = (struct nlb_config *)(uintptr_t)config;

    atomic_fetch_add_explicit(&c->kept, 1, memory_order_relaxed);
    return c;
}

void nlb_config_forget(const struct nlb_config *config)
{
    struct nlb_config *c = (struct nlb_config *)(uintptr_t)config;
    struct arena arena;

    if (c == NULL || atomic_fetch_sub_explicit(&c->kept, 1, memory_order_acq_rel) != 1)
        return;
    arena = c->arena;
    arena_clear(&arena);
    free(c);
}

void nlb_config_unref(const struct nlb_config *config)
{
    struct nlb_config *c = (struct nlb_config *)(uintptr_t)config;

    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < c->n_lists; i++) {
        for (size_t j = 0; c->lists[i].kind->clear_cb != NULL && j < c->lists[i].n; j++)
            c->lists[i].kind->clear_cb(config_item(&c->lists[i], j));
    }
    config_unload(c);
    nlb_config_forget(c);
}
