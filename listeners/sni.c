/* SPDX-License-Identifier: Apache-2.0
 * Which certificate to serve: a hash table by name, and AWS's order among several matches. */
#include "listeners/sni.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 255
#define NONE           UINT32_MAX

struct entry {
    uint32_t hash;
    uint32_t name; /* offset into `names`; NUL-terminated, lower case */
    uint32_t cert; /* position */
    uint32_t next; /* in the bucket, in order of addition; NONE at the end */
};

struct sni_index {
    enum sni_validity validity;
    struct sni_cert *certs;
    size_t n_certs, cap_certs;
    struct entry *entries;
    size_t n_entries, cap_entries;
    char *names;
    size_t n_names, cap_names;
    uint32_t *buckets; /* heads; a power of two of them */
    size_t n_buckets;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* FNV-1a; the table's content comes from the configuration, so no peer can aim at one bucket. */
static uint32_t hash_of(const char *name, size_t n)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)name[i]) * 16777619U;
    return h;
}

/* Make room for one more; false when memory is out. */
static bool grow(void *items, size_t *cap, size_t need, size_t size)
{
    void *old, *grown;
    size_t want = *cap == 0 ? 16 : *cap;

    while (want < need)
        want *= 2;
    if (want == *cap)
        return true;
    memcpy(&old, items, sizeof old);
    grown = realloc(old, want * size);
    if (grown == NULL)
        return false;
    memcpy(items, &grown, sizeof grown);
    *cap = want;
    return true;
}

struct sni_index *sni_index_empty(enum sni_validity validity)
{
    struct sni_index *x = calloc(1, sizeof *x);

    if (x != NULL)
        x->validity = validity;
    return x;
}

void sni_index_free(struct sni_index *x)
{
    if (x == NULL)
        return;
    free(x->certs);
    free(x->entries);
    free(x->names);
    free(x->buckets);
    free(x);
}

/* Length without one trailing dot. */
static size_t name_length(const char *name)
{
    size_t n = strlen(name);

    return n > 1 && name[n - 1] == '.' ? n - 1 : n;
}

static int add_name(struct sni_index *x, const char *name, uint32_t cert)
{
    size_t n = name_length(name);
    struct entry *e;
    char *to;

    if (n == 0 || n > NAME_MAX_BYTES)
        return 0; /* no client can ask for it */
    if (!grow(&x->entries, &x->cap_entries, x->n_entries + 1, sizeof *x->entries) ||
        !grow(&x->names, &x->cap_names, x->n_names + n + 1, 1))
        return -1;
    to = x->names + x->n_names;
    for (size_t i = 0; i < n; i++)
        to[i] = lower(name[i]);
    to[n] = '\0';
    e = &x->entries[x->n_entries++];
    *e = (struct entry){ hash_of(to, n), (uint32_t)x->n_names, cert, NONE };
    x->n_names += n + 1;
    return 0;
}

int sni_index_add(struct sni_index *x, const struct sni_cert *facts, const char *const *names,
                  size_t n_names)
{
    const uint32_t position = (uint32_t)x->n_certs;

    if (!grow(&x->certs, &x->cap_certs, x->n_certs + 1, sizeof *x->certs))
        return -1;
    x->certs[x->n_certs] = *facts;
    x->certs[x->n_certs++].position = position;
    for (size_t i = 0; i < n_names; i++) {
        if (add_name(x, names[i], position) != 0)
            return -1;
    }
    return 0;
}

int sni_index_ready(struct sni_index *x)
{
    size_t n = 1;

    while (n < x->n_entries * 2)
        n *= 2;
    free(x->buckets);
    x->buckets = malloc(n * sizeof *x->buckets);
    if (x->buckets == NULL)
        return -1;
    x->n_buckets = n;
    for (size_t i = 0; i < n; i++)
        x->buckets[i] = NONE;
    for (size_t i = x->n_entries; i-- > 0;) { /* backwards: heads come out in order of addition */
        uint32_t *head = &x->buckets[x->entries[i].hash & (n - 1)];

        x->entries[i].next = *head;
        *head = (uint32_t)i;
    }
    return 0;
}

const struct sni_cert *sni_index_at(const struct sni_index *x, size_t position)
{
    return &x->certs[position];
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int key_rank(enum tls_key key)
{
    return key == TLS_KEY_ECDSA ? 2 : key == TLS_KEY_RSA ? 1 : 0;
}

static int64_t validity_of(const struct sni_index *x, const struct sni_cert *c)
{
    switch (x->validity) {
    case SNI_LATEST_END:
        return c->not_after_utc;
    case SNI_LONGEST_PERIOD:
        return c->not_after_utc - c->not_before_utc;
    }
    return 0;
}

/* Is `a` better than `b`? AWS's criteria in AWS's order; `why` tells which one decided. "SHA before
 * MD5" does not rank one SHA before another. */
static bool better(const struct sni_index *x, const struct sni_cert *a, const struct sni_cert *b,
                   enum sni_decider *why)
{
    const struct {
        int order;
        enum sni_decider decider;
    } steps[] = {
        { compare(key_rank(a->key), key_rank(b->key)), SNI_BY_KEY_ALGORITHM },
        { compare(a->hash != TLS_HASH_MD5, b->hash != TLS_HASH_MD5), SNI_BY_HASH },
        { compare(a->bits, b->bits), SNI_BY_KEY_LENGTH },
        { compare(validity_of(x, a), validity_of(x, b)), SNI_BY_VALIDITY },
        { compare((int64_t)b->position, (int64_t)a->position), SNI_BY_POSITION },
    };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].order != 0) {
            *why = steps[i].decider;
            return steps[i].order > 0;
        }
    }
    return false;
}

struct pick {
    const struct sni_index *index;
    bool (*usable)(const struct sni_cert *cert, const void *arg);
    const void *arg;
    bool matched; /* a certificate of the list has the name, usable or not */
    bool default_has;
    enum sni_decider decider;
};

/* The best usable certificate with this very name. */
static const struct sni_cert *best_of(struct pick *p, const char *name, size_t n)
{
    const struct sni_index *x = p->index;
    const uint32_t hash = hash_of(name, n);
    const struct sni_cert *best = NULL;

    p->decider = SNI_ONLY_ONE;
    for (uint32_t i = x->buckets[hash & (x->n_buckets - 1)]; i != NONE; i = x->entries[i].next) {
        const struct entry *e = &x->entries[i];
        const struct sni_cert *c = &x->certs[e->cert];
        enum sni_decider why = SNI_ONLY_ONE;

        if (e->hash != hash || strcmp(x->names + e->name, name) != 0)
            continue;
        if (e->cert == 0) { /* answers no name, only the lack of others */
            p->default_has = true;
            continue;
        }
        p->matched = true;
        if (c == best || (p->usable != NULL && !p->usable(c, p->arg)))
            continue;
        if (best == NULL || better(x, c, best, &why)) {
            if (best != NULL)
                p->decider = why;
            best = c;
        } else if (p->decider < why) {
            p->decider = why; /* the closest rival tells what decided */
        }
    }
    return best;
}

const struct sni_cert *sni_pick(const struct sni_index *x, const char *name,
                                bool (*usable)(const struct sni_cert *cert, const void *arg),
                                const void *arg, enum sni_rule *rule, enum sni_decider *decider)
{
    struct pick p = { .index = x, .usable = usable, .arg = arg };
    const struct sni_cert *found = NULL;
    char wanted[NAME_MAX_BYTES + 1];
    enum sni_rule why = SNI_NO_NAME;
    size_t n = name == NULL ? 0 : name_length(name);

    if (n > 0 && n <= NAME_MAX_BYTES && name[0] != '*') {
        for (size_t i = 0; i < n; i++)
            wanted[i] = lower(name[i]);
        wanted[n] = '\0';
        why = SNI_EXACT;
        found = best_of(&p, wanted, n);
        if (found == NULL) {
            /* One label: everything before the first dot becomes the asterisk. */
            char *dot = strchr(wanted, '.');

            why = SNI_WILDCARD;
            if (dot != NULL && dot > wanted) {
                dot[-1] = '*';
                found = best_of(&p, dot - 1, n - (size_t)(dot - 1 - wanted));
            }
        }
        if (found == NULL)
            why = p.matched ? SNI_UNUSABLE : p.default_has ? SNI_DEFAULT_HAS : SNI_NO_MATCH;
    } else if (n > 0) {
        why = SNI_NO_MATCH;
    }
    if (rule != NULL)
        *rule = why;
    if (decider != NULL)
        *decider = found == NULL ? SNI_ONLY_ONE : p.decider;
    return found == NULL ? &x->certs[0] : found;
}

const char *sni_rule_text(enum sni_rule rule)
{
    static const char *const texts[SNI_N_RULES] = {
        [SNI_NO_NAME] = "default: no server name",
        [SNI_NO_MATCH] = "default: no certificate has the name",
        [SNI_DEFAULT_HAS] = "default: it has the name",
        [SNI_UNUSABLE] = "default: the client cannot use the matching certificates",
        [SNI_EXACT] = "exact name",
        [SNI_WILDCARD] = "wildcard",
    };

    return texts[rule];
}

const char *sni_decider_text(enum sni_decider decider)
{
    static const char *const texts[SNI_N_DECIDERS] = {
        [SNI_ONLY_ONE] = "the only match",
        [SNI_BY_KEY_ALGORITHM] = "key algorithm",
        [SNI_BY_HASH] = "hash",
        [SNI_BY_KEY_LENGTH] = "key length",
        [SNI_BY_VALIDITY] = "validity",
        [SNI_BY_POSITION] = "position in the list",
    };

    return texts[decider];
}
