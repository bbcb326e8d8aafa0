/* SPDX-License-Identifier: Apache-2.0
 * Trust anchors, findable by subject. */
#include <stdlib.h>
#include <string.h>

#include "certs/judge/trust_impl.h"
#include "certs/store/trust_store.h"

static const char *subject_of(const struct cert_facts *f)
{
    return f->details->subject.canon;
}

static int by_subject(const void *a, const void *b)
{
    return strcmp(subject_of(*(struct cert_facts *const *)a),
                  subject_of(*(struct cert_facts *const *)b));
}

struct trust_anchors *trust_anchors_new(struct cert_facts *const *certs, size_t n,
                                        bool public_authorities)
{
    struct trust_anchors *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->public_authorities = public_authorities;
    a->certs = calloc(n + 1, sizeof(struct cert_facts *));
    a->by_name = calloc(n + 1, sizeof(struct cert_facts *));
    if (a->certs == NULL || a->by_name == NULL) {
        trust_anchors_free(a);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (certs[i] != NULL && certs[i]->refusal[0] == '\0')
            a->by_name[a->n++] = certs[i];
    }
    memcpy(a->certs, a->by_name, a->n * sizeof(struct cert_facts *));
    if (a->n > 1)
        qsort(a->by_name, a->n, sizeof(struct cert_facts *), by_subject);
    return a;
}

struct trust_anchors *trust_anchors_of(const struct trust_store *store, bool public_authorities)
{
    struct trust_anchors *a =
        trust_anchors_new(store->list.at, store->list.n, public_authorities || store->by_list);

    if (a == NULL || !store->by_list)
        return a;
    a->by_list = true;
    a->left_out = trust_anchors_new(store->left_out.at, store->left_out.n, true);
    if (a->left_out != NULL)
        return a;
    trust_anchors_free(a);
    return NULL;
}

/* Is one of these the certificate, octet for octet? */
bool anchors_have(const struct trust_anchors *a, const struct cert_facts *cert)
{
    size_t first, n = anchors_find(a, &cert->details->subject, &first);

    for (size_t i = first; i < first + n; i++) {
        if (same_cert(a->by_name[i], cert))
            return true;
    }
    return false;
}

void trust_anchors_free(struct trust_anchors *anchors)
{
    if (anchors == NULL)
        return;
    trust_anchors_free(anchors->left_out);
    free(anchors->certs);
    free(anchors->by_name);
    free(anchors);
}

size_t anchors_find(const struct trust_anchors *a, const struct x500_name *name, size_t *first)
{
    size_t low = 0, high = a->n, end;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(subject_of(a->by_name[mid]), name->canon) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    for (end = low; end < a->n && strcmp(subject_of(a->by_name[end]), name->canon) == 0; end++)
        ;
    *first = low;
    return end - low;
}

bool same_key(const struct cert_facts *a, const struct cert_facts *b)
{
    return der_span_eq(a->spki, b->spki) ||
           (der_span_eq(a->details->key_oid, b->details->key_oid) &&
            der_span_eq(a->key_params, b->key_params) &&
            a->details->key_unused_bits == b->details->key_unused_bits &&
            der_span_eq(a->key_bits_at, b->key_bits_at));
}
