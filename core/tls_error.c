/* SPDX-License-Identifier: Apache-2.0
 * mbedTLS's error numbers as text. */
#include "core/tls_error.h"

#include <mbedtls/error.h>
#include <stdio.h>
#include <string.h>

const char *tls_error_text(int error, char *out, size_t size)
{
    size_t n;

    out[0] = '\0';
    if (error == 0)
        return out;
    mbedtls_strerror(error, out, size);
    n = strlen(out);
    snprintf(out + n, size - n, " (-0x%04x)", (unsigned)-error);
    return out;
}
