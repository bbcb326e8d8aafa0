/* SPDX-License-Identifier: Apache-2.0
 * What the files of the certificate reader share with each other; nobody else includes this. */
#ifndef CERTS_X509_PARSE_IMPL_H
#define CERTS_X509_PARSE_IMPL_H

#include "certs/x509/cert_details.h"
#include "core/arena.h"

struct cert_parser {
    struct arena arena;
    struct cert_facts facts;
    struct cert_details details;
    uint8_t *own; /* the copy of the certificate */
};

/* A named curve that the JDK knows; NULL: it does not. */
struct parse_curve {
    const char *oid, *name;
    unsigned field_bits, order_bits;
};
const struct parse_curve *parse_curve_of(struct der_span oid);

/* Indefinite lengths of the outermost element, and of those directly within such, to definite ones
 * (parse_ber.c). NULL and `*out` (malloc'd), or the JDK's reason. */
const char *ber_definite(struct der_span in, uint8_t **out, size_t *len);

/* SubjectPublicKeyInfo and AlgorithmIdentifier (parse_key.c). NULL, or the JDK's reason. */
const char *parse_spki(struct cert_parser *p, struct der_span *rest);
struct algorithm {
    struct der_span oid, params; /* content of the identifier; its parameters, tag and all */
    char name[96];               /* the JDK's, or the dotted identifier */
};
const char *parse_algorithm(const struct der *alg, struct algorithm *out);

/* All of the extensions (parse_ext.c): `rest` is the content of [3]. */
const char *parse_extensions(struct cert_parser *p, struct der_span rest);

/* GeneralNames (general_names.c). `constraint`: as a subtree's base, where URIs and addresses
 * differ. */
const char *parse_general_name(struct cert_parser *p, const struct der *d, bool constraint,
                               struct cert_general_name *out);
const char *parse_general_names(struct cert_parser *p, struct der_span body,
                                struct cert_general_name **names, size_t *n);

#endif
