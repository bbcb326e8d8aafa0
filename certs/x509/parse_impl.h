/* SPDX-License-Identifier: Apache-2.0
 * What the files of the certificate reader share with each other; nobody else includes this,
 * except the judge, who compares names by their canonical form. */
#ifndef CERTS_X509_PARSE_IMPL_H
#define CERTS_X509_PARSE_IMPL_H

#include "certs/x509/parse.h"
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

/* Decode an attribute value to UTF-8 as DerValue.getAsString does. False for another tag. */
bool x500_value_text(const struct der *value, char *out, size_t size);
/* The value of the last CN of a Name; false when there is none. */
bool x500_last_cn(struct der_span name, struct der *value);

struct cert_parser {
    struct arena arena;
    struct cert_facts facts;
    struct x500_name issuer, subject;
    uint8_t *own;             /* the copy of the certificate */
    struct der_span tbs_body; /* the JDK verifies a header of its own making before this */
    unsigned sig_unused_bits;
    bool nc_has_permitted, nc_has_excluded; /* written, perhaps empty */
    int32_t java_bc; /* X509Certificate.getBasicConstraints: -1 no CA, INT32_MAX no limit */
    struct der_span ski_value;  /* whole value of subjectKeyIdentifier, understood or not */
    struct der_span aki_serial; /* content of authorityCertSerialNumber; at NULL when absent */
    struct der_span san_value;
    struct der_span key_oid; /* content of the key's algorithm identifier */
    unsigned key_unused_bits;
    int32_t java_hash; /* Arrays.hashCode of the encoding: the order of a Java HashSet */
};

/* A named curve that the JDK knows; NULL: it does not. */
struct parse_curve {
    const char *oid, *name;
    unsigned field_bits, order_bits;
};
const struct parse_curve *parse_curve_of(struct der_span oid);

/* Parameters of an RSASSA-PSS signature; the digests by the JDK's names. */
struct pss_params {
    char digest[96], mgf_digest[96];
    int32_t salt_len, trailer;
};
const char *parse_pss_params(struct der_span params, struct pss_params *out);

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

/* Reasons that are this program's own begin so: the JDK's answer is not known. */
#define PARSE_LIMIT "nlbsim: "
bool parse_is_limit(const char *why);

/* All of the extensions (parse_ext.c): `rest` is the content of [3]. */
const char *parse_extensions(struct cert_parser *p, struct der_span rest);

/* GeneralNames (parse_names.c). `constraint`: as a subtree's base, where URIs and addresses differ.
 */
const char *parse_general_name(struct cert_parser *p, const struct der *d, bool constraint,
                               struct cert_general_name *out);
const char *parse_general_names(struct cert_parser *p, struct der_span body,
                                struct cert_general_name **names, size_t *n);

#endif
