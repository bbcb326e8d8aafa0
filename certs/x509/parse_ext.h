/* SPDX-License-Identifier: Apache-2.0
 * Readers of single extensions, shared by the two files that hold them. Each returns NULL or the
 * JDK's reason, and writes facts only when it returns NULL. */
#ifndef CERTS_X509_PARSE_EXT_H
#define CERTS_X509_PARSE_EXT_H

#include "certs/x509/parse_impl.h"

/* Exactly one element, nothing after it. */
const char *ext_whole(struct der_span value, struct der *out);
/* Exactly one SEQUENCE; gives its content. */
const char *ext_sequence(struct der_span value, struct der_span *body);

#define EXT(name) const char *name(struct cert_parser *p, const struct cert_extension *ext)
EXT(ext_name_constraints);
EXT(ext_private_key_usage);
EXT(ext_general_names);
EXT(ext_number);
EXT(ext_enumerated);
EXT(ext_issuing_point);
EXT(ext_distribution_points);
EXT(ext_policies);
EXT(ext_policy_mappings);
EXT(ext_policy_constraints);
EXT(ext_inhibit_any_policy);
EXT(ext_access);
EXT(ext_nothing);
#undef EXT

#endif
