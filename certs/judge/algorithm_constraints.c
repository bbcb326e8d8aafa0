/* SPDX-License-Identifier: Apache-2.0
 * Keys and algorithms that are too weak: the JDK's AlgorithmChecker with the default properties
 * jdk.certpath.disabledAlgorithms = MD2, MD5, SHA1 jdkCA & usage TLSServer, RSA keySize < 1024,
 * DSA keySize < 1024, EC keySize < 224, and then TLS's own list with the signature algorithms that
 * the client offers. Source: measured on JDK 17. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "certs/judge/trust_impl.h"

#define SUBJECT_MAX 1024

/* The smallest key of a kind that is allowed; 0: any. Kinds without a row are never too small, an
 * RSASSA-PSS key neither (its algorithm's name is not "RSA"). */
static unsigned smallest(enum cert_key_kind kind, bool tls)
{
    switch (kind) {
    case CERT_KEY_RSA:
        return tls ? 0 : 1024;
    case CERT_KEY_DSA:
        return tls ? 0 : 1024;
    case CERT_KEY_EC:
        return 224;
    case CERT_KEY_DH:
        return tls ? 1024 : 0;
    case CERT_KEY_UNKNOWN:
    case CERT_KEY_RSA_PSS:
    case CERT_KEY_ED25519:
    case CERT_KEY_ED448:
    case CERT_KEY_X25519:
    case CERT_KEY_X448:
        return 0;
    }
    return 0;
}

static bool too_small(const struct cert_facts *f, bool tls)
{
    /* a DSA key without parameters has no size that could be too small */
    return !dsa_without_params(f) && f->key_bits < smallest(f->key, tls);
}

bool dsa_without_params(const struct cert_facts *f)
{
    return f->key == CERT_KEY_DSA && f->key_params.len == 0;
}

/* Signature algorithms that a JDK 17 client offers for certificates. */
static bool offered(const char *name)
{
    static const char *const list[] = {
        "Ed25519",         "Ed448",         "SHA256withECDSA", "SHA384withECDSA",
        "SHA512withECDSA", "RSASSA-PSS",    "SHA256withRSA",   "SHA384withRSA",
        "SHA512withRSA",   "SHA256withDSA", "SHA224withECDSA", "SHA224withRSA",
        "SHA224withDSA",   "SHA1withECDSA", "SHA1withRSA",     "SHA1withDSA",
    };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (strcasecmp(list[i], name) == 0)
            return true;
    }
    return false;
}

static bool weak(struct fault *fault, const struct cert_facts *cert, const char *what)
{
    char subject[SUBJECT_MAX];

    fault_set(fault, VERDICT_WEAK_ALGORITHM, cert, "%s used with certificate: %s", what,
              cert_name_text(cert->subject, CERT_STYLE_JAVA, subject, sizeof subject));
    return false;
}

static bool key_size(const struct cert_facts *cert, struct fault *fault)
{
    char what[160];

    snprintf(what, sizeof what,
             "Algorithm constraints check failed on keysize limits: %s %u bit key",
             cert->key_algorithm, cert->key_bits);
    return weak(fault, cert, what);
}

static bool sha1_with_public_authority(const struct trust_run *run, const struct alg_state *s,
                                       const char *digest)
{
    return s->anchor != NULL && run->anchors->public_authorities && strcmp(digest, "SHA1") == 0;
}

/* The digests of an RSASSA-PSS signature. */
static bool pss_digests(struct trust_run *run, const struct alg_state *s,
                        const struct cert_facts *cert, struct fault *fault)
{
    struct pss_params p;
    const char *names[2];

    if (strcmp(cert->sig_algorithm, "RSASSA-PSS") != 0 || cert->sig_params.len == 0 ||
        parse_pss_params(cert->sig_params, &p) != NULL)
        return true;
    names[0] = p.digest;
    names[1] = p.mgf_digest;
    for (int i = 0; i < 2; i++) {
        char what[160];

        if (strcmp(names[i], "MD2") == 0 || strcmp(names[i], "MD5") == 0) {
            snprintf(what, sizeof what,
                     "Algorithm constraints check failed on disabled algorithm: %s", names[i]);
            return weak(fault, cert, what);
        }
        if (strcmp(names[i], "SHA-1") == 0 && sha1_with_public_authority(run, s, "SHA1"))
            return weak(fault, cert, "Usage constraint TLSServer check failed: SHA1");
    }
    return true;
}

/* Constraints on the certificate's own key and digest, in the order in which the JDK's hash set
 * gives them: RSA sizes, SHA-1, then the other kinds. */
static bool own_key(struct trust_run *run, const struct alg_state *s, const struct cert_facts *cert,
                    struct fault *fault)
{
    if (cert->key == CERT_KEY_RSA && too_small(cert, false))
        return key_size(cert, fault);
    if (strncmp(cert->sig_algorithm, "SHA1with", 8) == 0 &&
        sha1_with_public_authority(run, s, "SHA1"))
        return weak(fault, cert, "Usage constraint TLSServer check failed: SHA1");
    if (too_small(cert, false))
        return key_size(cert, fault);
    return pss_digests(run, s, cert, fault);
}

static bool usage_bits(const struct cert_facts *cert, struct fault *fault)
{
    const unsigned meant = CERT_KU_DIGITAL_SIGNATURE | CERT_KU_NON_REPUDIATION |
                           CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN | CERT_KU_KEY_ENCIPHERMENT |
                           CERT_KU_DATA_ENCIPHERMENT | CERT_KU_KEY_AGREEMENT;

    if (!cert->has_key_usage || (cert->key_usage & meant) != 0)
        return true;
    fault_set(fault, VERDICT_KEY_USAGE_BITS, cert, "incorrect KeyUsage extension bits");
    return false;
}

static bool bad_signature_algorithm(const struct cert_facts *cert, struct fault *fault)
{
    fault_set(fault, VERDICT_WEAK_ALGORITHM, cert,
              "Algorithm constraints check failed on signature algorithm: %s", cert->sig_algorithm);
    return false;
}

static bool signature_algorithm(const struct alg_state *s, const struct cert_facts *cert)
{
    if (s->tls)
        return offered(cert->sig_algorithm);
    return strncmp(cert->sig_algorithm, "MD2", 3) != 0 &&
           strncmp(cert->sig_algorithm, "MD5", 3) != 0;
}

/* The next certificate's signer is this one; a DSA key may take its parameters from above. */
static bool pass_on(struct alg_state *s, const struct cert_facts *cert, struct fault *fault)
{
    if (!dsa_without_params(cert)) {
        s->prev_params = cert;
    } else if (s->prev == NULL || s->prev->key != CERT_KEY_DSA) {
        fault_set(fault, VERDICT_WEAK_ALGORITHM, cert,
                  "Input key is not of a appropriate type for inheriting parameters");
        return false;
    } else if (s->prev_params == NULL || dsa_without_params(s->prev_params)) {
        fault_set(fault, VERDICT_WEAK_ALGORITHM, cert, "Key parameters missing from public key.");
        return false;
    }
    s->prev = cert;
    return true;
}

bool alg_check(struct trust_run *run, struct alg_state *s, const struct cert_facts *cert,
               struct fault *fault)
{
    if (!signature_algorithm(s, cert))
        return bad_signature_algorithm(cert, fault);
    if (!usage_bits(cert, fault) || !own_key(run, s, cert, fault))
        return false;
    if (s->tls && (too_small(cert, true) || strcmp(cert->key_algorithm, "ECDH") == 0)) {
        fault_set(fault, VERDICT_WEAK_ALGORITHM, cert,
                  "Algorithm constraints check failed on key %s with size of %dbits",
                  cert->key_algorithm, cert->key == CERT_KEY_UNKNOWN ? -1 : (int)cert->key_bits);
        return false;
    }
    if (s->prev == NULL) { /* the TLS checker knows no anchor */
        s->prev = s->prev_params = cert;
        return true;
    }
    if (too_small(s->prev, s->tls))
        return bad_signature_algorithm(cert, fault);
    return pass_on(s, cert, fault);
}
