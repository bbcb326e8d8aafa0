/* SPDX-License-Identifier: Apache-2.0
 * What a TLS listener answers to a ClientHello: version, certificate, suite, group, signature
 * scheme and ALPN protocol, or the reason why there is none. Pure: policy + offer + certificates
 * in, plain facts out. Made twice: as AWS would choose by its tables, and as this build can.
 *
 * Sources: NLB guide, "Server certificates" and "Security policies" (server order; facts/nlb.md
 * 2, 3); s2n-tls for what AWS leaves open: groups and schemes in server order, in TLS 1.3 a group
 * with a key share before one without, unless the policy strongly prefers another. */
#ifndef LISTENERS_CHOOSE_H
#define LISTENERS_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/tls_wire.h"
#include "listeners/alpn.h"
#include "listeners/policies.h"
#include "listeners/sni.h"

enum choose_result {
    CHOOSE_OK,
    CHOOSE_MALFORMED,    /* the hello could not be read */
    CHOOSE_NO_VERSION,   /* policy and client share no protocol version */
    CHOOSE_ONLY_NEWER,   /* the client's supported_versions are all newer than the policy's; a
                            server without TLS 1.3 does not read them and finds no suite */
    CHOOSE_FALLBACK,     /* TLS_FALLBACK_SCSV below the policy's best version (RFC 7507) */
    CHOOSE_NO_SUITE,     /* no suite of the policy that client and certificate can use */
    CHOOSE_NO_GROUP,     /* no common group for the key exchange */
    CHOOSE_NO_SIGNATURE, /* no signature scheme for the certificate's key */
    CHOOSE_UNSUPPORTED_VERSION, /* only in `here`: the version that AWS would choose is none of ours
                                 */
    CHOOSE_UNSUPPORTED, /* only in `here`: AWS would go on, this build cannot; see `lacking` */
    CHOOSE_N_RESULTS
};

/* One answer. */
struct choose_answer {
    enum choose_result result;
    uint16_t version; /* 0 when none */
    uint16_t suite;   /* 0 when none */
    uint16_t group;   /* key exchange; 0: RSA key exchange, or none */
    uint16_t sig;     /* scheme of the server's signature; 0: RSA key exchange, or none */
    bool retry;       /* TLS 1.3: `group` needs a HelloRetryRequest */
    const struct sni_cert *cert; /* served (or to be blamed); NULL before a version is known */
    enum sni_rule rule;
    enum sni_decider decider;
};

struct choice {
    struct choose_answer aws;  /* by AWS's tables */
    struct choose_answer here; /* what this build will do; the hop follows this one */
    bool differs;              /* the two are not the same */
    uint16_t lacking; /* when `differs`: the version, suite, group or scheme of `aws` that is
                         missing here; 0 when it is another certificate */
    const char *lacking_name; /* its name, static; NULL when `differs` is false */
    const char *alpn;         /* static, NULL: carry on without ALPN */
};

/* `alpn` may be NULL (policy None). A malformed offer gives CHOOSE_MALFORMED. */
void choose(struct choice *out, const struct policy *policy, const struct alpn_policy *alpn,
            const struct sni_index *certs, const struct tls_offer *offer);

/* A clause for people: "no common protocol version", ... */
const char *choose_result_text(enum choose_result result);
/* The alert that RFC 8446 / 5246 names for it: TLS_ALERT_*; 0 (close_notify) for CHOOSE_OK. What
 * s2n sends instead is choose_alert_s2n(): protocol_version (fatal) as it is, for everything else a
 * close_notify at warning level
 * (https://github.com/aws/s2n-tls/blob/main/tls/s2n_alerts.c; what an NLB sends is unknown). */
uint8_t choose_alert(enum choose_result result);
uint8_t choose_alert_s2n(enum choose_result result);

#endif
