/* SPDX-License-Identifier: Apache-2.0
 * What of a certificate only the judge of chains asks for, beside the facts everybody reads. */
#ifndef CERTS_X509_CERT_DETAILS_H
#define CERTS_X509_CERT_DETAILS_H

#include "certs/x509/parse.h"
#include "certs/x509/x500_name.h"

struct cert_details { /* of facts: facts->details */
    struct x500_name issuer, subject;
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

/* Parameters of an RSASSA-PSS signature; the digests by the JDK's names. NULL, or the JDK's reason
 * (parse_algorithm.c). */
struct pss_params {
    char digest[96], mgf_digest[96];
    int32_t salt_len, trailer;
};
const char *parse_pss_params(struct der_span params, struct pss_params *out);

#endif
