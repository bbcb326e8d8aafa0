/* SPDX-License-Identifier: Apache-2.0
 * The canonical form of an X.500 name: what "the same name" means to the JDK. */
#ifndef CERTS_X509_X500_NAME_H
#define CERTS_X509_X500_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "certs/x509/der.h"
#include "core/arena.h"

/* A Name, made comparable: RFC 2253 text, case folded and normalized, as the JDK's
 * AVA.toRFC2253CanonicalString does it. */
struct x500_name {
    const char **rdns; /* canonical text of each relative name, in the order written */
    size_t *n_avas;    /* how many attributes each has */
    size_t n;
    bool empty;        /* no attribute at all */
    const char *canon; /* all of it: the relative names, most specific first, joined by ',' */
};
/* Read a Name element; NULL, or the JDK's reason. */
const char *x500_name_parse(struct der_span name, struct arena *a, struct x500_name *out);
bool x500_name_same(const struct x500_name *a, const struct x500_name *b);
/* The same of two Name elements (X500Name.equals: case, inner spaces and string type do not
 * count). */
bool x500_name_equal(struct der_span a, struct der_span b);

#endif
