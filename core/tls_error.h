/* SPDX-License-Identifier: Apache-2.0
 * mbedTLS's error numbers as text. */
#ifndef CORE_TLS_ERROR_H
#define CORE_TLS_ERROR_H

#include <stddef.h>

/* "SSL - No shared cipher suite (-0x7380)"; "" for 0. Returns `out`. */
const char *tls_error_text(int error, char *out, size_t size);

#endif
