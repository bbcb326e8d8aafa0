/* SPDX-License-Identifier: Apache-2.0
 * The security policies of a TLS listener: what AWS publishes, one row per policy in
 * listeners/policies.def, and the parameters toward targets that each of them implies. */
#ifndef LISTENERS_POLICIES_H
#define LISTENERS_POLICIES_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/tls_params.h"

/* Decides the backend policy. Source: NLB guide, "Security policies", backend table; ordered by
 * precedence, the first match among the listeners wins (order as precedence is inferred). */
enum policy_family {
    POLICY_RFC9151,
    POLICY_FIPS_PQ,
    POLICY_FIPS,
    POLICY_PQ,
    POLICY_TLS13,
    POLICY_OTHER,
    POLICY_N_FAMILIES
};

/* How well something is known. */
enum policy_evidence { POLICY_DOCUMENTED, POLICY_REPORTED, POLICY_INFERRED };

struct policy {
    const char *name; /* full AWS name, "ELBSecurityPolicy-..." */
    enum policy_family family;
    struct tls_list versions;   /* newest first */
    struct tls_list suites;     /* preference order */
    struct tls_list groups;     /* classical groups in order */
    struct tls_list hybrids;    /* ML-KEM hybrids in order; come before `groups` */
    struct tls_list sigs;       /* signature schemes in order */
    uint16_t strong_group;      /* taken even at the price of a HelloRetryRequest; 0: none */
    const char *source;         /* of the protocols and suites */
    const char *details_source; /* of groups and schemes (AWS publishes none) */
    enum policy_evidence details_evidence;
    const char *note; /* for people; NULL: none */
};

/* What the API, CLI and CloudFormation take when none is named, and what the console proposes. */
#define POLICY_DEFAULT "ELBSecurityPolicy-2016-08"

/* All policies in table order. */
const struct policy *policy_all(size_t *count);
/* By AWS name (exactly as written; the prefix "ELBSecurityPolicy-" may be left out); NULL: none. */
const struct policy *policy_find(const char *name);
/* The name closest to a misspelt one, for suggestions; NULL when nothing is near. */
const char *policy_nearest(const char *name);
/* The policy whose row gives the parameters toward TLS targets. Never NULL. */
const struct policy *policy_backend(const struct policy *p);
/* The same for a load balancer: the family of highest precedence among `n` listener policies. */
const struct policy *policy_backend_of(const struct policy *const *policies, size_t n);

/* Names of the parts of the policy that this build cannot act out (versions, suites, groups,
 * schemes; as in AWS's and IANA's tables), asked of the TLS library. Fills at most `max` borrowed
 * static names; returns how many there are. POLICY_UNSUPPORTED_MAX is always enough. */
#define POLICY_UNSUPPORTED_MAX 64
size_t policy_unsupported(const struct policy *p, const char **out, size_t max);
/* The "versions", "ciphers" or "groups" of the policy of that name, comma-separated, into `out`;
 * false when there is no such policy. */
bool policy_list_text(const char *name, const char *what, char *out, size_t size);
const char *policy_family_name(enum policy_family family); /* "FIPS-PQ" */
const char *policy_evidence_name(enum policy_evidence evidence);

#endif
