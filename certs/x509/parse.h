/* SPDX-License-Identifier: Apache-2.0
 * PEM and DER to plain facts about a certificate, odd certificates too.
 *
 * The reader accepts what JDK 17's sun.security.x509 accepts and refuses what it refuses
 * (source: measured beside JDK 17, docs/judge.md); a refused certificate still gives the facts
 * that were read before the fault, so that an audit can speak of it. It judges nothing. */
#ifndef CERTS_X509_PARSE_H
#define CERTS_X509_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/der.h"
#include "core/err.h"

enum cert_key_kind {
    CERT_KEY_UNKNOWN, /* an algorithm or a key that the JDK cannot use */
    CERT_KEY_RSA,
    CERT_KEY_RSA_PSS, /* rsaEncryption's shape under the id-RSASSA-PSS identifier */
    CERT_KEY_EC,
    CERT_KEY_DSA,
    CERT_KEY_DH,
    CERT_KEY_ED25519,
    CERT_KEY_ED448,
    CERT_KEY_X25519,
    CERT_KEY_X448,
};

enum cert_name_kind { /* GeneralName; the numbers are the context tags of RFC 5280 */
                      CERT_NAME_OTHER = 0,
                      CERT_NAME_EMAIL = 1,
                      CERT_NAME_DNS = 2,
                      CERT_NAME_X400 = 3,
                      CERT_NAME_DIRECTORY = 4,
                      CERT_NAME_EDI = 5,
                      CERT_NAME_URI = 6,
                      CERT_NAME_IP = 7,
                      CERT_NAME_RID = 8,
};

/* One GeneralName. `value` is the content: text octets for e-mail, DNS and URI, the address (and
 * in constraints the mask) for IP, the Name element (tag and all) for a directory name. */
struct cert_general_name {
    enum cert_name_kind kind;
    bool has_minimum, has_maximum; /* of a subtree: distances that nobody supports */
    bool not_encodable;            /* an EDIPartyName whose partyName the JDK does not see */
    struct der_span value;
};

struct cert_extension {
    struct der_span oid; /* content of the object identifier */
    bool critical;
    bool unparseable;      /* not critical and not understood by the JDK: as good as absent */
    struct der_span value; /* content of the OCTET STRING */
};

/* Bits of `key_usage`: bit n is the n-th bit of RFC 5280's KeyUsage. */
enum cert_key_usage {
    CERT_KU_DIGITAL_SIGNATURE = 1u << 0,
    CERT_KU_NON_REPUDIATION = 1u << 1,
    CERT_KU_KEY_ENCIPHERMENT = 1u << 2,
    CERT_KU_DATA_ENCIPHERMENT = 1u << 3,
    CERT_KU_KEY_AGREEMENT = 1u << 4,
    CERT_KU_KEY_CERT_SIGN = 1u << 5,
    CERT_KU_CRL_SIGN = 1u << 6,
    CERT_KU_ENCIPHER_ONLY = 1u << 7,
    CERT_KU_DECIPHER_ONLY = 1u << 8,
};

struct cert_policy {
    struct der_span oid; /* content of the object identifier */
    bool has_qualifiers;
};
struct cert_policy_mapping {
    struct der_span issuer_domain, subject_domain; /* contents of the object identifiers */
};

#define CERT_REFUSAL_MAX 256

struct cert_facts {
    struct der_span der;             /* the certificate alone, without octets after it */
    size_t presented_len;            /* octets given to the reader */
    struct der_span tbs;             /* what is signed, tag and all */
    int version;                     /* 1, 2 or 3 as written */
    struct der_span serial;          /* content of the INTEGER */
    struct der_span issuer, subject; /* Name elements, tag and all; compare with x500_name_equal */
    bool self_issued;                /* issuer and subject are the same name */
    int64_t not_before_utc, not_after_utc; /* seconds since 1970 */

    struct der_span spki;        /* SubjectPublicKeyInfo, tag and all */
    struct der_span key_params;  /* parameters of its algorithm, tag and all; may be empty */
    struct der_span key_bits_at; /* content of its BIT STRING after the count of unused bits */
    enum cert_key_kind key;
    unsigned key_bits;      /* 0 when unknown */
    const char *curve;      /* EC: the JDK's name, "secp256r1"; NULL otherwise. Static text */
    char key_algorithm[96]; /* the JDK's name: "RSA", "EC", "EdDSA", or a dotted identifier */

    struct der_span sig_oid;    /* content of the object identifier of the signature algorithm */
    struct der_span sig_params; /* its parameters, tag and all; may be empty */
    char sig_algorithm[96];     /* the JDK's name: "SHA256withRSA", or a dotted identifier */
    struct der_span signature;  /* content of the BIT STRING after the count of unused bits */

    struct cert_extension *extensions; /* in the order written */
    size_t n_extensions;

    bool has_san; /* a subjectAltName that the JDK understands, with at least one name */
    bool san_critical;
    struct cert_general_name *sans;
    size_t n_sans;

    bool has_basic_constraints;
    bool ca;
    int path_len; /* -1: no limit written */
    bool has_key_usage;
    unsigned key_usage; /* enum cert_key_usage */
    bool has_eku;
    struct der_span *eku; /* contents of the object identifiers */
    size_t n_eku;
    bool has_netscape_type;
    unsigned netscape_type; /* bit n is the n-th bit; bit 1 is SSL server */

    struct der_span ski;     /* content of the inner OCTET STRING; at NULL when absent */
    struct der_span aki_key; /* content of keyIdentifier; at NULL when absent */

    bool has_name_constraints;
    struct cert_general_name *nc_permitted, *nc_excluded;
    size_t n_nc_permitted, n_nc_excluded;

    bool has_policies;
    struct cert_policy *policies;
    size_t n_policies;
    bool policies_critical;
    struct cert_policy_mapping *mappings;
    size_t n_mappings;
    int require_explicit_policy, inhibit_policy_mapping, inhibit_any_policy; /* -1: absent */

    uint8_t sha256[32]; /* fingerprint of `der` */

    /* Empty when the JDK reads the certificate; else "class: message" of the innermost Java
     * exception. Facts after the fault are zero. */
    char refusal[CERT_REFUSAL_MAX];

    const struct cert_details *details; /* certs/x509/cert_details.h: what the judge looks at */
    struct cert_parser *priv;           /* owner of the lists and of the copy of the bytes */
};

/* A `refusal` that is this program's own begins so: the JDK's answer is not known. */
#define PARSE_LIMIT "nlbsim: "
bool parse_is_limit(const char *why);

/* Read one certificate. The bytes are copied. Always returns facts (look at `refusal`), NULL only
 * without memory. Free with cert_facts_free. */
struct cert_facts *cert_facts_new(const void *der, size_t len);
void cert_facts_free(struct cert_facts *facts);

/* A list of certificates as they were presented. */
struct cert_list {
    struct cert_facts **at;
    size_t n;
};

/* Read every "CERTIFICATE" block of a PEM text (also "X509 CERTIFICATE" and "TRUSTED CERTIFICATE"
 * are taken), keeping the order; text around the blocks is ignored. Bytes that begin with a DER
 * SEQUENCE are taken as one certificate. `what` names the source in the error text.
 * Returns 0; -1 when there is no block or a block is not base64 (ERR_FORMAT). A certificate that
 * can be decoded but not read is in the list, with its `refusal`. */
int cert_list_read(struct cert_list *list, const char *text, size_t len, const char *what,
                   struct err *err);
/* The same of JSON: every text in it that holds certificates, in the order of the document. */
int cert_list_read_json(struct cert_list *list, const char *text, size_t len, const char *what,
                        struct err *err);
/* The same from a file; ERR_ENVIRONMENT when it cannot be read. */
int cert_list_load(struct cert_list *list, const char *path, struct err *err);
/* Append; on success the list owns the facts. */
int cert_list_take(struct cert_list *list, struct cert_facts *facts, struct err *err);
/* Read a certificate from its DER and append it. */
int cert_list_add_der(struct cert_list *list, struct der_span der, struct err *err);
void cert_list_clear(struct cert_list *list);

enum cert_name_style {
    CERT_STYLE_JAVA,    /* X500Principal.toString: "CN=a, O=b, C=US", most specific part first */
    CERT_STYLE_RFC4514, /* "CN=a,O=b,C=US": most specific part first, RFC 2253 escapes */
};
/* Print a Name element into `out`, cut at `size`. Returns `out`. */
const char *cert_name_text(struct der_span name, enum cert_name_style style, char *out,
                           size_t size);
/* The CN values of a Name element, in the order written; `index` from 0. False past the last. */
bool cert_name_cn(struct der_span name, size_t index, char *out, size_t size);
/* The value of the last CN of a Name; false when there is none. */
bool cert_name_last_cn(struct der_span name, struct der *value);

/* Text of a SAN entry for people: "api.example.com", "127.0.0.1", a directory name. */
const char *cert_general_name_text(const struct cert_general_name *name, char *out, size_t size);
/* "0A:1B:…" of a fingerprint or serial number; `out` needs 3 * len bytes at least. */
const char *cert_hex(struct der_span bytes, char *out, size_t size);

#endif
