/* SPDX-License-Identifier: Apache-2.0
 * Names as name constraints compare them. */
#ifndef CERTS_JUDGE_NAME_CONSTRAINTS_H
#define CERTS_JUDGE_NAME_CONSTRAINTS_H

#include "certs/judge/trust_impl.h"

/* One name, made comparable. */
struct nc_name {
    enum cert_name_kind kind;
    bool has_minimum, has_maximum;
    struct der_span raw;
    char *text; /* lower case; host of a URI; non-ASCII octets are all one character, as in Java */
    size_t len;
    bool no_host;     /* a URI without a host */
    bool host_is_dns; /* of a URI: not an address */
    struct x500_name dn;
    uint64_t net[2], mask[2]; /* of an address with a mask */
    bool host_bits;           /* the address has bits outside its mask */
};

/* What `input` is, seen from `base`. The JDK fails with an exception of its own on some pairs. */
enum nc_relation {
    NC_OTHER_TYPE,
    NC_MATCH,
    NC_NARROWS,
    NC_WIDENS,
    NC_SAME_TYPE,
    NC_THROWS,
    NC_UNSUPPORTED
};
/* `thrown`: the message of the exception, VERDICT_TEXT_MAX octets; written for NC_THROWS and
 * NC_UNSUPPORTED (an UnsupportedOperationException). */
enum nc_relation nc_compare(const struct nc_name *base, const struct nc_name *input, char *thrown);

/* NULL without memory or over budget. `constraint`: the base of a subtree. */
struct nc_name *nc_name_new(struct trust_run *run, const struct cert_general_name *from,
                            bool constraint);

struct nc_list {
    struct nc_name **at;
    size_t n, room;
    bool there; /* written, perhaps empty */
};

struct constraints {
    struct nc_list permitted, excluded;
};

/* nc_compare, paid for from the judgement's budget. False: over budget, or the JDK's own exception;
 * both are in `fault`. */
bool nc_compare_charged(struct trust_run *run, const struct nc_name *a, const struct nc_name *b,
                        enum nc_relation *r, struct fault *fault);

#endif
