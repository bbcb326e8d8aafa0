/* SPDX-License-Identifier: Apache-2.0
 * What each TLS library can act out, asked of the libraries; and which of them a session gets.
 * docs/tls.md says it for people.
 *
 * mbedTLS makes its list of suites on the first call: that one must come before there are threads
 * (making any TLS configuration is such a call). */
#ifndef TLS_TLS_CAN_H
#define TLS_TLS_CAN_H

#include "tls/tls_conf_params.h"
#include "tls/tls_params.h"

bool tls_can_version(enum tls_library l, uint16_t code);
bool tls_can_suite(enum tls_library l, uint16_t code);
bool tls_can_group(enum tls_library l, uint16_t code);
bool tls_can_sig(enum tls_library l, uint16_t code, uint16_t version); /* version 0: in some */

/* The same of the whole program: of one library or the other. */
bool tls_version_supported(uint16_t code);
bool tls_suite_supported(uint16_t code);
bool tls_group_supported(uint16_t code);
bool tls_sig_supported(uint16_t code); /* in some version */
bool tls_sig_supported_in(uint16_t code, uint16_t version);

/* Which libraries a user lets have a session ([nlb] tls_library). */
enum tls_use { TLS_USE_AUTO, TLS_USE_MBEDTLS, TLS_USE_OPENSSL };
/* The libraries of `use` in the order in which they are asked; the number of them. */
size_t tls_use_order(enum tls_use use, enum tls_library out[2]);

/* What a server's session will need besides its code points. */
struct tls_session_needs {
    uint16_t version;
    uint16_t best_version; /* that the server has at all */
    bool hello_without_extensions;
    size_t hello_bytes, chain_bytes;
};
/* What of it the library does otherwise than AWS, in words; NULL: nothing. */
const char *tls_can_not(enum tls_library l, const struct tls_session_needs *needs);

/* The library for a client with this configuration: the first that can do with it what AWS does,
 * whatever the server chooses; the last one when none can. */
enum tls_library tls_library_for_client(const struct tls_conf_params *p, enum tls_use use);

#endif
