/* SPDX-License-Identifier: Apache-2.0
 * Certificate policies: RFC 5280's valid policy tree as the JDK walks it, with any policy accepted
 * at the start. All that can come of it is a tree that has died where a policy is demanded. */
#include <string.h>

#include "certs/judge/trust_impl.h"

/* A tree larger than this is an attack: the judgement ends for its cost. */
#define NODES_MAX 2000

/* What making a node or an entry costs, in the unit of TRUST_WORK_MAX. */
#define MAKE_COST 20

struct oid_list {
    struct oid_list *next;
    struct der_span oid;
};

struct node {
    struct node *parent, *next; /* `next` on the same level */
    struct der_span policy;
    struct oid_list *expected;
    bool by_mapping; /* its expected policies come from a mapping: further ones are added */
    bool dead;
    size_t n_children;
};

struct policy_state {
    size_t n_certs, index; /* certificates of the path; the one at hand, from 1 */
    int64_t explicit_policy, mapping, inhibit_any;
    struct node **levels; /* levels[d]: nodes of depth d; NULL tree: `dead` */
    size_t n_nodes;
    bool dead;
};

static const uint8_t any_octets[] = { 0x55, 0x1d, 0x20, 0x00 };

static bool is_any(struct der_span oid)
{
    return der_span_eq(oid, der_span_of(any_octets, sizeof any_octets));
}

static bool has(struct trust_run *run, const struct oid_list *l, struct der_span oid)
{
    for (; l != NULL && run_pay(run, 1); l = l->next) {
        if (der_span_eq(l->oid, oid))
            return true;
    }
    return false;
}

static bool add_oid(struct trust_run *run, struct oid_list **l, struct der_span oid)
{
    struct oid_list *item = run_pay(run, MAKE_COST) ? arena_alloc(&run->arena, sizeof *item) : NULL;

    if (item == NULL)
        return false;
    *item = (struct oid_list){ *l, oid };
    *l = item;
    return true;
}

/* A new node on `depth`; `expected` is its one expected policy. */
static struct node *add_node(struct trust_run *run, struct policy_state *s, size_t depth,
                             struct node *parent, struct der_span policy, struct der_span expected)
{
    struct node *n;

    if (!run_pay(run, s->n_nodes < NODES_MAX ? MAKE_COST : TRUST_WORK_MAX + 1))
        return NULL;
    n = arena_alloc(&run->arena, sizeof *n);
    if (n == NULL || !add_oid(run, &n->expected, expected))
        return NULL;
    n->parent = parent;
    n->policy = policy;
    n->next = s->levels[depth];
    s->levels[depth] = n;
    s->n_nodes++;
    if (parent != NULL)
        parent->n_children++;
    return n;
}

static void kill_node(struct node *n)
{
    if (n->dead)
        return;
    n->dead = true;
    if (n->parent != NULL)
        n->parent->n_children--;
}

/* Nodes above `depth` without children die, from below up. */
static void prune(struct policy_state *s, size_t depth)
{
    for (size_t d = depth; d-- > 1;) {
        for (struct node *n = s->levels[d]; n != NULL; n = n->next) {
            if (n->n_children == 0)
                kill_node(n);
        }
    }
    if (s->levels[0]->n_children == 0)
        s->dead = true;
}

struct policy_state *policy_start(struct trust_run *run, size_t n_certs)
{
    struct policy_state *s = arena_alloc(&run->arena, sizeof *s);
    struct der_span any = der_span_of(any_octets, sizeof any_octets);

    if (s == NULL)
        return NULL;
    s->n_certs = n_certs;
    s->index = 1;
    s->explicit_policy = s->mapping = s->inhibit_any = (int64_t)n_certs + 1;
    s->levels = arena_alloc(&run->arena, (n_certs + 1) * sizeof *s->levels);
    if (s->levels == NULL || add_node(run, s, 0, NULL, any, any) == NULL)
        return NULL;
    return s;
}

/* Children for one policy of the certificate. `match_any`: under parents that expect any policy. */
static bool under_parents(struct trust_run *run, struct policy_state *s, struct der_span policy,
                          bool match_any)
{
    struct der_span any = der_span_of(any_octets, sizeof any_octets);
    bool found = false;

    for (struct node *p = s->levels[s->index - 1]; p != NULL && run_pay(run, 2); p = p->next) {
        if (p->dead || !has(run, p->expected, match_any ? any : policy))
            continue;
        found = true;
        add_node(run, s, s->index, p, policy, policy);
    }
    return found;
}

/* anyPolicy in the certificate: every policy that a parent expects and no child has yet. */
static bool has_child(struct trust_run *run, const struct policy_state *s, const struct node *p,
                      struct der_span policy)
{
    for (const struct node *c = s->levels[s->index]; c != NULL && run_pay(run, 1); c = c->next) {
        if (!c->dead && c->parent == p && der_span_eq(c->policy, policy))
            return true;
    }
    return false;
}

static void under_all_parents(struct trust_run *run, struct policy_state *s)
{
    for (struct node *p = s->levels[s->index - 1]; p != NULL; p = p->next) {
        for (struct oid_list *e = p->dead ? NULL : p->expected; e != NULL && run_pay(run, 1);
             e = e->next) {
            if (!has_child(run, s, p, e->oid))
                add_node(run, s, s->index, p, e->oid, e->oid);
        }
    }
}

static bool process_policies(struct trust_run *run, struct policy_state *s,
                             const struct cert_facts *cert, bool last, struct fault *fault)
{
    bool any = false;

    for (size_t i = 0; i < cert->n_policies && run_pay(run, 1); i++) {
        struct der_span oid = cert->policies[i].oid;

        if (is_any(oid)) {
            any = true;
            continue;
        }
        if (cert->policies_critical && cert->policies[i].has_qualifiers) {
            fault_set(fault, VERDICT_POLICY_QUALIFIERS, cert,
                      "critical policy qualifiers present in certificate");
            return false;
        }
        if (!under_parents(run, s, oid, false))
            under_parents(run, s, oid, true);
    }
    if (any && (s->inhibit_any > 0 || (!last && cert->self_issued)))
        under_all_parents(run, s);
    prune(s, s->index);
    return true;
}

/* One mapping; false when a node had to die. */
static bool map_one(struct trust_run *run, struct policy_state *s,
                    const struct cert_policy_mapping *m)
{
    struct node *first = s->levels[s->index];
    bool found = false, kept = true;

    for (struct node *n = first; n != NULL && run_pay(run, 1); n = n->next) {
        if (n->dead || !der_span_eq(n->policy, m->issuer_domain))
            continue;
        found = true;
        if (s->mapping == 0) {
            kill_node(n);
            kept = false;
        } else {
            if (!n->by_mapping)
                n->expected = NULL;
            n->by_mapping = true;
            add_oid(run, &n->expected, m->subject_domain);
        }
    }
    for (struct node *n = first; !found && s->mapping != 0 && n != NULL; n = n->next) {
        struct node *added;

        if (!run_pay(run, 1))
            break;
        if (n->dead || !is_any(n->policy))
            continue;
        added = add_node(run, s, s->index, n->parent, m->issuer_domain, m->subject_domain);
        if (added != NULL)
            added->by_mapping = true;
    }
    return kept;
}

static bool process_mappings(struct trust_run *run, struct policy_state *s,
                             const struct cert_facts *cert, struct fault *fault)
{
    bool kept = true;

    for (size_t i = 0; i < cert->n_mappings && run_pay(run, 1); i++) {
        const struct cert_policy_mapping *m = &cert->mappings[i];

        if (is_any(m->issuer_domain) || is_any(m->subject_domain)) {
            fault_set(fault, VERDICT_POLICY, cert, "encountered %s of ANY_POLICY",
                      is_any(m->issuer_domain) ? "an issuerDomainPolicy" : "a subjectDomainPolicy");
            return false;
        }
        kept = map_one(run, s, m) && kept;
    }
    if (!kept)
        prune(s, s->index);
    return true;
}

static int64_t lowered(int64_t count, const struct cert_facts *cert, int written)
{
    if (count > 0 && !cert->self_issued)
        count--;
    return written != -1 && written < count ? written : count;
}

bool policy_check(struct trust_run *run, struct policy_state *s, const struct cert_facts *cert,
                  struct fault *fault)
{
    bool last = s->index == s->n_certs;
    int64_t explicit_policy = s->explicit_policy;

    if (cert->has_policies && !s->dead && !process_policies(run, s, cert, last, fault))
        return false;
    if (!cert->has_policies)
        s->dead = true;
    if (!s->dead && !last && !process_mappings(run, s, cert, fault))
        return false;
    if (last) {
        if (explicit_policy > 0 && !cert->self_issued)
            explicit_policy--;
        if (cert->require_explicit_policy == 0)
            explicit_policy = 0;
    }
    if (explicit_policy == 0 && s->dead) {
        fault_set(fault, VERDICT_POLICY, cert,
                  "non-null policy tree required and policy tree is null");
        return false;
    }
    if (!last) {
        s->explicit_policy = lowered(s->explicit_policy, cert, cert->require_explicit_policy);
        s->mapping = lowered(s->mapping, cert, cert->inhibit_policy_mapping);
        s->inhibit_any = lowered(s->inhibit_any, cert, cert->inhibit_any_policy);
    }
    s->index++;
    return true;
}
