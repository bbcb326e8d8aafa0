/* SPDX-License-Identifier: Apache-2.0
 * What a TLS listener answers to a ClientHello, as AWS would and as this build can. */
#include "listeners/negotiate.h"
#include "tls/tls_can.h"

#include <string.h>

/* One round of choosing. */
struct round {
    const struct policy *policy;
    const struct tls_offer *offer;
    uint16_t version;
    bool here; /* only what `library` can act out */
    enum tls_library library;
};

static bool can_suite(const struct round *r, uint16_t code)
{
    return !r->here || tls_can_suite(r->library, code);
}

static bool can_group(const struct round *r, uint16_t code)
{
    return !r->here || tls_can_group(r->library, code);
}

static bool can_sig(const struct round *r, uint16_t code)
{
    return !r->here || tls_can_sig(r->library, code, r->version);
}

/* A policy without TLS 1.3 makes a server of TLS 1.2, which does not know supported_versions:
 * https://github.com/aws/s2n-tls/blob/main/tls/extensions/s2n_client_supported_versions.c */
static bool offers(const struct policy *policy, const struct tls_offer *offer, uint16_t version)
{
    if (policy->versions.at[0] < TLS_1_3)
        return version <= offer->legacy_version;
    return tls_offer_has_version(offer, version);
}

static enum negotiate_result pick_version(struct round *r)
{
    const struct tls_list ours = r->policy->versions;

    for (size_t i = 0; i < ours.count; i++) {
        if (!offers(r->policy, r->offer, ours.at[i]))
            continue;
        if (r->offer->fallback_scsv && i > 0 && tls_offer_max_version(r->offer) < ours.at[0])
            return NEGOTIATE_FALLBACK;
        r->version = ours.at[i];
        return r->here && !tls_can_version(r->library, r->version) ? NEGOTIATE_UNSUPPORTED_VERSION
                                                                   : NEGOTIATE_OK;
    }
    return NEGOTIATE_NO_VERSION;
}

/* RSA-PSS needs room for two hashes and two bytes (RFC 8017 9.1.1; the salt is as long as the
 * hash): a 1024-bit key cannot sign with SHA-512. */
static bool key_has_room(const struct tls_sig *sig, const struct sni_cert *cert)
{
    static const unsigned hash_bytes[] = {
        [TLS_HASH_NONE] = 0,    [TLS_HASH_MD5] = 16,    [TLS_HASH_SHA1] = 20,
        [TLS_HASH_SHA224] = 28, [TLS_HASH_SHA256] = 32, [TLS_HASH_SHA384] = 48,
        [TLS_HASH_SHA512] = 64,
    };

    return sig->code >> 8 != 0x08 || sig->key == TLS_KEY_ECDSA ||
           cert->bits / 8 >= 2 * hash_bytes[sig->hash] + 2;
}

/* The first scheme of the policy that client and key can use. */
static uint16_t pick_sig(const struct round *r, const struct sni_cert *cert)
{
    /* RFC 5246 7.4.1.4.1: a TLS 1.2 client that names none means SHA-1. */
    static const uint16_t sha1[] = { TLS_SIG_rsa_pkcs1_sha1, TLS_SIG_ecdsa_sha1 };
    const struct tls_list silent = { sha1, sizeof sha1 / sizeof sha1[0] };
    const struct tls_list theirs =
        r->offer->sigs.count == 0 && r->version == TLS_1_2 ? silent : r->offer->sigs;

    for (size_t i = 0; i < r->policy->sigs.count; i++) {
        const uint16_t code = r->policy->sigs.at[i];
        const struct tls_sig *sig = tls_sig_find(code);

        if (tls_list_has(theirs, code) && can_sig(r, code) && key_has_room(sig, cert) &&
            tls_sig_fits_key(sig, r->version, cert->key, cert->group))
            return code;
    }
    return 0;
}

/* The policy's groups for this version, hybrids first; 0 past the end. */
static uint16_t group_at(const struct round *r, size_t i)
{
    const struct policy *p = r->policy;
    const size_t hybrids = r->version == TLS_1_3 ? p->hybrids.count : 0;

    if (i < hybrids)
        return p->hybrids.at[i];
    return i - hybrids < p->groups.count ? p->groups.at[i - hybrids] : 0;
}

static bool group_is_common(const struct round *r, uint16_t group)
{
    return group != 0 && tls_list_has(r->offer->groups, group) && can_group(r, group);
}

static uint16_t pick_group_13(const struct round *r, bool *retry)
{
    uint16_t first = 0, group;

    *retry = false;
    if (group_is_common(r, r->policy->strong_group)) {
        *retry = !tls_list_has(r->offer->key_shares, r->policy->strong_group);
        return r->policy->strong_group;
    }
    for (size_t i = 0; (group = group_at(r, i)) != 0; i++) {
        if (!group_is_common(r, group))
            continue;
        if (tls_list_has(r->offer->key_shares, group))
            return group;
        if (first == 0)
            first = group;
    }
    *retry = first != 0;
    return first;
}

static uint16_t pick_group_12(const struct round *r)
{
    uint16_t group;

    /* RFC 8422 4: a client without the extension leaves the curve to the server; s2n then takes
     * secp256r1. mbedTLS refuses elliptic curves to such a client. */
    if (r->offer->groups.count == 0)
        return !(r->here && r->library == TLS_LIBRARY_MBEDTLS) &&
                       tls_list_has(r->policy->groups, TLS_GROUP_secp256r1)
                   ? TLS_GROUP_secp256r1
                   : 0;
    for (size_t i = 0; (group = group_at(r, i)) != 0; i++) {
        if (group_is_common(r, group))
            return group;
    }
    return 0;
}

static bool suite_is_common(const struct round *r, const struct tls_suite *suite)
{
    return tls_list_has(r->offer->suites, suite->code) &&
           tls_suite_fits_version(suite, r->version) && can_suite(r, suite->code);
}

static enum negotiate_result fit_13(const struct round *r, const struct sni_cert *cert,
                                    struct negotiation *a)
{
    for (size_t i = 0; i < r->policy->suites.count && a->suite == 0; i++) {
        if (suite_is_common(r, tls_suite_find(r->policy->suites.at[i])))
            a->suite = r->policy->suites.at[i];
    }
    if (a->suite == 0)
        return NEGOTIATE_NO_SUITE;
    a->group = pick_group_13(r, &a->retry);
    if (a->group == 0)
        return NEGOTIATE_NO_GROUP;
    a->sig = pick_sig(r, cert);
    return a->sig == 0 ? NEGOTIATE_NO_SIGNATURE : NEGOTIATE_OK;
}

static bool suite_fits_key(const struct tls_suite *suite, const struct sni_cert *cert)
{
    if (suite->auth == TLS_AUTH_ECDSA)
        return cert->key == TLS_KEY_ECDSA;
    return suite->auth == TLS_AUTH_RSA &&
           (cert->key == TLS_KEY_RSA ||
            (cert->key == TLS_KEY_RSA_PSS && suite->kx == TLS_KX_ECDHE));
}

/* TLS 1.2 and older: the first suite for which everything else can be had too. */
static enum negotiate_result fit_12(const struct round *r, const struct sni_cert *cert,
                                    struct negotiation *a)
{
    const uint16_t group = pick_group_12(r);
    const uint16_t sig = r->version == TLS_1_2 ? pick_sig(r, cert) : 0;
    enum negotiate_result reason = NEGOTIATE_NO_SUITE;

    /* RFC 8422 5.3: the curve of an ECDSA key must be one that the client named. */
    if (cert->key == TLS_KEY_ECDSA && r->offer->groups.count > 0 &&
        !tls_list_has(r->offer->groups, cert->group))
        return NEGOTIATE_NO_GROUP;
    for (size_t i = 0; i < r->policy->suites.count; i++) {
        const struct tls_suite *suite = tls_suite_find(r->policy->suites.at[i]);
        const bool ecdhe = suite->kx == TLS_KX_ECDHE;

        if (!suite_is_common(r, suite) || !suite_fits_key(suite, cert))
            continue;
        if (ecdhe && group == 0) {
            reason = NEGOTIATE_NO_GROUP;
        } else if (ecdhe && r->version == TLS_1_2 && sig == 0) {
            reason = NEGOTIATE_NO_SIGNATURE;
        } else {
            a->suite = suite->code;
            a->group = ecdhe ? group : 0;
            a->sig = ecdhe ? sig : 0;
            return NEGOTIATE_OK;
        }
    }
    return reason;
}

static enum negotiate_result fit(const struct round *r, const struct sni_cert *cert,
                                 struct negotiation *a)
{
    a->suite = a->group = a->sig = 0;
    a->retry = false;
    return r->version == TLS_1_3 ? fit_13(r, cert, a) : fit_12(r, cert, a);
}

static bool usable_cb(const struct sni_cert *cert, const void *arg)
{
    struct negotiation unused;

    return fit(arg, cert, &unused) == NEGOTIATE_OK;
}

static void answer(struct round *r, const struct sni_index *certs, struct negotiation *a)
{
    *a = (struct negotiation){ .result = NEGOTIATE_MALFORMED };
    if (r->offer->malformed != NULL)
        return;
    a->result = pick_version(r);
    a->version = r->version;
    if (a->result != NEGOTIATE_OK)
        return;
    a->cert = sni_pick(certs, r->offer->sni_state == TLS_SNI_NAME ? r->offer->sni : NULL, usable_cb,
                       r, &a->rule, &a->decider);
    if (r->offer->sni_state == TLS_SNI_TOO_LONG)
        a->rule = SNI_NO_MATCH;
    a->result = fit(r, a->cert, a);
    if (a->result == NEGOTIATE_NO_SUITE && r->offer->versions.count > 0 &&
        !tls_offer_has_version(r->offer, r->version))
        a->result = NEGOTIATE_ONLY_NEWER;
}

/* What of AWS's answer is missing in the library? */
static void name_lacking(struct choice *c)
{
    const struct negotiation *aws = &c->aws, *here = &c->here;

    if (aws->version != 0 && !tls_can_version(c->library, aws->version)) {
        c->lacking = aws->version;
        c->lacking_name = tls_version_name(aws->version);
    } else if (aws->suite != here->suite && !tls_can_suite(c->library, aws->suite)) {
        c->lacking = aws->suite;
        c->lacking_name = tls_suite_find(aws->suite)->openssl;
    } else if (aws->group != here->group && aws->group != 0 &&
               !tls_can_group(c->library, aws->group)) {
        c->lacking = aws->group;
        c->lacking_name = tls_group_find(aws->group)->name;
    } else if (aws->sig != here->sig && aws->sig != 0) {
        c->lacking = aws->sig;
        c->lacking_name = tls_sig_find(aws->sig)->name;
    } else if (aws->group != here->group) {
        c->lacking_name = "elliptic curves for a client that names no groups";
    } else {
        c->lacking_name = "the certificate's key";
    }
}

static bool same(const struct negotiation *a, const struct negotiation *b)
{
    return a->result == b->result && a->suite == b->suite && a->group == b->group &&
           a->sig == b->sig && a->cert == b->cert;
}

/* Does the library do the rest as AWS does, too? */
static bool exact(const struct choice *c, const struct policy *policy,
                  const struct tls_offer *offer)
{
    struct tls_session_needs needs = {
        .version = c->here.version,
        .best_version = policy->versions.at[0],
        .hello_without_extensions = !offer->has_extensions,
        .hello_bytes = offer->size + 4,
    };

    if (c->here.result != NEGOTIATE_OK)
        return true;
    needs.chain_bytes = c->here.cert->chain_bytes;
    return tls_can_not(c->library, &needs) == NULL;
}

void negotiate(struct choice *out, const struct policy *policy, const struct alpn_policy *alpn,
               const struct sni_index *certs, const struct tls_offer *offer, enum tls_use use)
{
    struct round aws = { .policy = policy, .offer = offer };
    enum tls_library order[2];
    size_t n = tls_use_order(use, order);

    memset(out, 0, sizeof *out);
    answer(&aws, certs, &out->aws);
    for (size_t i = 0; i < n; i++) {
        struct round here = { .policy = policy, .offer = offer, .here = true, .library = order[i] };

        out->library = order[i];
        answer(&here, certs, &out->here);
        out->differs = !same(&out->aws, &out->here);
        if (!out->differs && exact(out, policy, offer))
            break;
    }
    if (out->aws.result == NEGOTIATE_OK && out->here.result != NEGOTIATE_OK &&
        out->here.result != NEGOTIATE_UNSUPPORTED_VERSION)
        out->here.result = NEGOTIATE_UNSUPPORTED;
    if (out->differs)
        name_lacking(out);
    /* With TLS 1.3 on, mbedTLS reads no hello without extensions. */
    out->newest = policy->versions.at[0] == TLS_1_3 &&
                          (out->library == TLS_LIBRARY_OPENSSL || offer->has_extensions)
                      ? TLS_1_3
                      : out->here.version;
    if (alpn != NULL)
        out->alpn = alpn_choose(alpn, offer);
}

const char *negotiate_result_text(enum negotiate_result result)
{
    switch (result) {
    case NEGOTIATE_OK:
        return "chosen";
    case NEGOTIATE_MALFORMED:
        return "the ClientHello is malformed";
    case NEGOTIATE_NO_VERSION:
        return "no common protocol version";
    case NEGOTIATE_ONLY_NEWER:
        return "the client speaks only newer protocol versions than the security policy has";
    case NEGOTIATE_FALLBACK:
        return "the client fell back to an older version than it needs";
    case NEGOTIATE_NO_SUITE:
        return "no common cipher suite for the certificate";
    case NEGOTIATE_NO_GROUP:
        return "no common group";
    case NEGOTIATE_NO_SIGNATURE:
        return "no common signature scheme for the certificate's key";
    case NEGOTIATE_UNSUPPORTED_VERSION:
        return "this build cannot act out the protocol version that AWS would choose";
    case NEGOTIATE_UNSUPPORTED:
        return "this build cannot act out what AWS would choose";
    case NEGOTIATE_N_RESULTS:
        break;
    }
    return "chosen";
}

uint8_t negotiate_alert(enum negotiate_result result)
{
    switch (result) {
    case NEGOTIATE_MALFORMED:
        return TLS_ALERT_decode_error;
    case NEGOTIATE_NO_VERSION:
    case NEGOTIATE_ONLY_NEWER:
    case NEGOTIATE_UNSUPPORTED_VERSION:
        return TLS_ALERT_protocol_version;
    case NEGOTIATE_FALLBACK:
        return TLS_ALERT_inappropriate_fallback;
    case NEGOTIATE_NO_SUITE:
    case NEGOTIATE_NO_GROUP:
    case NEGOTIATE_NO_SIGNATURE:
    case NEGOTIATE_UNSUPPORTED:
        return TLS_ALERT_handshake_failure;
    case NEGOTIATE_OK:
    case NEGOTIATE_N_RESULTS:
        break;
    }
    return TLS_ALERT_close_notify;
}

uint8_t negotiate_alert_s2n(enum negotiate_result result)
{
    return result == NEGOTIATE_NO_VERSION || result == NEGOTIATE_UNSUPPORTED_VERSION
               ? TLS_ALERT_protocol_version
               : TLS_ALERT_close_notify;
}
