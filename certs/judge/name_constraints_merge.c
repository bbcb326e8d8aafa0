/* SPDX-License-Identifier: Apache-2.0
 * Name constraints of several authorities made one, as the JDK's GeneralSubtrees does it, oddities
 * included. Source: measured on JDK 17.0.15. */
#include <stdio.h>
#include <string.h>

#include "certs/judge/name_constraints.h"

/* --- lists --- */
static bool list_add(struct trust_run *run, struct nc_list *l, struct nc_name *n)
{
    if (l->n == l->room) {
        size_t room = l->room == 0 ? 8 : 2 * l->room;
        struct nc_name **grown = arena_alloc(&run->arena, room * sizeof *grown);

        if (grown == NULL)
            return false;
        if (l->n > 0)
            memcpy(grown, l->at, l->n * sizeof *grown);
        l->at = grown;
        l->room = room;
    }
    l->at[l->n++] = n;
    return true;
}

static void list_remove(struct nc_list *l, size_t i)
{
    memmove(l->at + i, l->at + i + 1, (l->n - i - 1) * sizeof *l->at);
    l->n--;
}

static bool list_fill(struct trust_run *run, struct nc_list *l,
                      const struct cert_general_name *names, size_t n)
{
    l->there = true;
    for (size_t i = 0; i < n; i++) {
        struct nc_name *name = nc_name_new(run, &names[i], true);

        if (name == NULL || !list_add(run, l, name))
            return false;
    }
    return true;
}

/* A comparison whose exception becomes the client's. */
bool nc_compare_charged(struct trust_run *run, const struct nc_name *a, const struct nc_name *b,
                        enum nc_relation *r, struct fault *fault)
{
    char thrown[VERDICT_TEXT_MAX];

    if (!run_pay(run, 1)) {
        fault_set(fault, VERDICT_SIMULATOR_LIMIT, NULL, "too many comparisons of names");
        return false;
    }
    *r = nc_compare(a, b, thrown);
    if (*r != NC_THROWS && *r != NC_UNSUPPORTED)
        return true;
    if (*r == NC_UNSUPPORTED) { /* JSSE words this class of exception itself */
        fault_set(fault, VERDICT_NAME_FORM_UNSUPPORTED, NULL,
                  "Unsupported handshake message: certificate");
        fault_detail(fault, "java.lang.UnsupportedOperationException: %s", thrown);
    } else {
        fault_set(fault, VERDICT_CLIENT_CRASHED, NULL, "%s", thrown);
    }
    fault->runtime = true;
    return false;
}

/* --- merging --- */
static bool minimize(struct trust_run *run, struct nc_list *l, struct fault *fault)
{
    for (size_t i = 0; i + 1 < l->n;) {
        bool remove = false;

        for (size_t j = i + 1; j < l->n && !remove;) {
            enum nc_relation r;

            if (!nc_compare_charged(run, l->at[i], l->at[j], &r, fault))
                return false;
            if (r == NC_NARROWS)
                list_remove(l, j);
            else if (r == NC_MATCH || r == NC_WIDENS)
                remove = true;
            else
                j++;
        }
        if (remove)
            list_remove(l, i);
        else
            i++;
    }
    return true;
}

static bool list_union(struct trust_run *run, struct nc_list *l, const struct nc_list *other,
                       struct fault *fault)
{
    for (size_t i = 0; i < other->n; i++) {
        if (!list_add(run, l, other->at[i]))
            return false;
    }
    return minimize(run, l, fault);
}

/* The name that everything of this kind is below: the JDK can make it for directory names only, and
 * fails with an exception for the others. */
static bool widest(struct trust_run *run, const struct nc_name *like, struct nc_list *excluded,
                   struct fault *fault)
{
    static const uint8_t empty_name[] = { DER_SEQUENCE, 0 };
    static const char *const messages[] = {
        [CERT_NAME_OTHER] = "parameters may not be null",
        [CERT_NAME_EMAIL] = "Unexpected error: java.io.IOException: RFC822Name may not be null or "
                            "empty",
        [CERT_NAME_DNS] =
            "Unexpected error: java.io.IOException: DNSName must not be null or empty",
        [CERT_NAME_X400] = "",
        [CERT_NAME_DIRECTORY] = "",
        [CERT_NAME_EDI] = "",
        [CERT_NAME_URI] = "Unexpected error: java.io.IOException: URI name must include scheme:",
        [CERT_NAME_IP] = "Cannot read the array length because \"address\" is null",
        [CERT_NAME_RID] = "Unexpected error: java.io.IOException: Unable to create OIDName: "
                          "java.io.IOException: ObjectIdentifier() -- Invalid format: "
                          "java.lang.NumberFormatException: For input string: \"\"",
    };
    struct cert_general_name base = { .kind = CERT_NAME_DIRECTORY,
                                      .value = { empty_name, sizeof empty_name } };
    struct nc_name *n;

    if (like->kind != CERT_NAME_DIRECTORY) {
        fault_set(fault, VERDICT_CLIENT_CRASHED, NULL, "%s", messages[like->kind]);
        fault->runtime = true;
        return false;
    }
    for (size_t i = 0; i < excluded->n; i++) {
        if (excluded->at[i]->kind == CERT_NAME_DIRECTORY)
            return true;
    }
    n = nc_name_new(run, &base, true);
    excluded->there = true;
    return n != NULL && list_add(run, excluded, n);
}

/* Do any two of the same kind touch? */
static bool touches(struct trust_run *run, const struct nc_list *l, const struct nc_list *other,
                    enum cert_name_kind kind, bool *out, struct fault *fault)
{
    *out = false;
    for (size_t i = 0; i < l->n; i++) {
        for (size_t j = 0; l->at[i]->kind == kind && j < other->n; j++) {
            enum nc_relation r;

            if (!nc_compare_charged(run, l->at[i], other->at[j], &r, fault))
                return false;
            if (r == NC_MATCH || r == NC_WIDENS || r == NC_NARROWS) {
                *out = true;
                break;
            }
        }
    }
    return true;
}

/* One entry of `l` against the other list. `*keep`: it stays; `*narrowed`: what it shrinks to;
 * `*apart`: there are names of its kind in the other list, and none touches it. */
static bool meet(struct trust_run *run, const struct nc_name *entry, const struct nc_list *other,
                 struct nc_name **narrowed, bool *apart, struct fault *fault)
{
    *narrowed = NULL;
    *apart = false;
    for (size_t j = 0; j < other->n; j++) {
        enum nc_relation r;

        if (!nc_compare_charged(run, entry, other->at[j], &r, fault))
            return false;
        if (r == NC_OTHER_TYPE)
            continue;
        *apart = r == NC_SAME_TYPE;
        if (r == NC_NARROWS)
            *narrowed = other->at[j];
        if (r != NC_SAME_TYPE)
            return true;
    }
    return true;
}

/* Names of kinds that `l` does not speak of are taken over. */
static bool take_other_kinds(struct trust_run *run, struct nc_list *l, const struct nc_list *other,
                             struct fault *fault)
{
    for (size_t i = 0; i < other->n; i++) {
        bool other_kind = false;

        for (size_t j = 0; j < l->n; j++) {
            enum nc_relation r;

            if (!nc_compare_charged(run, l->at[j], other->at[i], &r, fault))
                return false;
            other_kind = r == NC_OTHER_TYPE;
            if (!other_kind)
                break;
        }
        if (other_kind && !list_add(run, l, other->at[i]))
            return false;
    }
    return true;
}

static bool intersect(struct trust_run *run, struct nc_list *l, struct nc_list *other,
                      struct nc_list *excluded, struct fault *fault)
{
    struct nc_list fresh = { 0 };

    if (l->n == 0)
        return list_union(run, l, other, fault);
    if (!minimize(run, l, fault) || !minimize(run, other, fault))
        return false;
    for (size_t i = 0; i < l->n;) {
        struct nc_name *narrowed;
        bool apart, touching = true;

        if (!meet(run, l->at[i], other, &narrowed, &apart, fault))
            return false;
        if (narrowed == NULL && !apart) {
            i++;
            continue;
        }
        if (narrowed != NULL && !list_add(run, &fresh, narrowed))
            return false;
        if (apart && !touches(run, l, other, l->at[i]->kind, &touching, fault))
            return false;
        if (!touching && !widest(run, l->at[i], excluded, fault))
            return false;
        list_remove(l, i);
    }
    if (fresh.n > 0 && !list_union(run, l, &fresh, fault))
        return false;
    return take_other_kinds(run, l, other, fault);
}

/* Permitted names that lie in an excluded tree are dropped; when none is left, nothing is
 * restricted any more (so it is in the JDK). */
static bool reduce(struct trust_run *run, struct constraints *c, struct fault *fault)
{
    for (size_t i = 0; i < c->excluded.n; i++) {
        for (size_t j = 0; j < c->permitted.n;) {
            enum nc_relation r;

            if (!nc_compare_charged(run, c->excluded.at[i], c->permitted.at[j], &r, fault))
                return false;
            if (r == NC_MATCH || r == NC_NARROWS)
                list_remove(&c->permitted, j);
            else
                j++;
        }
    }
    return true;
}

struct constraints *constraints_merge(struct trust_run *run, struct constraints *c,
                                      const struct cert_facts *cert, struct fault *fault)
{
    struct nc_list permitted = { 0 }, excluded = { 0 }, apart = { 0 };
    const struct cert_details *p = cert->details;
    bool first = c == NULL, ok;

    if (!cert->has_name_constraints)
        return c;
    if (first)
        c = arena_alloc(&run->arena, sizeof *c);
    if (c == NULL ||
        (p->nc_has_permitted &&
         !list_fill(run, &permitted, cert->nc_permitted, cert->n_nc_permitted)) ||
        (p->nc_has_excluded && !list_fill(run, &excluded, cert->nc_excluded, cert->n_nc_excluded)))
        return NULL;
    if (first) {
        c->permitted = permitted;
        c->excluded = excluded;
        return c;
    }
    if (!c->excluded.there) {
        c->excluded = excluded;
        ok = true;
    } else {
        ok = !excluded.there || list_union(run, &c->excluded, &excluded, fault);
    }
    if (ok && !c->permitted.there)
        c->permitted = permitted;
    else if (ok && permitted.there)
        ok = intersect(run, &c->permitted, &permitted, &apart, fault);
    if (ok && apart.there)
        ok = list_union(run, &c->excluded, &apart, fault);
    c->excluded.there = c->excluded.there || apart.there;
    return ok && reduce(run, c, fault) ? c : NULL;
}
