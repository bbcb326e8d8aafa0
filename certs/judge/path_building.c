/* SPDX-License-Identifier: Apache-2.0
 * Building a path from whatever was presented: the JDK's SunCertPathBuilder, leaf first, depth
 * first. Only the date check of an anchor that is the leaf's direct issuer is left out, as the
 * JDK leaves it out. */
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust_impl.h"

/* CAs that are not self-issued a built path may have: PKIXBuilderParameters' default. */
#define MAX_CAS 5
/* Certificates looked at in one search: a mesh of cross-signed authorities ends here. */
#define STEPS_MAX 30000

struct search {
    struct trust_run *run;
    struct fault *fault;
    const struct cert_facts **path; /* leaf first */
    size_t n;
    size_t steps;
    bool dates_armed; /* from the second look-up on, the JDK checks the dates of anchors too */
    const struct cert_facts *anchor; /* set when a path is complete */
    bool stop;                       /* an exception of the client's own */
};

struct candidate { /* of a tree that is sorted as it grows, like Java's TreeSet */
    const struct cert_facts *cert;
    bool named_key;    /* has the key identifier that the certificate below names */
    bool under_anchor; /* its issuer is a trusted subject */
    struct candidate *left, *right;
};

/* --- the order in which candidates are tried --- */
/* Hops between two names where one contains the other; `none` where neither does. */
static long distance(const struct x500_name *base, const struct x500_name *test, long none)
{
    size_t shorter = base->n < test->n ? base->n : test->n;

    if (x500_name_same(base, test))
        return 0;
    for (size_t i = 0; i < shorter; i++) {
        if (strcmp(base->rdns[i], test->rdns[i]) != 0)
            return none;
    }
    return (long)test->n - (long)base->n;
}

static size_t common(const struct x500_name *a, const struct x500_name *b)
{
    size_t i = 0;

    while (i < a->n && i < b->n && strcmp(a->rdns[i], b->rdns[i]) == 0)
        i++;
    return i;
}

static bool ski_is(const struct cert_facts *cert, struct der_span key_id)
{
    struct der_span v = cert->details->ski_value;
    uint8_t head[4] = { DER_OCTET_STRING, (uint8_t)key_id.len, 0, 0 };
    size_t n = 2;

    if (key_id.len > 127) {
        head[1] = (uint8_t)(key_id.len > 255 ? 0x82 : 0x81);
        head[2] = (uint8_t)(key_id.len > 255 ? key_id.len >> 8 : key_id.len);
        head[3] = (uint8_t)key_id.len;
        n = key_id.len > 255 ? 4 : 3;
    }
    return v.len == n + key_id.len && memcmp(v.at, head, n) == 0 &&
           (key_id.len == 0 || memcmp(v.at + n, key_id.at, key_id.len) == 0);
}

/* By name distance to one trusted subject; 0: it says nothing. */
static int compare_by(const struct x500_name *trusted, const struct x500_name *a,
                      const struct x500_name *b, bool ancestors)
{
    long x = distance(trusted, a, ancestors ? -1 : INT32_MAX);
    long y = distance(trusted, b, ancestors ? -1 : INT32_MAX);

    if (ancestors) { /* descendants of the trusted name, nearest first */
        if (x <= 0 && y <= 0)
            return 0;
        return x == y || y <= 0 || (x > 0 && x < y) ? -1 : 1;
    }
    if (x >= 0 && y >= 0)
        return 0;
    return x == y || y >= 0 || (x < 0 && x > y) ? -1 : 1;
}

/* By all trusted names: who is nearer to one of them? 0: that says nothing. */
static int compare_distances(const struct trust_anchors *t, const struct x500_name *a,
                             const struct x500_name *b)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < t->n; i++) {
            int r = compare_by(&t->certs[i]->details->subject, a, b, pass == 0);

            if (r != 0)
                return r;
        }
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t ca = common(&t->certs[i]->details->subject, a);
        size_t cb = common(&t->certs[i]->details->subject, b);
        long hops_a = (long)a->n - 2 * (long)ca, hops_b = (long)b->n - 2 * (long)cb;

        if (ca == 0 && cb == 0)
            continue;
        if (ca == 0 || cb == 0)
            return ca == 0 ? 1 : -1;
        if (hops_a != hops_b)
            return hops_a > hops_b ? 1 : -1;
    }
    return 0;
}

/* PKIXCertComparator; it is no order (nearly everything is "less"), so the tree's shape counts. */
static int compare_candidates(struct search *s, const struct candidate *a,
                              const struct candidate *b)
{
    const struct cert_details *x = a->cert->details, *y = b->cert->details;
    int r;

    if (same_cert(a->cert, b->cert))
        return 0;
    if (a->named_key || b->named_key)
        return a->named_key ? -1 : 1;
    if (a->under_anchor || b->under_anchor)
        return a->under_anchor ? -1 : 1;
    s->run->work += 4 * s->run->anchors->n;
    r = compare_distances(s->run->anchors, &x->issuer, &y->issuer);
    if (r != 0)
        return r;
    return distance(&y->subject, &y->issuer, INT32_MAX) <
                   distance(&x->subject, &x->issuer, INT32_MAX)
               ? 1
               : -1;
}

static bool add_candidate(struct search *s, struct candidate **root, const struct cert_facts *below,
                          const struct cert_facts *cert)
{
    struct candidate *c = arena_alloc(&s->run->arena, sizeof *c);
    size_t first;

    if (c == NULL)
        return false;
    c->cert = cert;
    c->named_key = below->aki_key.at != NULL && ski_is(cert, below->aki_key);
    c->under_anchor = anchors_find(s->run->anchors, &cert->details->issuer, &first) > 0;
    while (*root != NULL) {
        int r = compare_candidates(s, c, *root);

        if (r == 0)
            return true;
        s->run->work++;
        root = r < 0 ? &(*root)->left : &(*root)->right;
    }
    *root = c;
    return true;
}

/* --- which candidates there are --- */
static bool valid_at(const struct cert_facts *cert, int64_t when)
{
    return cert->not_before_utc <= when && when <= cert->not_after_utc;
}

/* Certificates of versions 1 and 2 must span the one below. */
static bool old_version_fits(const struct cert_facts *cert, const struct cert_facts *below)
{
    return cert->version >= 3 ||
           (valid_at(cert, below->not_before_utc) && valid_at(cert, below->not_after_utc));
}

/* Places of a Java HashSet that was made for `n` elements and holds them. */
static uint32_t set_size(size_t n)
{
    uint32_t size = 1;

    while (size < n || (size_t)size * 3 / 4 < n)
        size *= 2;
    return size;
}

/* Where in a HashSet of this many places. */
static uint32_t bucket(const struct cert_facts *cert, uint32_t size)
{
    uint32_t h = (uint32_t)cert->details->java_hash;

    return (h ^ h >> 16) & (size - 1);
}

struct in_bucket {
    const struct cert_facts *cert;
    uint32_t bucket;
    size_t order;
};

static int by_bucket(const void *x, const void *y)
{
    const struct in_bucket *a = x, *b = y;

    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static bool add_anchors(struct search *s, struct candidate **root, const struct cert_facts *below)
{
    const struct trust_anchors *t = s->run->anchors;
    size_t first, n = anchors_find(t, &below->details->issuer, &first);
    struct in_bucket *list = n > 0 ? arena_alloc(&s->run->arena, n * sizeof *list) : NULL;
    uint32_t size = set_size(t->n);

    if (n > 0 && list == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        list[i] =
            (struct in_bucket){ t->by_name[first + i], bucket(t->by_name[first + i], size), i };
    if (n > 1)
        qsort(list, n, sizeof *list, by_bucket);
    s->run->work += 20 * n;
    for (size_t i = 0; i < n; i++) {
        const struct cert_facts *c = list[i].cert;

        if (old_version_fits(c, below) && (!s->dates_armed || valid_at(c, s->run->req->at_utc)) &&
            !add_candidate(s, root, below, c))
            return false;
    }
    return true;
}

/* Of the presented certificates those that may stand above `below`. Java hands them out in the
 * order of a HashSet of 16 places, and of two on one place the one that came second first. */
static bool add_presented(struct search *s, struct candidate **root, const struct cert_facts *below,
                          int32_t traversed)
{
    const struct trust_request *req = s->run->req;
    struct in_bucket *list = arena_alloc(&s->run->arena, req->chain_len * sizeof *list);
    size_t n = 0, met = 0;

    if (list == NULL)
        return false;
    for (size_t i = 0; i < req->chain_len; i++) {
        const struct cert_facts *c = req->chain[i];
        size_t order;

        if (!issued_by_name(below, c))
            continue;
        order = met < 2 ? 1 - met : met;
        met++;
        if (valid_at(c, req->at_utc) && old_version_fits(c, below) &&
            c->details->java_bc >= traversed)
            list[n++] = (struct in_bucket){ c, bucket(c, 16), order };
    }
    if (n > 1)
        qsort(list, n, sizeof *list, by_bucket);
    for (size_t i = 0; i < n; i++) {
        if (!add_candidate(s, root, below, list[i].cert))
            return false;
    }
    return true;
}

static bool collect(struct search *s, struct candidate **root, const struct cert_facts *below,
                    int32_t traversed)
{
    if (!add_anchors(s, root, below))
        return false;
    s->dates_armed = true;
    return traversed >= MAX_CAS || add_presented(s, root, below, traversed);
}

/* --- the search --- */
static bool is_anchor(const struct search *s, const struct cert_facts *cert)
{
    const struct trust_anchors *t = s->run->anchors;
    size_t first, n = anchors_find(t, &cert->details->subject, &first);

    for (size_t i = first; i < first + n; i++) {
        if (same_cert(t->by_name[i], cert))
            return true;
    }
    return false;
}

/* Already on the path: the same certificate, or the same name, key and alternative names. */
static bool repeated(const struct search *s, const struct cert_facts *cert)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct cert_facts *on = s->path[i];

        if (same_cert(on, cert) ||
            (same_subject(on, cert) && same_key(on, cert) && on->has_san == cert->has_san &&
             der_span_eq(on->details->san_value, cert->details->san_value)))
            return true;
    }
    return false;
}

static bool usable(struct search *s, const struct cert_facts *cert, bool leaf)
{
    if (is_anchor(s, cert))
        return true;
    if (!run_pay(s->run, cert->n_extensions) || path_critical(cert))
        return false;
    return leaf || (cert->details->java_bc != -1 &&
                    (!cert->has_key_usage || (cert->key_usage & CERT_KU_KEY_CERT_SIGN) != 0));
}

/* The path ends in `anchor`: is it good? */
static bool complete(struct search *s, const struct cert_facts *anchor)
{
    const struct cert_facts **path =
        arena_alloc(&s->run->arena, (s->n + 1) * sizeof(struct cert_facts *));

    if (path == NULL)
        return false;
    for (size_t i = 0; i < s->n; i++)
        path[i] = s->path[s->n - 1 - i];
    if (path_check(s->run, anchor, path, s->n, true, s->fault)) {
        s->anchor = anchor;
        return true;
    }
    s->stop =
        s->fault->runtime || s->fault->code == VERDICT_NO_MEMORY || s->run->work > TRUST_WORK_MAX;
    return false;
}

static void descend(struct search *s, const struct cert_facts *below, int32_t traversed,
                    bool self_issued);

/* Try one candidate and what is above it. False: the JDK gives the whole level up here. */
static bool try_one(struct search *s, const struct cert_facts *cert, int32_t traversed,
                    bool below_self_issued)
{
    if (repeated(s, cert) || !usable(s, cert, s->n == 0))
        return true;
    if (!run_pay(s->run, ++s->steps > STEPS_MAX ? TRUST_WORK_MAX + 1 : 100)) {
        s->stop = true;
        return false;
    }
    if (is_anchor(s, cert)) {
        complete(s, cert);
        return true;
    }
    if (below_self_issued && cert->self_issued)
        return false;
    if (s->n > 0 && !cert->self_issued && cert->details->java_bc != -1)
        traversed++;
    s->path[s->n++] = cert;
    descend(s, cert, traversed, cert->self_issued);
    if (s->anchor == NULL)
        s->n--;
    return true;
}

/* In order, left to right. False: stop this level. */
static bool try_tree(struct search *s, const struct candidate *c, int32_t traversed,
                     bool below_self_issued)
{
    for (; c != NULL; c = c->right) {
        if (!try_tree(s, c->left, traversed, below_self_issued) || s->anchor != NULL || s->stop)
            return false;
        if (!try_one(s, c->cert, traversed, below_self_issued) || s->anchor != NULL || s->stop)
            return false;
    }
    return true;
}

static void descend(struct search *s, const struct cert_facts *below, int32_t traversed,
                    bool self_issued)
{
    struct candidate *root = NULL;

    if (!collect(s, &root, below, traversed)) {
        s->stop = true;
        return;
    }
    try_tree(s, root, traversed, self_issued);
}

bool path_build(struct trust_run *run, const struct cert_facts **anchor, struct fault *fault)
{
    const struct cert_facts *leaf = run->req->chain[0];
    struct search s = { .run = run, .fault = fault };

    s.path = arena_alloc(&run->arena, (run->req->chain_len + 1) * sizeof(struct cert_facts *));
    if (s.path == NULL) {
        fault_set(fault, VERDICT_NO_MEMORY, NULL, "no memory");
        return false;
    }
    fault->runtime = false;
    if (valid_at(leaf, run->req->at_utc))
        try_one(&s, leaf, 0, false);
    *anchor = s.anchor;
    return s.anchor != NULL;
}
