/* SPDX-License-Identifier: Apache-2.0
 * A host name (the first line) against a certificate's pattern (the rest), as both clients compare
 * them, and the way to "xn--" and back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certs/judge/hostname.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void convert(const char *name)
{
    char ascii[1024], unicode[1024];

    for (int ldh = 0; ldh < 2; ldh++) {
        if (hostname_to_ascii(name, ldh, ascii, sizeof ascii) == NULL) {
            for (const char *c = ascii; *c != '\0'; c++) {
                if ((unsigned char)*c >= 0x80)
                    abort();
            }
            (void)hostname_to_unicode(ascii, unicode, sizeof unicode);
        }
    }
    (void)hostname_to_unicode(name, unicode, sizeof unicode);
    (void)hostname_sni_refusal(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *name = malloc(n + 1), *pattern;
    bool no_memory = false;

    if (name == NULL)
        return 0;
    if (n > 0)
        memcpy(name, data, n);
    name[n] = '\0';
    pattern = strchr(name, '\n');
    if (pattern != NULL)
        *pattern++ = '\0';
    else
        pattern = name;
    for (int i = 0; i < 2; i++) {
        (void)hostname_jdk_matches(name, pattern, i, &no_memory);
        (void)hostname_apache_matches(name, pattern, i);
    }
    convert(name);
    convert(pattern);
    free(name);
    return 0;
}
