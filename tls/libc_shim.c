/* SPDX-License-Identifier: Apache-2.0
 * Two names that Debian 13's OpenSSL archives take from their own libc, for an older one: what
 * C23's strtol and strtoul read beyond C17's is binary numbers, which OpenSSL gives them none of.
 */
#include "tls/libc_shim.h"

#include <features.h>
#include <stdlib.h>

#if defined(__GLIBC__) && !__GLIBC_PREREQ(2, 38)
long __isoc23_strtol(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
    return strtoul(text, end, base);
}
#endif
