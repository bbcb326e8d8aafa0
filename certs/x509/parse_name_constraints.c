/* SPDX-License-Identifier: Apache-2.0
 * The nameConstraints extension: its permitted and excluded subtrees. */
#include "certs/x509/parse_ext.h"

static const char *subtree(struct cert_parser *p, struct der_span body,
                           struct cert_general_name *out)
{
    struct der d;
    int32_t v;
    const char *why = der_next(&body, &d);

    if (why == NULL)
        why = parse_general_name(p, &d, true, out);
    while (why == NULL && body.len > 0) {
        why = der_next(&body, &d);
        if (why == NULL && d.tag != 0x80 && d.tag != 0x81)
            why = "java.io.IOException: Invalid encoding of GeneralSubtree.";
        if (why == NULL)
            why = der_int32(&d, &v);
        if (why == NULL && d.tag == 0x80)
            out->has_minimum = v != 0;
        else if (why == NULL)
            out->has_maximum = v != -1;
    }
    return why;
}

static const char *subtrees(struct cert_parser *p, struct der_span body,
                            struct cert_general_name **names, size_t *n)
{
    while (body.len > 0) {
        struct cert_general_name *slot = arena_append(&p->arena, (void **)names, n, sizeof *slot);
        struct der d;
        const char *why = der_next(&body, &d);

        if (why == NULL && slot == NULL)
            why = "no memory";
        if (why == NULL && d.tag != DER_SEQUENCE)
            why = "java.io.IOException: Invalid encoding for GeneralSubtree.";
        if (why == NULL)
            why = subtree(p, d.body, slot);
        if (why != NULL)
            return why;
    }
    return NULL;
}

const char *ext_name_constraints(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_facts *f = &p->facts;
    bool permitted = false, excluded = false;
    struct der_span body;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        struct der d;

        why = der_next(&body, &d);
        if (why != NULL)
            break;
        if (d.tag == 0xa0 && !permitted) {
            permitted = true;
            why = subtrees(p, d.body, &f->nc_permitted, &f->n_nc_permitted);
        } else if (d.tag == 0xa1 && !excluded) {
            excluded = true;
            why = subtrees(p, d.body, &f->nc_excluded, &f->n_nc_excluded);
        } else {
            why = "java.io.IOException: Invalid encoding of NameConstraintsExtension.";
        }
    }
    f->has_name_constraints = why == NULL;
    p->details.nc_has_permitted = permitted;
    p->details.nc_has_excluded = excluded;
    if (why != NULL)
        f->n_nc_permitted = f->n_nc_excluded = 0;
    return why;
}
