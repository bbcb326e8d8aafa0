/* SPDX-License-Identifier: Apache-2.0
 * Is a certificate for this host? The JDK's HTTPS checker and Apache HttpClient's verifier, each
 * with its own words. source: measured on JDK 17 (docs/judge.md); Apache HttpClient 4.5
 * and HttpAsyncClient 4.1 (SSLIOSessionStrategy) */
#include "certs/judge/hostname.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

#include "certs/judge/trust_impl.h"
#include "certs/x509/parse_text.h"
#include "certs/x509/parse_uri.h"

#define TEXT_MAX 1100

struct subject_names { /* the leaf's names as getSubjectAlternativeNames gives them */
    struct trust_run *run;
    const struct cert_facts *leaf;
    bool any_dns, any_ip;
    char cn[TEXT_MAX];
    bool has_cn;
    bool cn_is_no_string; /* its CN has a type that is no string */
};

static void names_init(struct subject_names *s, struct trust_run *run,
                       const struct cert_facts *leaf)
{
    struct der value;
    uint8_t address[16];

    *s = (struct subject_names){ .run = run, .leaf = leaf };
    for (size_t i = 0; i < leaf->n_sans; i++) {
        s->any_dns = s->any_dns || leaf->sans[i].kind == CERT_NAME_DNS;
        s->any_ip = s->any_ip || leaf->sans[i].kind == CERT_NAME_IP;
    }
    s->has_cn = cert_name_last_cn(leaf->subject, &value);
    s->cn_is_no_string = s->has_cn && !text_of_value(&value, s->cn, sizeof s->cn);
    s->has_cn = s->has_cn && !s->cn_is_no_string;
    if (!run->cn_became_san || !s->has_cn)
        return;
    if (ip_from_text(s->cn, address) > 0)
        s->any_ip = true;
    else
        s->any_dns = true;
}

static bool san_text(const struct cert_general_name *name, char *out, size_t size)
{
    return name->value.len < size &&
           strlen(cert_general_name_text(name, out, size)) >= name->value.len;
}

/* getSubjectAlternativeNames fails over a name that it cannot write. */
static bool names_readable(const struct subject_names *s, struct fault *fault)
{
    for (size_t i = 0; i < s->leaf->n_sans; i++) {
        if (!s->leaf->sans[i].not_encodable)
            continue;
        fault_set(fault, VERDICT_CLIENT_CRASHED, s->leaf, "name cannot be encoded");
        fault_detail(fault, "java.io.IOException: Cannot have null partyName");
        return false;
    }
    return true;
}

/* --- the JDK --- */
static size_t san_address(const struct cert_general_name *name, uint8_t out[16])
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    if (name->kind != CERT_NAME_IP || (name->value.len != 4 && name->value.len != 16))
        return 0;
    memcpy(out, name->value.at, name->value.len);
    if (name->value.len == 16 && memcmp(out, mapped, 12) == 0) {
        memmove(out, out + 12, 4);
        return 4;
    }
    return name->value.len;
}

static bool jdk_address(const struct subject_names *s, const char *host, const uint8_t *want,
                        size_t want_len, struct fault *fault)
{
    uint8_t have[16];

    if (!names_readable(s, fault))
        return false;
    if (!s->leaf->has_san) {
        fault_set(fault, VERDICT_HOST_MISMATCH, s->leaf, "No subject alternative names present");
        return false;
    }
    for (size_t i = 0; i < s->leaf->n_sans; i++) {
        if (san_address(&s->leaf->sans[i], have) == want_len && memcmp(have, want, want_len) == 0)
            return true;
    }
    if (s->run->cn_became_san && s->has_cn && ip_from_text(s->cn, have) == want_len &&
        memcmp(have, want, want_len) == 0)
        return true;
    fault_set(fault, VERDICT_HOST_MISMATCH, s->leaf,
              "No subject alternative names matching IP address %s found", host);
    return false;
}

static bool is_nfkc(const char *s, bool *no_memory)
{
    size_t n = strlen(s), m = 0;
    uint8_t *out;
    bool same;

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] >= 0x80)
            goto look;
    }
    return true;
look:
    errno = 0;
    out = u8_normalize(UNINORM_NFKC, (const uint8_t *)s, n, NULL, &m);
    same = out != NULL && m == n && memcmp(out, s, n) == 0;
    *no_memory = *no_memory || (out == NULL && errno == ENOMEM);
    free(out);
    return same;
}

static bool jdk_matches(const struct subject_names *s, const char *host, const char *name,
                        bool public_authority)
{
    return hostname_jdk_matches(host, name, public_authority, &s->run->no_memory);
}

static bool jdk_cn(const struct subject_names *s, const char *host, bool public_authority,
                   struct fault *fault)
{
    if (s->cn_is_no_string) {
        fault_set(fault, VERDICT_CLIENT_CRASHED, s->leaf,
                  "Cannot invoke \"java.lang.CharSequence.toString()\" because \"src\" is null");
        return false;
    }
    if (s->has_cn && !is_nfkc(s->cn, &s->run->no_memory)) {
        fault_set(fault, VERDICT_HOST_MISMATCH, s->leaf, "Not a formal name %s", s->cn);
        return false;
    }
    if (s->has_cn && jdk_matches(s, host, s->cn, public_authority))
        return true;
    fault_set(fault, VERDICT_HOST_MISMATCH, s->leaf, "No name matching %s found", host);
    return false;
}

static bool jdk_name(const struct subject_names *s, const char *host, bool public_authority,
                     struct fault *fault)
{
    const char *illegal = hostname_sni_refusal(host);
    char name[TEXT_MAX];

    s->run->no_memory = s->run->no_memory || illegal == hostname_no_memory;
    if (illegal != NULL) {
        fault_set(fault, VERDICT_HOST_ILLEGAL, s->leaf, "Illegal given domain name: %s", host);
        fault_detail(fault, "java.lang.IllegalArgumentException: %s", illegal);
        return false;
    }
    if (!names_readable(s, fault))
        return false;
    for (size_t i = 0; i < s->leaf->n_sans; i++) {
        const struct cert_general_name *n = &s->leaf->sans[i];

        if (n->kind == CERT_NAME_DNS && san_text(n, name, sizeof name) &&
            jdk_matches(s, host, name, public_authority))
            return true;
    }
    if (!s->any_dns)
        return jdk_cn(s, host, public_authority, fault);
    if (s->run->cn_became_san && s->has_cn && jdk_matches(s, host, s->cn, public_authority))
        return true;
    fault_set(fault, VERDICT_HOST_MISMATCH, s->leaf,
              "No subject alternative DNS name matching %s found.", host);
    return false;
}

static bool jdk_check(const struct subject_names *s, const char *given, bool public_authority,
                      struct fault *fault)
{
    char host[TEXT_MAX];
    uint8_t address[16];
    size_t n;

    if (strlen(given) >= sizeof host) {
        fault_set(fault, VERDICT_HOST_ILLEGAL, s->leaf, "Illegal given domain name: %s", given);
        return false;
    }
    strcpy(host, given);
    n = strlen(host);
    if (n > 0 && host[n - 1] == '.')
        host[--n] = '\0';
    if (n > 1 && host[0] == '[' && host[n - 1] == ']') {
        memmove(host, host + 1, n - 2);
        host[n - 2] = '\0';
    }
    n = ip_from_text(host, address);
    if (n > 0)
        return jdk_address(s, host, address, n, fault);
    return jdk_name(s, host, public_authority, fault);
}

/* --- Apache --- */
/* InetAddressUtils.isIPv4Address: four plain numbers, the first not 0. Other spellings are names.
 */
static bool apache_ip4(const char *s)
{
    for (unsigned i = 0; i < 4; i++) {
        size_t n = strspn(s, "0123456789");

        if (n == 0 || n > 3 || (n > 1 && s[0] == '0') || (i == 0 && s[0] == '0') || atoi(s) > 255)
            return false;
        s += n;
        if (i < 3 && *s++ != '.')
            return false;
    }
    return *s == '\0';
}

/* Hexadecimal only, and at most six groups on each side of "::". */
static bool apache_ip6_form(const char *s)
{
    const char *gap = strstr(s, "::");
    size_t before = 1, after = 1;

    for (const char *p = s; *p != '\0'; p++) {
        if (*p == ':' && gap != NULL && p > gap + 1)
            after++;
        else if (*p == ':' && (gap == NULL || p < gap))
            before++;
    }
    return strchr(s, ':') != NULL && s[strspn(s, "0123456789abcdefABCDEF:")] == '\0' &&
           (gap == NULL || (before <= 6 && after <= 6));
}

/* isIPv6Address, with or without brackets: octets of the address (4 of a mapped one), or 0. */
static size_t apache_ip6(const char *s, uint8_t out[16])
{
    char plain[64];
    size_t n = strlen(s);

    if (n > 1 && s[0] == '[' && s[n - 1] == ']') {
        s++;
        n -= 2;
    }
    if (n >= sizeof plain)
        return 0;
    memcpy(plain, s, n);
    plain[n] = '\0';
    return apache_ip6_form(plain) ? ip_from_text(plain, out) : 0;
}

/* By octets, letters as capitals: LdapName's order of the values of one relative name. */
static int ldap_order(struct der_span a, struct der_span b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int x = a.at[i] >= 'a' && a.at[i] <= 'z' ? a.at[i] - 32 : a.at[i];
        int y = b.at[i] >= 'a' && b.at[i] <= 'z' ? b.at[i] - 32 : b.at[i];

        if (x != y)
            return x - y;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

/* DefaultHostnameVerifier.extractCN: of the most specific relative name that has one, and there the
 * one that LdapName sorts first. The JDK hands a CN's octets over as UTF-8, whatever type they
 * have. */
static bool apache_cn(struct der_span subject, char *out, size_t size)
{
    struct der seq, set, item, chosen = { 0 };
    struct ava ava;

    if (der_next(&subject, &seq) != NULL)
        return false;
    while (der_next(&seq.body, &set) == NULL) {
        bool first = true;

        while (der_next(&set.body, &item) == NULL && ava_read(&item, &ava) == NULL) {
            if (!der_oid_is(ava.oid, "2.5.4.3") ||
                (!first && ldap_order(ava.value.body, chosen.body) >= 0))
                continue;
            chosen = ava.value;
            first = false;
        }
    }
    if (chosen.tag == 0 || !text_of_value(&chosen, out, size))
        return false;
    chosen.tag = DER_UTF8_STRING;
    return text_of_value(&chosen, out, size) && *out != '\0';
}

static bool apache_by_names(const struct subject_names *s, const char *host)
{
    uint8_t address[16], have[16];
    size_t want = apache_ip4(host) ? ip_from_text(host, address) : apache_ip6(host, address);
    char name[TEXT_MAX];

    for (size_t i = 0; i < s->leaf->n_sans; i++) {
        const struct cert_general_name *san = &s->leaf->sans[i];

        if (want > 0) {
            if (san_address(san, have) == want && memcmp(have, address, want) == 0)
                return true;
        } else if (san->kind == CERT_NAME_DNS && san_text(san, name, sizeof name) &&
                   hostname_apache_matches(host, name, true)) {
            return true;
        }
    }
    return s->run->cn_became_san && s->has_cn && want == 0 &&
           hostname_apache_matches(host, s->cn, true);
}

static bool apache_matches(const struct subject_names *s, const char *host)
{
    char cn[TEXT_MAX];

    if (s->any_dns || s->any_ip)
        return apache_by_names(s, host);
    return apache_cn(s->leaf->subject, cn, sizeof cn) && hostname_apache_matches(host, cn, true);
}

static bool apache_check(const struct subject_names *s, const char *host, struct fault *fault)
{
    char subject[TEXT_MAX];

    if (!names_readable(s, fault))
        return false;
    if (strlen(host) < TEXT_MAX && apache_matches(s, host))
        return true;
    fault_set(fault, VERDICT_HOST_MISMATCH, s->leaf,
              "Host name '%s' does not match the certificate subject provided by the peer (%s)",
              host, cert_name_text(s->leaf->subject, CERT_STYLE_JAVA, subject, sizeof subject));
    return false;
}

bool hostname_check(struct trust_run *run, const struct cert_facts *leaf, const char *host,
                    enum trust_client client, bool public_authority, struct fault *fault)
{
    struct subject_names names;

    names_init(&names, run, leaf);
    switch (client) {
    case TRUST_APACHE:
        return apache_check(&names, host, fault);
    case TRUST_JDK:
        return jdk_check(&names, host, public_authority, fault);
    }
    return false;
}
