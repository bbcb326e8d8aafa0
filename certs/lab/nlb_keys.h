/* SPDX-License-Identifier: Apache-2.0
 * Which keys a TLS listener of a Network Load Balancer may have. */
#ifndef CERTS_LAB_NLB_KEYS_H
#define CERTS_LAB_NLB_KEYS_H

#include <stdbool.h>

struct cert_facts;

/* For people; the rows of certs/lab/keys.def say the same. */
#define NLB_KEYS_TEXT "RSA 1024, 2048 and 3072 and ECDSA P-256, P-384 and P-521"

/* By the rows of certs/lab/keys.def, which name the source. */
bool nlb_takes_key(const struct cert_facts *facts);

#endif
