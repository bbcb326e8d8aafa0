/* SPDX-License-Identifier: Apache-2.0
 * Which certificate a TLS listener serves: an index by name over the certificate list, and AWS's
 * order of preference among several matches.
 * Source: NLB guide, "Server certificates for your Network Load Balancer", facts in order:
 *   no server name: the default certificate · a name that matches nothing: the default certificate,
 *   never an alert · several matches the client can use: ECDSA before RSA, SHA before MD5, longest
 *   key, validity.
 * Inferred: exact name before wildcard (s2n does so); the default certificate takes part only as
 * the fallback; "validity" means the latest end (a setting, enum sni_validity). */
#ifndef LISTENERS_SNI_H
#define LISTENERS_SNI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "tls/tls_params.h"

struct identity; /* certs/store/identity.h */

/* What the choice looks at. */
struct sni_cert {
    const struct identity *identity; /* borrowed; NULL in tests that need no real one */
    enum tls_key key;
    unsigned bits;      /* RSA modulus or EC field */
    uint16_t group;     /* TLS_GROUP_* of an ECDSA key; 0 otherwise */
    enum tls_hash hash; /* of the signature on the certificate */
    int64_t not_before_utc, not_after_utc;
    size_t chain_bytes; /* of the Certificate message that presents it */
    size_t position;    /* in the listener's list: 0 is the default certificate */
};

/* Direction of AWS's last criterion, which AWS does not say. */
enum sni_validity { SNI_LATEST_END, SNI_LONGEST_PERIOD };

/* Why a certificate was served, for events. */
enum sni_rule {
    SNI_NO_NAME,     /* default: the hello has no readable server name */
    SNI_DEFAULT_HAS, /* default: it has the name, and none of the list does */
    SNI_NO_MATCH,    /* default: no certificate has the name */
    SNI_UNUSABLE,    /* default: those that match cannot be used with this client */
    SNI_EXACT,
    SNI_WILDCARD,
    SNI_N_RULES
};
/* What decided among several matches. */
enum sni_decider {
    SNI_ONLY_ONE,
    SNI_BY_KEY_ALGORITHM,
    SNI_BY_HASH,
    SNI_BY_KEY_LENGTH,
    SNI_BY_VALIDITY,
    SNI_BY_POSITION, /* all equal: the one listed first */
    SNI_N_DECIDERS
};
const char *sni_rule_text(enum sni_rule rule);          /* "exact name", ... */
const char *sni_decider_text(enum sni_decider decider); /* "key algorithm", ... */

struct sni_index;

/* An index over certs[0..n-1]; certs[0] is the default certificate and answers no name. The
 * certificates must outlive the index. NULL with the reason in `err`. Lookups are read-only and may
 * run on any thread. */
struct sni_index *sni_index_new(const struct identity *const *certs, size_t n,
                                enum sni_validity validity, struct err *err);
void sni_index_free(struct sni_index *index);
/* The same by hand: add() copies `facts` and the names (SAN DNS names, any case). The first one
 * added is the default. Call sni_index_ready() after the last. Return 0 or -1 (memory). */
struct sni_index *sni_index_empty(enum sni_validity validity);
int sni_index_add(struct sni_index *index, const struct sni_cert *facts, const char *const *names,
                  size_t n_names);
int sni_index_ready(struct sni_index *index);

const struct sni_cert *sni_index_at(const struct sni_index *index, size_t position);

/*
 * The certificate to serve.
 *   name      as sent by the client; NULL or empty: none was sent. Case does not matter, one
 *             trailing dot is ignored (inferred).
 *   usable    asked for every match; NULL: all are. Not asked for the default.
 *   rule, decider   may be NULL
 *   returns   borrowed, never NULL
 */
const struct sni_cert *sni_pick(const struct sni_index *index, const char *name,
                                bool (*usable)(const struct sni_cert *cert, const void *arg),
                                const void *arg, enum sni_rule *rule, enum sni_decider *decider);

/* Facts of a real certificate for the choice. */
void sni_cert_of(struct sni_cert *out, const struct identity *cert, size_t position);

#endif
