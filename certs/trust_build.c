/* SPDX-License-Identifier: Apache-2.0
 * Building a path from whatever was presented: the JDK's SunCertPathBuilder, leaf first, depth
 * first. Only the date check of an anchor that is the leaf's direct issuer is left out, as the
 * JDK leaves it out. */
#include <string.h>

#include "certs/trust_impl.h"

/* CAs that are not self-issued a built path may have: PKIXBuilderParameters' default. */
#define MAX_CAS 5
/* Certificates looked at in one search: a mesh of cross-signed authorities ends here. */
#define STEPS_MAX 200000
/* Paths that reached an anchor and were checked in one search. */
#define COMPLETED_MAX 500

struct search {
    struct trust_run *run;
    struct fault *fault;
    const struct cert_facts **path; /* leaf first */
    size_t n;
    size_t steps, completed;
    bool dates_armed; /* from the second look-up on, the JDK checks the dates of anchors too */
    const struct cert_facts *anchor; /* set when a path is complete */
    bool stop;                       /* an exception of the client's own */
};

struct candidate { /* of a tree that is sorted as it grows, like Java's TreeSet */
    const struct cert_facts *cert;
    struct candidate *left, *right;
};

/* --- the order in which candidates are tried
 * --------------------------------------------------------- */
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
    struct der_span v = priv(cert)->ski_value;
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

static int compare_candidates(const struct search *s, const struct cert_facts *below,
                              const struct cert_facts *a, const struct cert_facts *b)
{
    const struct x500_name *ia = &priv(a)->issuer, *ib = &priv(b)->issuer;
    const struct trust_anchors *t = s->run->anchors;
    size_t first;
    long x, y;

    if (same_cert(a, b))
        return 0;
    if (below != NULL && below->aki_key.at != NULL) {
        if (ski_is(a, below->aki_key))
            return -1;
        if (ski_is(b, below->aki_key))
            return 1;
    }
    if (anchors_find(t, ia, &first) > 0)
        return -1;
    if (anchors_find(t, ib, &first) > 0)
        return 1;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < t->n; i++) {
            int r = compare_by(&priv(t->certs[i])->subject, ia, ib, pass == 0);

            if (r != 0)
                return r;
        }
    }
    for (size_t i = 0; i < t->n; i++) {
        const struct x500_name *ts = &priv(t->certs[i])->subject;
        size_t ca = common(ts, ia), cb = common(ts, ib);

        if (ca == 0 && cb == 0)
            continue;
        if (ca == 0 || cb == 0)
            return ca == 0 ? 1 : -1;
        if (ia->n - 2 * ca != ib->n - 2 * cb)
            return (long)ia->n - 2 * (long)ca > (long)ib->n - 2 * (long)cb ? 1 : -1;
    }
    x = distance(&priv(a)->subject, ia, INT32_MAX);
    y = distance(&priv(b)->subject, ib, INT32_MAX);
    return y < x ? 1 : -1;
}

static bool add_candidate(struct search *s, struct candidate **root, const struct cert_facts *below,
                          const struct cert_facts *cert)
{
    while (*root != NULL) {
        int r = compare_candidates(s, below, cert, (*root)->cert);

        if (r == 0)
            return true;
        root = r < 0 ? &(*root)->left : &(*root)->right;
    }
    *root = arena_alloc(&s->run->arena, sizeof **root);
    if (*root == NULL)
        return false;
    (*root)->cert = cert;
    return true;
}

/* --- which candidates there are
 * ---------------------------------------------------------------------- */
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

/* Position of an anchor in a Java HashSet that was made for `n` elements. */
static uint32_t bucket(const struct cert_facts *cert, size_t n)
{
    uint32_t h = (uint32_t)priv(cert)->java_hash, size = 1;

    while (size < n || (size_t)size * 3 / 4 < n)
        size *= 2;
    return (h ^ h >> 16) & (size - 1);
}

static bool add_anchors(struct search *s, struct candidate **root, const struct cert_facts *below)
{
    const struct trust_anchors *t = s->run->anchors;
    size_t first, n = anchors_find(t, &priv(below)->issuer, &first);
    uint32_t done = 0;
    bool any = true;

    for (size_t left = n, guard = 0; left > 0 && any && guard <= n; guard++) {
        uint32_t next = UINT32_MAX;

        any = false;
        for (size_t i = first; i < first + n; i++) { /* the lowest bucket not yet done */
            uint32_t b = bucket(t->by_name[i], t->n);

            if (b >= done && b < next)
                next = b;
        }
        for (size_t i = first; i < first + n && next != UINT32_MAX; i++) {
            const struct cert_facts *c = t->by_name[i];

            if (bucket(c, t->n) != next)
                continue;
            any = true;
            left--;
            if (old_version_fits(c, below) &&
                (!s->dates_armed || valid_at(c, s->run->req->at_utc)) &&
                !add_candidate(s, root, below, c))
                return false;
        }
        done = next + 1;
    }
    return true;
}

static bool collect(struct search *s, struct candidate **root, const struct cert_facts *below,
                    int32_t traversed)
{
    const struct trust_request *req = s->run->req;

    if (!add_anchors(s, root, below))
        return false;
    s->dates_armed = true;
    for (size_t i = 0; i < req->chain_len && traversed < MAX_CAS; i++) {
        const struct cert_facts *c = req->chain[i];

        if (issued_by_name(below, c) && valid_at(c, req->at_utc) && old_version_fits(c, below) &&
            priv(c)->java_bc >= traversed && !add_candidate(s, root, below, c))
            return false;
    }
    return true;
}

/* --- the search
 * ---------------------------------------------------------------------------------------- */
static bool is_anchor(const struct search *s, const struct cert_facts *cert)
{
    const struct trust_anchors *t = s->run->anchors;
    size_t first, n = anchors_find(t, &priv(cert)->subject, &first);

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
             der_span_eq(priv(on)->san_value, priv(cert)->san_value)))
            return true;
    }
    return false;
}

static bool usable(const struct search *s, const struct cert_facts *cert, bool leaf)
{
    if (is_anchor(s, cert))
        return true;
    if (path_critical(cert))
        return false;
    return leaf || (priv(cert)->java_bc != -1 &&
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
    s->stop = s->fault->runtime || s->fault->code == VERDICT_NO_MEMORY ||
              s->run->work > TRUST_WORK_MAX || ++s->completed > COMPLETED_MAX;
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
    if (++s->steps > STEPS_MAX) {
        s->stop = true;
        return false;
    }
    if (is_anchor(s, cert)) {
        complete(s, cert);
        return true;
    }
    if (below_self_issued && cert->self_issued)
        return false;
    if (s->n > 0 && !cert->self_issued && priv(cert)->java_bc != -1)
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
