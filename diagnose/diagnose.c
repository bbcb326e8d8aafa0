/* SPDX-License-Identifier: Apache-2.0
 * The engine: rows of causes.def whose condition holds, in order of rank. */
#include "diagnose/diagnose.h"

#include <stdlib.h>
#include <string.h>

#include "core/foreign.h"
#include "diagnose/sources.h"

const struct cause_row cause_rows[] = {
#define CAUSE(id, rank, hop, section, key, evidence, source, condition, what, change, next)        \
    { #id, CAUSE_##rank, hop, section, key, evidence, source, condition, what, change, next },
#include "diagnose/causes.def"
#undef CAUSE
};
const size_t cause_n_rows = sizeof cause_rows / sizeof cause_rows[0];

static const char *const hops[] = { "listener", "target", "caller", "network", "gateway", "none" };

/* The table's word, or that of the fact that it names. */
static const char *hop_of(const struct facts *f, const struct cause_row *row)
{
    char *text = facts_fill(f, row->hop);
    const char *found = NULL;

    for (size_t i = 0; text != NULL && i < sizeof hops / sizeof hops[0]; i++) {
        if (strcmp(text, hops[i]) == 0)
            found = hops[i];
    }
    free(text);
    return found;
}

static void cause_clear(struct cause *c)
{
    free(c->section);
    free(c->key);
    free(c->what);
    free(c->change);
    free(c->next);
}

static int add(struct diagnosis *d, const struct facts *f, const struct cause_row *row)
{
    struct cause *grown = realloc(d->at, (d->n + 1) * sizeof *grown);
    struct cause c = {
        .id = row->id,
        .rank = row->rank,
        .hop = hop_of(f, row),
        .section = facts_fill(f, row->section),
        .key = facts_fill(f, row->key),
        .what = facts_fill(f, row->what),
        .change = facts_fill(f, row->change),
        .next = facts_fill(f, row->next),
        .evidence = row->evidence,
        .source = row->source,
    };

    if (grown != NULL)
        d->at = grown;
    if (grown == NULL || c.section == NULL || c.key == NULL || c.what == NULL || c.change == NULL ||
        c.next == NULL) {
        cause_clear(&c);
        return -1;
    }
    d->at[d->n++] = c;
    return 0;
}

/* How many of one rank: of SURE and GENERAL the first is all there is to say. */
static int add_rank(struct diagnosis *d, const struct facts *f, enum cause_rank rank, size_t most)
{
    size_t n = 0;

    for (size_t i = 0; i < cause_n_rows && n < most; i++) {
        if (cause_rows[i].rank != rank || !facts_match(f, cause_rows[i].condition))
            continue;
        if (add(d, f, &cause_rows[i]) != 0)
            return -1;
        n++;
    }
    return 0;
}

int diagnose(const struct facts *f, struct diagnosis *out)
{
    int rc;

    *out = (struct diagnosis){ NULL, 0 };
    rc = facts_bad(f) ? -1 : add_rank(out, f, CAUSE_SURE, 1);
    if (rc == 0 && out->n == 0)
        rc = add_rank(out, f, CAUSE_LIKELY, 3);
    if (rc == 0 && out->n == 0)
        rc = add_rank(out, f, CAUSE_GENERAL, 1);
    if (rc == 0 && out->n > 0)
        rc = add_rank(out, f, CAUSE_ALSO, SIZE_MAX);
    if (rc != 0)
        diagnosis_clear(out);
    return rc;
}

void diagnosis_clear(struct diagnosis *d)
{
    for (size_t i = 0; i < d->n; i++)
        cause_clear(&d->at[i]);
    free(d->at);
    *d = (struct diagnosis){ NULL, 0 };
}

const struct cause *diagnosis_first(const struct diagnosis *d)
{
    return d->n > 0 ? &d->at[0] : NULL;
}

char *diagnosis_text(const struct diagnosis *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < d->n; i++) {
        const struct cause *c = &d->at[i];
        const char *const parts[] = { c->what, c->change, c->next };

        if (i > 0 && c->rank == CAUSE_LIKELY)
            fputs(" Or:", out);
        for (size_t k = 0; k < 3; k++) {
            if (parts[k][0] != '\0')
                fprintf(out, "%s%s", i + k > 0 ? " " : "", parts[k]);
        }
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return foreign_take(text);
}

const char *cause_place(const struct cause *c, char *out, size_t size)
{
    snprintf(out, size, "%s%s%s", c->section, c->key[0] != '\0' ? " " : "", c->key);
    return out;
}

json_t *diagnosis_json(const struct diagnosis *d)
{
    json_t *list = json_array();

    for (size_t i = 0; i < d->n; i++) {
        const struct cause *c = &d->at[i];
        json_t *j = json_object();

        json_object_set_new(j, "cause", json_string(c->id));
        json_object_set_new(j, "hop", foreign_json(c->hop));
        json_object_set_new(j, "section", foreign_json(c->section));
        json_object_set_new(j, "key", foreign_json(c->key));
        json_object_set_new(j, "what", foreign_json(c->what));
        json_object_set_new(j, "change", foreign_json(c->change));
        json_object_set_new(j, "next", foreign_json(c->next));
        json_object_set_new(j, "evidence", json_string(c->evidence));
        json_object_set_new(j, "source", json_string(c->source));
        json_array_append_new(list, j);
    }
    return list;
}
