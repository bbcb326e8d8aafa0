/* SPDX-License-Identifier: Apache-2.0
 * The error numbers of the TLS libraries, and verdicts about certificates, as text: mbedTLS's
 * numbers are negative, OpenSSL's (as ERR_get_error() packs them) positive. */
#ifndef TLS_TLS_ERROR_H
#define TLS_TLS_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Neither library's: the engine ended a session whose peer made it answer, or wait, without end.
 */
#define TLS_ERROR_FLOOD (-0x7fff)

/* "SSL - No shared cipher suite (-0x7380)"; "" for 0. Returns `out`. */
const char *tls_error_text(int error, char *out, size_t size);

/* What was found wrong with a peer's certificate (struct tls_facts, verify_flags), the worst first:
 * "not trusted, expired"; "ok" for 0. Returns `out`. */
const char *tls_verify_text(uint32_t flags, char *out, size_t size);
/* The alert that says so: certificate_expired, unknown_ca ...; certificate_required when there is
 * no certificate. */
uint8_t tls_verify_alert(uint32_t flags);

/* What the library lacks, where that is why a client's handshake failed after the ServerHello;
 * NULL: that is not why. `version`: what the server chose, 0 when not known; `pss`: RSA-PSS was
 * offered. */
const char *tls_error_lacking(int error, uint16_t version, bool pss);

/* The same for a server's handshake. */
const char *tls_error_server_lacking(int error);

/* What kind of trouble an error of the TLS library stands for. */
enum tls_trouble {
    TLS_TROUBLE_OTHER,
    TLS_TROUBLE_VERSION,     /* the peer chose a version that was not offered */
    TLS_TROUBLE_MAC,         /* a record that does not decrypt */
    TLS_TROUBLE_CLOSE,       /* close_notify where none may be */
    TLS_TROUBLE_UNSUPPORTED, /* the library lacks what the peer does: docs/libraries.md */
};
enum tls_trouble tls_error_trouble(int error);

#endif
