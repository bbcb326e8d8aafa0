/* SPDX-License-Identifier: Apache-2.0
 * The host names that a target knows: those of its certificate. */
#include "labtarget/fault_names.h"

#include <string.h>
#include <strings.h>

#include "certs/x509/parse.h"

/* --- names --- */
static bool pattern_matches(const char *pattern, const char *name, size_t len)
{
    const char *dot = memchr(name, '.', len);
    size_t rest;

    if (strncmp(pattern, "*.", 2) != 0)
        return strlen(pattern) == len && strncasecmp(pattern, name, len) == 0;
    if (dot == NULL || dot == name)
        return false;
    rest = len - (size_t)(dot - name);
    return strlen(pattern + 1) == rest && strncasecmp(pattern + 1, dot, rest) == 0;
}

bool fault_name_matches(const struct cert_facts *leaf, const char *name, size_t len)
{
    char text[512];
    bool any = false;

    for (size_t i = 0; i < leaf->n_sans; i++) {
        if (leaf->sans[i].kind != CERT_NAME_DNS && leaf->sans[i].kind != CERT_NAME_IP)
            continue;
        any = true;
        if (pattern_matches(cert_general_name_text(&leaf->sans[i], text, sizeof text), name, len))
            return true;
    }
    for (size_t i = 0; !any && cert_name_cn(leaf->subject, i, text, sizeof text); i++) {
        if (pattern_matches(text, name, len))
            return true;
    }
    return false;
}
