/* SPDX-License-Identifier: Apache-2.0
 * One host name against one name of a certificate, by the JDK's rules and by Apache's.
 * source: JDK 17 (measured, docs/judge.md); Apache HttpClient 4.5, DefaultHostnameVerifier and
 * PublicSuffixMatcher */
#include <idn2.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "certs/judge/hostname.h"

#define NAME_MAX_OCTETS 1100

/* --- Unicode and xn-- --- */
static bool is_ascii(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] >= 0x80)
            return false;
    }
    return true;
}

static bool append(char *out, size_t size, size_t *used, const char *s, size_t n)
{
    if (n >= size - *used)
        return false;
    memcpy(out + *used, s, n);
    *used += n;
    out[*used] = '\0';
    return true;
}

/* An "xn--" label, when its Unicode form leads back to it. */
static int to_unicode(const char *label, char **out)
{
    char *back = NULL;
    int rc = idn2_to_unicode_8z8z(label, out, 0);

    if (rc == IDN2_OK)
        rc = idn2_to_ascii_8z(*out, &back, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
    if (rc == IDN2_OK && strcasecmp(back, label) != 0)
        rc = IDN2_PUNYCODE_BAD_INPUT;
    idn2_free(back);
    return rc;
}

/* One label, converted where it has to be. */
static bool convert_label(const char *label, size_t n, bool to_ascii, char *out, size_t size,
                          size_t *used)
{
    char one[512], *converted = NULL;
    int rc = IDN2_OK;
    bool ok;

    if (n >= sizeof one)
        return append(out, size, used, label, n);
    memcpy(one, label, n);
    one[n] = '\0';
    if (to_ascii && !is_ascii(one, n))
        rc = idn2_to_ascii_8z(one, &converted, IDN2_NFC_INPUT | IDN2_TRANSITIONAL);
    else if (!to_ascii && strncasecmp(one, "xn--", 4) == 0)
        rc = to_unicode(one, &converted);
    else
        return append(out, size, used, label, n);
    ok = rc == IDN2_OK && converted != NULL ? append(out, size, used, converted, strlen(converted))
                                            : append(out, size, used, label, n);
    idn2_free(converted);
    return ok;
}

static bool convert(const char *name, bool to_ascii, char *out, size_t size)
{
    size_t used = 0;

    if (size == 0)
        return false;
    out[0] = '\0';
    for (;;) {
        size_t n = strcspn(name, ".");

        if (!convert_label(name, n, to_ascii, out, size, &used))
            return false;
        name += n;
        if (*name == '\0')
            return true;
        if (!append(out, size, &used, ".", 1))
            return false;
        name++;
    }
}

bool hostname_to_ascii(const char *name, char *out, size_t size)
{
    return convert(name, true, out, size);
}

bool hostname_to_unicode(const char *name, char *out, size_t size)
{
    return convert(name, false, out, size);
}

/* --- the JDK --- */
const char *hostname_sni_refusal(const char *name)
{
    char ascii[NAME_MAX_OCTETS];
    size_t n;

    if (*name == '\0')
        return "Server name value of host_name cannot be empty";
    if (name[strlen(name) - 1] == '.')
        return "Server name value of host_name cannot have the trailing dot";
    if (!hostname_to_ascii(name, ascii, sizeof ascii))
        return "The label in the input is too long";
    for (const char *p = ascii;; p += n + 1) {
        n = strcspn(p, ".");
        if (n == 0)
            return "Empty label is not a legal name";
        if (n > 63)
            return "The label in the input is too long";
        for (size_t i = 0; i < n; i++) {
            if (p[i] != '-' && !(p[i] >= '0' && p[i] <= '9') &&
                !((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z'))
                return "Contains non-LDH ASCII characters";
        }
        if (p[0] == '-' || p[n - 1] == '-')
            return "Has leading or trailing hyphen";
        if (p[n] == '\0')
            return NULL;
    }
}

/* Labels that IDN.toASCII cannot take: an exception, and so no match. */
static bool idn_refuses(const char *name)
{
    for (const char *p = name;;) {
        size_t n = strcspn(p, ".");

        if (n > 63 || (n == 0 && p[0] != '\0'))
            return true;
        if (n == 0 || p[n] == '\0')
            return n == 0 && p == name;
        p += n + 1;
    }
}

static bool is_suffix(const char *name, int types)
{
    return psl_is_public_suffix2(psl_builtin(), name, types | PSL_TYPE_NO_STAR_RULE) == 1;
}

/* Is `name` a suffix below which names can be registered? libpsl takes "ck" for one, too, since
 * "*.ck" is a rule; but there a.ck is the suffix. */
static bool is_registry(const char *name, int types)
{
    char below[NAME_MAX_OCTETS + 8];

    if (*name == '\0' || name[strlen(name) - 1] == '.' || strlen(name) >= NAME_MAX_OCTETS)
        return false;
    snprintf(below, sizeof below, "zz9.%s", name);
    return is_suffix(name, types) && !is_suffix(below, types);
}

static bool illegal_wildcard(const char *pattern, bool public_authority)
{
    const char *star = strrchr(pattern, '*'), *dot;
    char ascii[NAME_MAX_OCTETS];

    if (strcmp(pattern, "*") == 0 || strcmp(pattern, "*.") == 0)
        return true;
    if (star == NULL)
        return false;
    dot = strchr(star, '.');
    if (dot == NULL)
        return true;
    return public_authority && hostname_to_ascii(dot + 1, ascii, sizeof ascii) &&
           is_registry(ascii, PSL_TYPE_ICANN);
}

/* `*` may stand anywhere in a label, more than once. */
static bool label_matches(const char *name, size_t name_len, const char *pattern, size_t len)
{
    const char *star = memchr(pattern, '*', len);
    bool first = true;

    if (star == NULL)
        return name_len == len && memcmp(name, pattern, len) == 0;
    while (star != NULL) {
        size_t before = (size_t)(star - pattern);
        const char *at = before == 0 ? name : memmem(name, name_len, pattern, before);

        if (at == NULL || (first && at != name))
            return false;
        first = false;
        name_len -= (size_t)(at - name) + before;
        name = at + before;
        len -= before + 1;
        pattern = star + 1;
        star = memchr(pattern, '*', len);
    }
    return name_len >= len && memcmp(name + name_len - len, pattern, len) == 0;
}

/* Labels as Java's StringTokenizer gives them: empty ones do not exist. */
static size_t next_label(const char **p)
{
    *p += strspn(*p, ".");
    return strcspn(*p, ".");
}

static bool labels_match(const char *name, const char *pattern)
{
    for (;;) {
        size_t n = next_label(&name), m = next_label(&pattern);

        if (n == 0 || m == 0)
            return n == 0 && m == 0;
        if (!label_matches(name, n, pattern, m))
            return false;
        name += n;
        pattern += m;
    }
}

static void lower(char *s)
{
    for (; *s != '\0'; s++) {
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s + 32);
    }
}

bool hostname_jdk_matches(const char *name, const char *pattern, bool public_authority)
{
    char n[NAME_MAX_OCTETS], p[NAME_MAX_OCTETS], plain[NAME_MAX_OCTETS];

    if (idn_refuses(name) || idn_refuses(pattern) || !hostname_to_unicode(name, n, sizeof n) ||
        !hostname_to_unicode(pattern, p, sizeof p) || illegal_wildcard(p, public_authority))
        return false;
    strcpy(plain, p);
    for (char *s = plain; (s = strchr(s, '*')) != NULL;)
        *s = 'z';
    if (hostname_sni_refusal(plain) != NULL)
        return false;
    lower(n);
    lower(p);
    return labels_match(n, p);
}

/* --- Apache --- */
/* The registrable part of `identity`, as PublicSuffixMatcher.getDomainRoot finds it; NULL when it
 * is a public suffix itself. Under a top label that is on no list that is the top label: "*.local"
 * is fine. A privately registered suffix is a root of its own. */
static const char *domain_root(const char *identity)
{
    const char *segment = identity, *root = NULL, *dot;

    if (*identity == '.')
        return NULL;
    for (; segment != NULL; segment = dot != NULL ? dot + 1 : NULL) {
        if (is_registry(segment, PSL_TYPE_ICANN))
            return root;
        if (is_registry(segment, PSL_TYPE_PRIVATE))
            return segment;
        dot = strchr(segment, '.');
        root = segment;
    }
    return root;
}

static bool host_ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);

    return n >= m && memcmp(s + n - m, tail, m) == 0;
}

static bool under_root(const char *host, const char *root)
{
    size_t n = strlen(host), m = root != NULL ? strlen(root) : 0;

    return root != NULL && host_ends_with(host, root) && (n == m || host[n - m - 1] == '.');
}

bool hostname_apache_matches(const char *name, const char *pattern, bool psl)
{
    char host[NAME_MAX_OCTETS], identity[NAME_MAX_OCTETS], *star;
    size_t head, tail, n;

    if (strlen(name) >= sizeof host || strlen(pattern) >= sizeof identity)
        return false;
    strcpy(host, name);
    strcpy(identity, pattern);
    lower(host);
    lower(identity);
    if (psl && strchr(host, '.') != NULL && !under_root(host, domain_root(identity)))
        return false;
    star = strchr(identity, '*');
    if (star == NULL)
        return strcmp(host, identity) == 0;
    head = (size_t)(star - identity);
    tail = strlen(star + 1);
    n = strlen(host);
    if (n < head + tail || memcmp(host, identity, head) != 0 || !host_ends_with(host, star + 1))
        return false;
    return memchr(host + head, '.', n - head - tail) == NULL;
}
