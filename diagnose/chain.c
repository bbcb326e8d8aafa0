/* SPDX-License-Identifier: Apache-2.0
 * The shape of a presented chain: twice, out of order, where it breaks off; and the chain drawn. */
#include "diagnose/chain.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/foreign.h"

#define NAME_MAX_TEXT 512
#define NOWHERE       SIZE_MAX

struct link {
    char *subject, *issuer;       /* X500Principal form */
    char *names;                  /* comma-separated; NULL: none */
    char *key, *refusal;          /* NULL: not known, none */
    char *key_id, *issuer_key_id; /* hexadecimal; NULL: none */
    int64_t not_before, not_after;
    bool self;
};

struct chain {
    struct link *at; /* as presented, leaf first */
    size_t n;
    struct link *anchors;
    size_t n_anchors;
    bool anchors_known;
    char *store; /* NULL: no name */
    int64_t at_utc;
    /* what follows from it */
    size_t top;      /* the last one that a path from the leaf reaches */
    size_t anchor;   /* the anchor that the path ends at, by name and key identifier; or NOWHERE */
    size_t namesake; /* an anchor of the missing name whose key is another one; or NOWHERE */
    size_t kin;      /* an anchor of the missing issuer's organisation; or NOWHERE */
};

/* --- from certificates --- */
static char *hex_text(struct der_span bytes)
{
    char *out = bytes.len == 0 ? NULL : malloc(3 * bytes.len + 1);

    if (out != NULL)
        cert_hex(bytes, out, 3 * bytes.len + 1);
    return out;
}

static char *join_names(const struct cert_facts *c)
{
    char *text = NULL, name[NAME_MAX_TEXT];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; out != NULL && i < c->n_sans; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "",
                cert_general_name_text(&c->sans[i], name, sizeof name));
    if (out == NULL || fclose(out) != 0 || size == 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool take_certificate(struct link *l, const struct cert_facts *c)
{
    char name[NAME_MAX_TEXT];

    l->subject = strdup(cert_name_text(c->subject, CERT_STYLE_JAVA, name, sizeof name));
    l->issuer = strdup(cert_name_text(c->issuer, CERT_STYLE_JAVA, name, sizeof name));
    l->names = join_names(c);
    if (c->key_bits > 0 && asprintf(&l->key, "%s %u", c->key_algorithm, c->key_bits) < 0)
        l->key = NULL;
    l->refusal = c->refusal[0] == '\0' ? NULL : strdup(c->refusal);
    l->key_id = hex_text(c->ski);
    l->issuer_key_id = hex_text(c->aki_key);
    l->not_before = c->not_before_utc;
    l->not_after = c->not_after_utc;
    l->self = c->self_issued;
    return l->subject != NULL && l->issuer != NULL;
}

static struct link *take_links(const struct cert_list *list, size_t *n)
{
    struct link *at = calloc(list->n + 1, sizeof *at);

    for (size_t i = 0; at != NULL && i < list->n; i++) {
        if (take_certificate(&at[*n], list->at[i]))
            ++*n;
    }
    return at;
}

/* --- from an event --- */
static char *json_text(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));

    return text == NULL ? NULL : strdup(text);
}

static int64_t json_time(const json_t *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j, key));
    char plain[24];
    int64_t out = 0;

    snprintf(plain, sizeof plain, "%.19sZ", text == NULL ? "" : text);
    return clock_parse_utc(plain, 0, &out) == 0 ? out : 0;
}

static void take_json(struct link *l, const json_t *j)
{
    *l = (struct link){
        .subject = json_text(j, "subject"),
        .issuer = json_text(j, "issuer"),
        .names = json_text(j, "names"),
        .key = json_text(j, "key"),
        .refusal = json_text(j, "malformed"),
        .key_id = json_text(j, "key_id"),
        .issuer_key_id = json_text(j, "issuer_key_id"),
        .not_before = json_time(j, "not_before"),
        .not_after = json_time(j, "not_after"),
        .self = json_is_true(json_object_get(j, "self_signed")),
    };
    if (l->subject == NULL)
        l->subject = strdup("");
    if (l->issuer == NULL)
        l->issuer = strdup("");
}

/* --- the shape --- */
static bool same_key_id(const struct link *of, const struct link *issuer)
{
    return of->issuer_key_id == NULL || issuer->key_id == NULL ||
           strcmp(of->issuer_key_id, issuer->key_id) == 0;
}

static bool issued(const struct link *issuer, const struct link *of)
{
    return strcmp(of->issuer, issuer->subject) == 0 && same_key_id(of, issuer);
}

static bool equal_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_link(const struct link *a, const struct link *b)
{
    return strcmp(a->subject, b->subject) == 0 && strcmp(a->issuer, b->issuer) == 0 &&
           a->not_after == b->not_after && a->not_before == b->not_before &&
           equal_text(a->key_id, b->key_id) && equal_text(a->names, b->names);
}

/* Position of the first copy; NOWHERE when `i` is none. */
static size_t copy_of(const struct chain *c, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (same_link(&c->at[k], &c->at[i]))
            return k;
    }
    return NOWHERE;
}

static bool issued_any(const struct chain *c, size_t i)
{
    for (size_t k = 0; k < c->n; k++) {
        if (k != i && copy_of(c, k) == NOWHERE && issued(&c->at[i], &c->at[k]))
            return true;
    }
    return false;
}

/* "O=…" of a name; NULL when there is none. */
static const char *organisation(const char *name, size_t *n)
{
    const char *at = strncmp(name, "O=", 2) == 0 ? name : strstr(name, ", O=");

    if (at == NULL)
        return NULL;
    at += at == name ? 2 : 4;
    *n = strcspn(at, ",");
    return at;
}

static bool same_organisation(const char *a, const char *b)
{
    size_t n, m;
    const char *one = organisation(a, &n), *other = organisation(b, &m);

    return one != NULL && other != NULL && n == m && strncmp(one, other, n) == 0;
}

static size_t find_anchor(const struct chain *c, bool (*fits)(const struct link *, const char *),
                          const char *name)
{
    for (size_t i = 0; i < c->n_anchors; i++) {
        if (fits(&c->anchors[i], name))
            return i;
    }
    return NOWHERE;
}

static bool has_name(const struct link *l, const char *name)
{
    return strcmp(l->subject, name) == 0;
}

static bool has_organisation(const struct link *l, const char *name)
{
    return same_organisation(l->subject, name);
}

static size_t issuing_anchor(const struct chain *c, const struct link *of)
{
    for (size_t i = 0; i < c->n_anchors; i++) {
        if (issued(&c->anchors[i], of) ||
            (of->self && strcmp(c->anchors[i].subject, of->subject) == 0 &&
             equal_text(c->anchors[i].key_id, of->key_id)))
            return i;
    }
    return NOWHERE;
}

/* From the leaf upwards by names, each certificate once. */
static void follow(struct chain *c)
{
    bool used[64] = { false };
    bool more = c->n > 0;

    c->top = 0;
    c->anchor = c->namesake = c->kin = NOWHERE;
    while (more) {
        const struct link *at = &c->at[c->top];

        used[c->top] = true;
        c->anchor = issuing_anchor(c, at);
        more = false;
        for (size_t i = 0; c->anchor == NOWHERE && !at->self && !more && i < c->n && i < 64; i++) {
            if (!used[i] && issued(&c->at[i], at)) {
                c->top = i;
                more = true;
            }
        }
    }
    if (c->n == 0 || c->anchor != NOWHERE)
        return;
    c->namesake = find_anchor(c, has_name, c->at[c->top].issuer);
    if (c->namesake == NOWHERE && !c->at[c->top].self)
        c->kin = find_anchor(c, has_organisation, c->at[c->top].issuer);
}

struct chain *chain_of_list(const struct cert_list *presented, const struct cert_list *anchors,
                            const char *store, int64_t at_utc)
{
    struct chain *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->at_utc = at_utc;
    c->at = take_links(presented, &c->n);
    if (anchors != NULL) {
        c->anchors = take_links(anchors, &c->n_anchors);
        c->anchors_known = c->anchors != NULL;
    }
    c->store = store == NULL ? NULL : strdup(store);
    if (c->at == NULL) {
        chain_free(c);
        return NULL;
    }
    follow(c);
    return c;
}

struct chain *chain_of_json(const json_t *certificates, int64_t at_utc)
{
    struct chain *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->at_utc = at_utc;
    c->at = calloc(json_array_size(certificates) + 1, sizeof *c->at);
    for (size_t i = 0; c->at != NULL && i < json_array_size(certificates); i++) {
        take_json(&c->at[c->n], json_array_get(certificates, i));
        if (c->at[c->n].subject == NULL || c->at[c->n].issuer == NULL)
            break;
        c->n++;
    }
    if (c->at == NULL) {
        chain_free(c);
        return NULL;
    }
    follow(c);
    return c;
}

static void free_links(struct link *at, size_t n)
{
    for (size_t i = 0; at != NULL && i < n; i++) {
        free(at[i].subject);
        free(at[i].issuer);
        free(at[i].names);
        free(at[i].key);
        free(at[i].refusal);
        free(at[i].key_id);
        free(at[i].issuer_key_id);
    }
    free(at);
}

void chain_free(struct chain *c)
{
    if (c == NULL)
        return;
    free_links(c->at, c->n);
    free_links(c->anchors, c->n_anchors);
    free(c->store);
    free(c);
}

size_t chain_length(const struct chain *c)
{
    return c == NULL ? 0 : c->n;
}

/* --- facts --- */
static const char *plain_subject(const struct link *l)
{
    return l->subject[0] != '\0' ? l->subject : "no subject";
}

static void shape_facts(const struct chain *c, struct facts *f)
{
    for (size_t i = 1; i < c->n; i++) {
        size_t first = copy_of(c, i);

        if (first != NOWHERE)
            facts_setf(f, "chain.twice", "certificate %zu is the same as certificate %zu", i + 1,
                       first + 1);
        else if (!issued_any(c, i))
            facts_setf(f, "chain.extra", "certificate %zu (%s) issued none of the others", i + 1,
                       plain_subject(&c->at[i]));
        else if (!issued(&c->at[i], &c->at[i - 1]))
            facts_setf(f, "chain.order", "certificate %zu did not issue the one before it", i + 1);
    }
}

/* Where the path from the leaf ends, when it ends at nothing trusted. */
static void end_facts(const struct chain *c, struct facts *f)
{
    const struct link *top = &c->at[c->top];

    facts_setf(f, "chain.end.position", "%zu", c->top + 1);
    facts_set(f, "chain.end", plain_subject(top));
    if (c->anchor != NOWHERE) {
        facts_set(f, "chain.anchor", c->anchors[c->anchor].subject);
        return;
    }
    if (c->namesake != NOWHERE)
        facts_set(f, "chain.namesake", c->anchors[c->namesake].subject);
    if (top->self && c->top > 0)
        facts_set(f, "chain.root", plain_subject(top));
    else if (!top->self)
        facts_set(f, "chain.gap", top->issuer);
    facts_flag(f, "chain.gap.root", strcasestr(top->issuer, "root") != NULL);
    if (c->kin != NOWHERE && c->top == 0)
        facts_set(f, "chain.kin", c->anchors[c->kin].subject);
}

void chain_facts(const struct chain *c, struct facts *f)
{
    char day[24];

    if (c == NULL || c->n == 0)
        return;
    facts_setf(f, "chain.n", "%zu", c->n);
    facts_setf(f, "chain.count", "%zu certificate%s", c->n, c->n == 1 ? "" : "s");
    facts_set(f, "chain.leaf", plain_subject(&c->at[0]));
    facts_set(f, "chain.names", c->at[0].names);
    facts_set(f, "chain.key", c->at[0].key);
    facts_flag(f, "chain.self_signed", c->at[0].self);
    facts_set(f, "chain.store", c->store);
    for (size_t i = 0; i < c->n; i++) {
        const struct link *l = &c->at[i];

        if (l->not_after != 0 && l->not_after < c->at_utc && !(l->self && i > 0)) {
            facts_setf(f, "chain.expired", "certificate %zu (%s) expired on %s", i + 1,
                       plain_subject(l), clock_format_day(l->not_after, day));
            break;
        }
        if (l->not_before > c->at_utc && !(l->self && i > 0)) {
            facts_setf(f, "chain.early", "certificate %zu (%s) is not valid before %s", i + 1,
                       plain_subject(l), clock_format_day(l->not_before, day));
            break;
        }
    }
    shape_facts(c, f);
    end_facts(c, f);
}

/* "a.example, *.b.example" against a host, as a client would by and large. */
static bool names_fit(const char *names, const char *host)
{
    const char *dot = strchr(host, '.');

    for (const char *at = names; *at != '\0';) {
        size_t n = strcspn(at, ",");

        if (n == strlen(host) && strncasecmp(at, host, n) == 0)
            return true;
        if (dot != NULL && n > 1 && at[0] == '*' && n - 1 == strlen(dot) &&
            strncasecmp(at + 1, dot, n - 1) == 0)
            return true;
        at += n;
        at += strspn(at, ", ");
    }
    return false;
}

void chain_name_fact(struct facts *f, const char *host)
{
    const char *names = facts_get(f, "chain.names");

    if (names != NULL && host != NULL)
        facts_flag(f, "chain.unfit", !names_fit(names, host));
}

void verdict_facts(const struct verdict *v, const struct cert_list *presented, struct facts *f)
{
    const struct cert_facts *at = NULL;
    char day[24], name[NAME_MAX_TEXT], what[640];

    if (v->ok)
        return;
    facts_set(f, "refusal", verdict_name(v->code));
    facts_set(f, "refusal.error", v->error);
    facts_set(f, "refusal.detail", v->detail);
    if (v->code == VERDICT_UNPARSEABLE && v->detail[0] != '\0')
        facts_setf(f, "refusal.why", " (%s)", v->detail);
    if (v->index >= 0 && (size_t)v->index < presented->n) {
        at = presented->at[v->index];
        facts_setf(f, "refusal.position", "%d", v->index + 1);
        if (v->index > 0)
            facts_setf(f, "refusal.above", "%d", v->index + 1);
    } else if (presented->n > 0) {
        at = presented->at[0];
    }
    facts_flag(f, "refusal.anchor", v->is_anchor);
    if (v->end != NULL)
        facts_set(f, "refusal.authority",
                  cert_name_text(v->end->subject, CERT_STYLE_JAVA, name, sizeof name));
    facts_set(f, "refusal.what", verdict_what(v, at, what, sizeof what));
    if (at == NULL)
        return;
    cert_name_text(at->subject, CERT_STYLE_JAVA, name, sizeof name);
    facts_set(f, "refusal.subject", name[0] != '\0' ? name : "no subject");
    facts_set(
        f, "refusal.date",
        clock_format_day(v->code == VERDICT_EXPIRED ? at->not_after_utc : at->not_before_utc, day));
}

/* --- the drawing --- */
static void draw_link(const struct chain *c, size_t i, const char *margin, FILE *out)
{
    const struct link *l = &c->at[i];
    size_t first = copy_of(c, i);
    char from[24], to[24];

    if (first != NOWHERE) {
        foreign_printf(out, "%s%zu the same certificate as %zu\n", margin, i + 1, first + 1);
        return;
    }
    foreign_printf(out, "%s%zu %s%s", margin, i + 1, i == 0 ? "leaf " : "", plain_subject(l));
    if (l->refusal != NULL) {
        foreign_printf(out, ": cannot be read: %s\n", l->refusal);
        return;
    }
    if (i == 0)
        foreign_printf(out, "; names: %s", l->names != NULL ? l->names : "none");
    if (l->key != NULL)
        foreign_printf(out, "; %s", l->key);
    foreign_printf(out, "; %s to %s\n", clock_format_day(l->not_before, from),
                   clock_format_day(l->not_after, to));
    if (l->self)
        foreign_printf(out, "%s  signed with its own key\n", margin);
    else
        foreign_printf(out, "%s  issued by %s\n", margin, l->issuer);
    if (l->not_after < c->at_utc && l->not_after != 0)
        foreign_printf(out, "%s  ✗ expired on %s\n", margin, to);
    if (l->not_before > c->at_utc)
        foreign_printf(out, "%s  ✗ not valid before %s\n", margin, from);
}

static void draw_end(const struct chain *c, const char *margin, FILE *out)
{
    const struct link *top = &c->at[c->top];
    const char *store = c->store != NULL ? c->store : "the client's trust store";

    if (c->anchor != NOWHERE)
        foreign_printf(out, "%s→ \"%s\" is in %s\n", margin, c->anchors[c->anchor].subject, store);
    else if (c->namesake != NOWHERE)
        foreign_printf(out, "%s✗ same name, other key: \"%s\" in %s did not sign %zu\n", margin,
                       c->anchors[c->namesake].subject, store, c->top + 1);
    else if (!c->anchors_known && top->self)
        foreign_printf(out, "%s? whether the client trusts \"%s\" is not known here\n", margin,
                       plain_subject(top));
    else if (!c->anchors_known)
        foreign_printf(
            out, "%s? \"%s\" issued %zu and is not presented: the client must have it itself\n",
            margin, top->issuer, c->top + 1);
    else if (top->self)
        foreign_printf(out, "%s✗ \"%s\" is not in %s\n", margin, plain_subject(top), store);
    else
        foreign_printf(out, "%s✗ nobody presented or trusted issued %zu: \"%s\" is missing\n",
                       margin, c->top + 1, top->issuer);
}

/* What the judge found at one certificate, where the drawing does not show it anyway. */
static bool marked(const struct verdict *v, size_t i)
{
    return v != NULL && !v->ok && v->index == (int)i && v->code != VERDICT_NO_PATH &&
           v->code != VERDICT_EXPIRED && v->code != VERDICT_NOT_YET_VALID;
}

void chain_draw(const struct chain *c, const struct verdict *v, const char *margin, FILE *out)
{
    char what[640];

    if (c == NULL || c->n == 0)
        return;
    for (size_t i = 0; i < c->n; i++) {
        draw_link(c, i, margin, out);
        if (marked(v, i))
            foreign_printf(out, "%s  ✗ %s\n", margin, verdict_what(v, NULL, what, sizeof what));
    }
    draw_end(c, margin, out);
}
