/* SPDX-License-Identifier: Apache-2.0
 * One host name against one name of a certificate, by the JDK's rules and by Apache's.
 * source: JDK 17 (measured, docs/judge.md); Apache HttpClient 4.5, DefaultHostnameVerifier and
 * PublicSuffixMatcher */
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "certs/judge/hostname.h"

#define NAME_MAX_OCTETS 1100

/* --- the JDK --- */
static bool is_suffix(const char *name, int types)
{
    return psl_is_public_suffix2(psl_builtin(), name, types | PSL_TYPE_NO_STAR_RULE) == 1;
}

/* Is `name` a suffix below which names can be registered? libpsl takes "ck" for one, too, since
 * "*.ck" is a rule; but there a.ck is the suffix: the name with `label` below it is looked
 * at, too. */
static bool is_registry(const char *name, const char *label, int types)
{
    char below[NAME_MAX_OCTETS + 8];

    if (*name == '\0' || name[strlen(name) - 1] == '.' || strlen(name) >= NAME_MAX_OCTETS)
        return false;
    snprintf(below, sizeof below, "%s.%s", label, name);
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
    /* "z", as there: *.bg is fine, since z.bg is a rule of the list */
    return public_authority && hostname_to_ascii(dot + 1, false, ascii, sizeof ascii) == NULL &&
           is_registry(ascii, "z", PSL_TYPE_ICANN);
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

static void hostname_lower(char *s)
{
    for (; *s != '\0'; s++) {
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s + 32);
    }
}

/* IDN.toUnicode(IDN.toASCII(name)) */
static const char *normalize(const char *name, char out[NAME_MAX_OCTETS])
{
    char ascii[NAME_MAX_OCTETS];
    const char *why = hostname_to_ascii(name, false, ascii, sizeof ascii);

    return why != NULL ? why : hostname_to_unicode(ascii, out, NAME_MAX_OCTETS);
}

bool hostname_jdk_matches(const char *name, const char *pattern, bool public_authority,
                          bool *no_memory)
{
    char n[NAME_MAX_OCTETS], p[NAME_MAX_OCTETS], plain[NAME_MAX_OCTETS];
    const char *why = normalize(name, n);

    if (why == NULL)
        why = normalize(pattern, p);
    if (why == NULL && illegal_wildcard(p, public_authority))
        return false;
    if (why == NULL) {
        strcpy(plain, p);
        for (char *s = plain; (s = strchr(s, '*')) != NULL;)
            *s = 'z';
        why = hostname_sni_refusal(plain);
    }
    if (why != NULL) {
        *no_memory = *no_memory || why == hostname_no_memory;
        return false;
    }
    hostname_lower(n);
    hostname_lower(p);
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
        if (is_registry(segment, "zz9", PSL_TYPE_ICANN))
            return root;
        if (is_registry(segment, "zz9", PSL_TYPE_PRIVATE))
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
    hostname_lower(host);
    hostname_lower(identity);
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
