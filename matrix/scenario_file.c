/* SPDX-License-Identifier: Apache-2.0
 * Files of scenarios, and the part of a file that one scenario needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/scenario.h"

/* Listeners, groups and lab targets that one integration needs; names borrowed. */
#define NEEDS_MAX 256
struct needs {
    const char *listener;
    const char *groups[NEEDS_MAX], *targets[NEEDS_MAX];
    size_t n_groups, n_targets;
};

static char *dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int scenario_file_read(struct scenario_file *f, const char *path, const char *text, size_t n,
                       struct problems *problems)
{
    memset(f, 0, sizeof *f);
    f->path = path;
    f->dir = dir_of(path);
    f->n_text = n;
    if (text != NULL)
        f->text = strndup(text, n);
    else if (config_read_file(path, &f->text, &f->n_text, problems) != 0)
        return -1;
    if (f->text == NULL || f->dir == NULL)
        return -1;
    f->config = nlb_config_parse(f->text, f->n_text, path, f->dir, lab_section_kinds,
                                 lab_n_section_kinds, false, problems);
    if (f->config == NULL)
        return -1;
    f->integrations = lab_config_integrations(f->config, &f->n_integrations);
    return 0;
}

void scenario_file_clear(struct scenario_file *f)
{
    nlb_config_unref(f->config);
    free(f->text);
    free(f->dir);
    memset(f, 0, sizeof *f);
}

static bool has(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void need_group(struct needs *needs, const struct target_group_cfg *g)
{
    if (needs->n_groups == NEEDS_MAX || has(needs->groups, needs->n_groups, g->obj.name))
        return;
    needs->groups[needs->n_groups++] = g->obj.name;
    for (size_t i = 0; i < g->n_targets && needs->n_targets < NEEDS_MAX; i++) {
        if (g->targets[i].lab != NULL)
            needs->targets[needs->n_targets++] = g->targets[i].lab;
    }
}

static void gather(const struct scenario_file *f, const struct integration_cfg *integration,
                   struct needs *needs)
{
    const struct listener_cfg *l = integration->listener == NULL
                                       ? NULL
                                       : nlb_config_listener(f->config, integration->listener);

    memset(needs, 0, sizeof *needs);
    needs->listener = integration->listener;
    for (size_t i = 0; l != NULL && i < l->n_forwards; i++)
        need_group(needs, l->forwards[i].group);
}

/* "[kind name]": is this section needed? */
static bool wanted(const char *header, size_t n, const struct needs *needs,
                   const struct integration_cfg *integration)
{
    char text[160], kind[32], name[128];

    if (n >= sizeof text)
        return false;
    memcpy(text, header, n); /* the file's text has no terminator */
    text[n] = '\0';
    if (sscanf(text, "[%31[^] \t] %127[^]]]", kind, name) < 1)
        return false;
    if (strcmp(kind, "nlb") == 0)
        return true;
    if (strcmp(kind, "listener") == 0)
        return needs->listener != NULL && strcmp(name, needs->listener) == 0;
    if (strcmp(kind, "target_group") == 0)
        return has(needs->groups, needs->n_groups, name);
    if (strcmp(kind, "lab_target") == 0)
        return has(needs->targets, needs->n_targets, name);
    return strcmp(kind, "integration") == 0 && strcmp(name, integration->obj.name) == 0;
}

char *scenario_excerpt(const struct scenario_file *f, const struct integration_cfg *integration)
{
    char *out = malloc(f->n_text + 1);
    struct needs needs;
    size_t at = 0, to = 0;
    bool copy = true; /* what stands before the first section: comments */

    if (out == NULL)
        return NULL;
    gather(f, integration, &needs);
    while (at < f->n_text) {
        const char *line = f->text + at;
        const char *end = memchr(line, '\n', f->n_text - at);
        size_t n = end == NULL ? f->n_text - at : (size_t)(end - line) + 1;

        if (line[0] == '[')
            copy = wanted(line, n, &needs, integration);
        if (copy) {
            memcpy(out + to, line, n);
            to += n;
        } else if (end != NULL) {
            out[to++] = '\n';
        }
        at += n;
    }
    out[to] = '\0';
    return out;
}
