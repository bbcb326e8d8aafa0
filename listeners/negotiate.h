/* SPDX-License-Identifier: Apache-2.0
 * What a TLS listener answers to a ClientHello: version, certificate, suite, group, signature
 * scheme and ALPN protocol, or the reason why there is none. Pure: policy + offer + certificates
 * in, plain facts out. Made twice: as AWS would choose by its tables, and as this build can.
 *
 * Sources: NLB guide, "Server certificates" and "Security policies" (server order); s2n-tls for
 * what AWS leaves open: groups and schemes in server order, in TLS 1.3 a group with a key share
 * before one without, unless the policy strongly prefers another. */
#ifndef LISTENERS_NEGOTIATE_H
#define LISTENERS_NEGOTIATE_H

#include <stdbool.h>
#include <stdint.h>

#include "listeners/alpn.h"
#include "listeners/policies.h"
#include "listeners/sni.h"
#include "tls/tls_can.h"
#include "tls/tls_wire.h"

enum negotiate_result {
    NEGOTIATE_OK,
    NEGOTIATE_MALFORMED,    /* the hello could not be read */
    NEGOTIATE_NO_VERSION,   /* policy and client share no protocol version */
    NEGOTIATE_ONLY_NEWER,   /* the client's supported_versions are all newer than the policy's; a
                            server without TLS 1.3 does not read them and finds no suite */
    NEGOTIATE_FALLBACK,     /* TLS_FALLBACK_SCSV below the policy's best version (RFC 7507) */
    NEGOTIATE_NO_SUITE,     /* no suite of the policy that client and certificate can use */
    NEGOTIATE_NO_GROUP,     /* no common group for the key exchange */
    NEGOTIATE_NO_SIGNATURE, /* no signature scheme for the certificate's key */
    NEGOTIATE_UNSUPPORTED_VERSION, /* only in `here`: the version that AWS would choose is none of
                                    * ours
                                    */
    NEGOTIATE_UNSUPPORTED, /* only in `here`: AWS would go on, this build cannot; see `lacking` */
    NEGOTIATE_N_RESULTS
};

/* One answer. */
struct negotiation {
    enum negotiate_result result;
    uint16_t version; /* 0 when none */
    uint16_t suite;   /* 0 when none */
    uint16_t group;   /* key exchange; 0: RSA key exchange, or none */
    uint16_t sig;     /* scheme of the server's signature; 0: RSA key exchange, or none */
    bool retry;       /* TLS 1.3: `group` needs a HelloRetryRequest */
    const struct sni_cert
        *cert; /* served (or what a refusal is about); NULL before a version is known */
    enum sni_rule rule;
    enum sni_decider decider;
};

struct choice {
    struct negotiation aws;   /* by AWS's tables */
    struct negotiation here;  /* what this build will do; the hop follows this one */
    enum tls_library library; /* by which it does it */
    uint16_t newest;  /* with `here`: the newest version that is left on. Where TLS 1.3 is the
                         policy's best and the client  does not know it, the library then marks its
                         ServerHello as RFC 8446 4.1.3 wants it and s2n does
                         (https://github.com/aws/s2n-tls/blob/main/tls/s2n_server_hello.c) */
    bool differs;     /* the two are not the same */
    uint16_t lacking; /* when `differs`: the version, suite, group or scheme of `aws` that is
                         missing here; 0 when it is another certificate */
    const char *lacking_name; /* its name, static; NULL when `differs` is false */
    const char *alpn;         /* static, NULL: carry on without ALPN */
};

/* `use`: the libraries that may be asked; the first one that does what AWS does gets the session.
 * `alpn` may be NULL (policy None). A malformed offer gives NEGOTIATE_MALFORMED. */
void negotiate(struct choice *out, const struct policy *policy, const struct alpn_policy *alpn,
               const struct sni_index *certs, const struct tls_offer *offer, enum tls_use use);

/* A clause for people: "no common protocol version", ... */
const char *negotiate_result_text(enum negotiate_result result);
/* The alert that RFC 8446 / 5246 names for it: TLS_ALERT_*; 0 (close_notify) for NEGOTIATE_OK. What
 * s2n sends instead is negotiate_alert_s2n(): protocol_version (fatal) as it is, for everything
 * else a close_notify at warning level (https://github.com/aws/s2n-tls/blob/main/tls/s2n_alerts.c;
 * what an NLB sends is unknown). */
uint8_t negotiate_alert(enum negotiate_result result);
uint8_t negotiate_alert_s2n(enum negotiate_result result);

#endif
