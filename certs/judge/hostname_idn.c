/* SPDX-License-Identifier: Apache-2.0
 * Unicode host names and their "xn--" forms, as java.net.IDN makes them: IDNA 2003 (RFC 3490) over
 * the tables of Unicode 3.2. libidn has those tables; what goes on around them, order and words, is
 * Java's. source: measured on JDK 17 */
#include <punycode.h>
#include <stdio.h>
#include <string.h>
#include <stringprep.h>
#include <strings.h>
#include <unistr.h>

#include "certs/judge/hostname.h"

#define LABEL_MAX 1100 /* octets of UTF-8, and so characters as well */

const char hostname_no_memory[] = "no memory";

static bool is_ascii(const char *s)
{
    while (*s != '\0' && (unsigned char)*s < 0x80)
        s++;
    return *s == '\0';
}

/* NAMEPREP, in place. */
static const char *prepare(char *label)
{
    if (u8_check((const uint8_t *)label, strlen(label)) != NULL) /* Java reads U+FFFD there */
        return "A prohibited code point was found in the input";
    switch (stringprep(label, LABEL_MAX, STRINGPREP_NO_UNASSIGNED, stringprep_nameprep)) {
    case STRINGPREP_OK:
        return NULL;
    case STRINGPREP_CONTAINS_UNASSIGNED:
        return "An unassigned code point was found in the input";
    case STRINGPREP_CONTAINS_PROHIBITED:
        return "A prohibited code point was found in the input";
    case STRINGPREP_MALLOC_ERROR:
    case STRINGPREP_ICONV_ERROR: /* from what is UTF-8 to UCS-4: no memory either */
    case STRINGPREP_NFKC_FAILED:
        return hostname_no_memory;
    default: /* right-to-left and left-to-right mixed */
        return "The input does not conform to the rules for BiDi code points.";
    }
}

static const char *letters_digits_hyphen(const char *label)
{
    for (const char *p = label; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x80 && *p != '-' && !(*p >= '0' && *p <= '9') &&
            !((*p | 32) >= 'a' && (*p | 32) <= 'z'))
            return "Contains non-LDH ASCII characters";
    }
    return label[0] == '-' || label[strlen(label) - 1] == '-' ? "Has leading or trailing hyphen"
                                                              : NULL;
}

static const char *encode(const char *label, char out[64])
{
    punycode_uint points[LABEL_MAX];
    size_t n = 0, len = 64 - 5;
    const uint8_t *p = (const uint8_t *)label;

    while (*p != 0) {
        ucs4_t c;

        p += u8_mbtoucr(&c, p, strlen((const char *)p)); /* what NAMEPREP gives is UTF-8 */
        points[n++] = c;
    }
    if (punycode_encode(n, points, NULL, &len, out + 4) != PUNYCODE_SUCCESS)
        return "The label in the input is too long";
    memcpy(out, "xn--", 4);
    out[4 + len] = '\0';
    for (char *s = out; *s != '\0'; s++)
        *s = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
    return NULL;
}

/* ToASCII of one label. */
static const char *label_to_ascii(const char *label, bool ldh, char out[64])
{
    char dest[LABEL_MAX];
    const char *why = NULL;

    if (strlen(label) >= sizeof dest)
        return "The label in the input is too long";
    strcpy(dest, label);
    if (!is_ascii(dest))
        why = prepare(dest);
    if (why == NULL && *dest == '\0')
        why = "Empty label is not a legal name";
    if (why == NULL && ldh)
        why = letters_digits_hyphen(dest);
    if (why != NULL)
        return why;
    if (!is_ascii(dest))
        return strncasecmp(dest, "xn--", 4) == 0 ? "The input starts with the ACE Prefix"
                                                 : encode(dest, out);
    if (strlen(dest) > 63)
        return "The label in the input is too long";
    strcpy(out, dest);
    return NULL;
}

/* "xn--…" to Unicode; false when the rest is no Punycode. */
static bool decode(const char *label, char out[LABEL_MAX])
{
    punycode_uint points[LABEL_MAX];
    size_t n = LABEL_MAX, used = 0;

    if (punycode_decode(strlen(label) - 4, label + 4, &n, points, NULL) != PUNYCODE_SUCCESS)
        return false;
    for (size_t i = 0; i < n; i++) {
        int len = u8_uctomb((uint8_t *)out + used, points[i], (ptrdiff_t)(LABEL_MAX - 1 - used));

        if (len <= 0 || points[i] == 0)
            return false;
        used += (size_t)len;
    }
    out[used] = '\0';
    return true;
}

/* ToUnicode of one label, which stays as it is where anything fails. NULL, or no memory. */
static const char *label_to_unicode(const char *label, char out[LABEL_MAX])
{
    char dest[LABEL_MAX], back[64];
    const char *why;

    snprintf(out, LABEL_MAX, "%s", label);
    strcpy(dest, out);
    why = is_ascii(dest) ? NULL : prepare(dest);
    if (why == NULL && strncasecmp(dest, "xn--", 4) == 0 && decode(dest, out)) {
        why = label_to_ascii(out, false, back);
        if (why == NULL && strcasecmp(back, dest) == 0)
            return NULL;
    }
    snprintf(out, LABEL_MAX, "%s", label);
    return why == hostname_no_memory ? why : NULL;
}

/* Octets before the next dot of any script, and how long that dot is; 0: the name ends. */
static size_t label_length(const char *name, size_t *dot)
{
    static const char *const dots[] = { ".", "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1" };

    for (size_t n = 0;; n++) {
        *dot = 0;
        if (name[n] == '\0')
            return n;
        for (size_t i = 0; i < sizeof dots / sizeof dots[0]; i++) {
            if (strncmp(name + n, dots[i], strlen(dots[i])) == 0) {
                *dot = strlen(dots[i]);
                return n;
            }
        }
    }
}

static const char *convert(const char *name, bool to_ascii, bool ldh, char *out, size_t size)
{
    char label[LABEL_MAX], converted[LABEL_MAX];
    size_t used = 0, n, dot, added;

    if (size == 0 || strlen(name) >= LABEL_MAX)
        return "The label in the input is too long";
    *out = '\0';
    for (const char *p = name; *p != '\0'; p += n + dot) {
        const char *why;

        n = label_length(p, &dot);
        if (n == 0 && n + dot == strlen(name) && p == name) { /* the root: "." */
            converted[0] = '\0';
            why = NULL;
        } else if (n == 0 && to_ascii) {
            return "Empty label is not a legal name";
        } else {
            snprintf(label, sizeof label, "%.*s", (int)n, p);
            why = to_ascii ? label_to_ascii(label, ldh, converted)
                           : label_to_unicode(label, converted);
        }
        if (why != NULL)
            return why;
        added = strlen(converted);
        if (used + added + 2 > size)
            return "The label in the input is too long";
        memcpy(out + used, converted, added);
        used += added;
        if (dot > 0)
            out[used++] = '.';
        out[used] = '\0';
    }
    return NULL;
}

const char *hostname_to_ascii(const char *name, bool ldh, char *out, size_t size)
{
    return convert(name, true, ldh, out, size);
}

const char *hostname_to_unicode(const char *name, char *out, size_t size)
{
    return convert(name, false, false, out, size);
}

/* new SNIHostName(name) */
const char *hostname_sni_refusal(const char *name)
{
    char ascii[LABEL_MAX];
    const char *why = hostname_to_ascii(name, true, ascii, sizeof ascii);

    if (why != NULL)
        return why;
    if (*ascii == '\0')
        return "Server name value of host_name cannot be empty";
    return ascii[strlen(ascii) - 1] == '.'
               ? "Server name value of host_name cannot have the trailing dot"
               : NULL;
}
