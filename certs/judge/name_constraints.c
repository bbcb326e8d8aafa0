/* SPDX-License-Identifier: Apache-2.0
 * Comparing one name with another for name constraints: the `constrains` of the JDK's GeneralName
 * classes, with the exceptions they fail with. Source: measured on JDK 17.0.15. */
#include "certs/judge/name_constraints.h"

#include <stdio.h>
#include <string.h>

#include "certs/x509/parse_uri.h"

static enum nc_relation unsupported(char *thrown, const char *message)
{
    snprintf(thrown, VERDICT_TEXT_MAX, "%s", message);
    return NC_UNSUPPORTED;
}

static enum nc_relation throws(char *thrown, const char *message)
{
    snprintf(thrown, VERDICT_TEXT_MAX, "%s", message);
    return NC_THROWS;
}

struct piece { /* text without a terminator */
    const char *at;
    size_t len;
};

static bool piece_ends_with(struct piece a, struct piece b)
{
    if (a.len < b.len)
        return false;
    /* names of one domain have the same end: look at their beginnings first */
    return b.len == 0 ||
           (a.at[a.len - b.len] == b.at[0] && memcmp(a.at + a.len - b.len, b.at, b.len) == 0);
}

static bool same_text(struct piece a, struct piece b)
{
    return a.len == b.len &&
           (a.len == 0 || (a.at[a.len / 2] == b.at[a.len / 2] && memcmp(a.at, b.at, a.len) == 0));
}

/* Is the longer one a subdomain of the shorter? Exactly one of "a dot before" and "begins with a
 * dot" must hold. */
static bool dot_between(struct piece longer, struct piece shorter)
{
    return (longer.at[longer.len - shorter.len - 1] == '.') != (shorter.at[0] == '.');
}

static enum nc_relation compare_dns(struct piece base, struct piece input, char *thrown)
{
    if (same_text(base, input))
        return NC_MATCH;
    if (base.len == 0 || input.len == 0)
        return throws(thrown, "String index out of range: 0");
    if (piece_ends_with(base, input))
        return dot_between(base, input) ? NC_WIDENS : NC_SAME_TYPE;
    if (piece_ends_with(input, base))
        return dot_between(input, base) ? NC_NARROWS : NC_SAME_TYPE;
    return NC_SAME_TYPE;
}

static bool mail_within(struct piece longer, struct piece shorter)
{
    if (memchr(shorter.at, '@', shorter.len) != NULL)
        return false;
    return shorter.at[0] == '.' || longer.at[longer.len - shorter.len - 1] == '@';
}

static enum nc_relation compare_email(struct piece base, struct piece input)
{
    if (same_text(base, input))
        return NC_MATCH;
    if (piece_ends_with(base, input))
        return mail_within(base, input) ? NC_WIDENS : NC_SAME_TYPE;
    if (piece_ends_with(input, base))
        return mail_within(input, base) ? NC_NARROWS : NC_SAME_TYPE;
    return NC_SAME_TYPE;
}

static bool within(const struct x500_name *name, const struct x500_name *tree)
{
    if (tree->n == 0)
        return true;
    if (name->n < tree->n)
        return false;
    for (size_t i = 0; i < tree->n; i++) {
        if (name->n_avas[i] != tree->n_avas[i] || strcmp(name->rdns[i], tree->rdns[i]) != 0)
            return false;
    }
    return true;
}

static enum nc_relation compare_dn(const struct x500_name *base, const struct x500_name *input)
{
    if (x500_name_same(base, input))
        return NC_MATCH;
    if (input->n == 0)
        return NC_WIDENS;
    if (base->n == 0 || within(input, base))
        return NC_NARROWS;
    return within(base, input) ? NC_WIDENS : NC_SAME_TYPE;
}

static enum nc_relation compare_uri(const struct nc_name *base, const struct nc_name *input,
                                    char *thrown)
{
    struct piece b = { base->text, base->len }, in = { input->text, input->len };
    bool domain, in_domain;
    enum nc_relation r;

    if (input->no_host)
        return throws(thrown,
                      "Cannot invoke \"String.equalsIgnoreCase(String)\" because \"otherHost\""
                      " is null");
    if (same_text(b, in))
        return NC_MATCH;
    if (!base->host_is_dns || !input->host_is_dns)
        return NC_SAME_TYPE;
    domain = b.len > 0 && b.at[0] == '.';
    in_domain = in.len > 0 && in.at[0] == '.';
    r = compare_dns((struct piece){ b.at + domain, b.len - domain },
                    (struct piece){ in.at + in_domain, in.len - in_domain }, thrown);
    if (!domain && !in_domain && (r == NC_WIDENS || r == NC_NARROWS))
        return NC_SAME_TYPE;
    if (domain != in_domain && r == NC_MATCH)
        return domain ? NC_WIDENS : NC_NARROWS;
    return r;
}

/* --- addresses --- */
static bool is_subnet(struct der_span a)
{
    return a.len == 8 || a.len == 32;
}

static bool same_address(const struct nc_name *a, const struct nc_name *b)
{
    if (a->raw.len != b->raw.len)
        return false;
    if (!is_subnet(a->raw))
        return memcmp(a->raw.at, b->raw.at, a->raw.len) == 0;
    return a->mask[0] == b->mask[0] && a->mask[1] == b->mask[1] &&
           (a->net[0] & a->mask[0]) == (b->net[0] & b->mask[0]) &&
           (a->net[1] & a->mask[1]) == (b->net[1] & b->mask[1]);
}

static bool subset(const struct nc_name *inner, const struct nc_name *outer)
{
    for (int i = 0; i < 2; i++) {
        if ((outer->mask[i] & inner->mask[i]) != outer->mask[i] ||
            ((outer->net[i] ^ inner->net[i]) & outer->mask[i]) != 0)
            return false;
    }
    return true;
}

static enum nc_relation compare_subnets(const struct nc_name *base, const struct nc_name *input)
{
    if (base->host_bits && input->host_bits)
        return NC_MATCH;
    if (base->host_bits || input->host_bits)
        return base->host_bits ? NC_WIDENS : NC_NARROWS;
    if (subset(input, base))
        return NC_NARROWS;
    return subset(base, input) ? NC_WIDENS : NC_SAME_TYPE;
}

static void prepare_subnet(struct nc_name *n)
{
    size_t half = n->raw.len / 2, word = half == 4 ? 4 : 8;

    if (!is_subnet(n->raw))
        return;
    for (size_t i = 0; i < half; i += word) {
        memcpy(&n->net[i / 8], n->raw.at + i, word);
        memcpy(&n->mask[i / 8], n->raw.at + half + i, word);
    }
    n->host_bits = (n->net[0] & ~n->mask[0]) != 0 || (n->net[1] & ~n->mask[1]) != 0;
}

/* Is `host` in `net`? -1: the JDK runs off the end of the shorter one. */
static int in_subnet(struct der_span host, struct der_span net, char *thrown)
{
    size_t half = net.len / 2;

    for (size_t i = 0; i < half; i++) {
        if (i >= host.len) {
            snprintf(thrown, VERDICT_TEXT_MAX, "Index %zu out of bounds for length %zu", i,
                     host.len);
            return -1;
        }
        if ((host.at[i] & net.at[half + i]) != net.at[i])
            return 0;
    }
    return 1;
}

static enum nc_relation compare_ip(const struct nc_name *base, const struct nc_name *input,
                                   char *thrown)
{
    int in;

    if (same_address(base, input))
        return NC_MATCH;
    if (is_subnet(base->raw) && base->raw.len == input->raw.len)
        return compare_subnets(base, input);
    if (is_subnet(input->raw)) {
        in = in_subnet(base->raw, input->raw, thrown);
        return in < 0 ? NC_THROWS : in > 0 ? NC_WIDENS : NC_SAME_TYPE;
    }
    if (is_subnet(base->raw)) {
        in = in_subnet(input->raw, base->raw, thrown);
        return in < 0 ? NC_THROWS : in > 0 ? NC_NARROWS : NC_SAME_TYPE;
    }
    return NC_SAME_TYPE;
}

enum nc_relation nc_compare(const struct nc_name *base, const struct nc_name *input, char *thrown)
{
    struct piece b = { base->text, base->len }, in = { input->text, input->len };

    if (base->kind != input->kind)
        return NC_OTHER_TYPE;
    switch (base->kind) {
    case CERT_NAME_DNS:
        return compare_dns(b, in, thrown);
    case CERT_NAME_EMAIL:
        return compare_email(b, in);
    case CERT_NAME_DIRECTORY:
        return compare_dn(&base->dn, &input->dn);
    case CERT_NAME_URI:
        return compare_uri(base, input, thrown);
    case CERT_NAME_IP:
        return compare_ip(base, input, thrown);
    case CERT_NAME_RID:
        return der_span_eq(base->raw, input->raw)
                   ? NC_MATCH
                   : unsupported(thrown, "Narrowing and widening are not supported for OIDNames");
    case CERT_NAME_OTHER:
        return unsupported(thrown,
                           "Narrowing, widening, and matching are not supported for OtherName.");
    case CERT_NAME_X400:
        return unsupported(thrown,
                           "Narrowing, widening, and match are not supported for X400Address.");
    case CERT_NAME_EDI:
        return unsupported(
            thrown, "Narrowing, widening, and matching of names not supported for EDIPartyName");
    }
    return NC_OTHER_TYPE;
}

/* --- making names comparable --- */
static bool set_lower(struct trust_run *run, struct nc_name *n, const uint8_t *s, size_t len)
{
    n->text = arena_alloc(&run->arena, len + 1);
    if (n->text == NULL)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = s[i];

        n->text[i] = (char)(c >= 0x80 ? 0xff : c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    n->len = len;
    return true;
}

static bool prepare_uri(struct trust_run *run, struct nc_name *n, bool constraint)
{
    const char *s = n->raw.len > 0 ? (const char *)n->raw.at : "";
    struct uri_parts parts;
    uint8_t address[16];
    char host[64];

    if (!uri_parse(s, n->raw.len, &parts))
        return set_lower(run, n, n->raw.at, 0);
    if (constraint) {
        n->host_is_dns = true;
        return set_lower(run, n, n->raw.at, parts.specific_len);
    }
    n->no_host = parts.host == NULL;
    n->host_is_dns = parts.host != NULL && parts.host[0] != '[';
    if (n->host_is_dns && parts.host_len < sizeof host) {
        memcpy(host, parts.host, parts.host_len);
        host[parts.host_len] = '\0';
        if (!dns_name_strict(host, parts.host_len) && ip_from_text(host, address) == 4)
            n->host_is_dns = false;
    }
    return set_lower(run, n, (const uint8_t *)parts.host, parts.host_len);
}

struct nc_name *nc_name_new(struct trust_run *run, const struct cert_general_name *from,
                            bool constraint)
{
    /* making it costs as much as comparing it some times */
    bool ok = run_pay(run, 16 + from->value.len / 4);
    struct nc_name *n = ok ? arena_alloc(&run->arena, sizeof *n) : NULL;

    if (n == NULL)
        return NULL;
    n->kind = from->kind;
    n->has_minimum = from->has_minimum;
    n->has_maximum = from->has_maximum;
    n->raw = from->value;
    if (from->kind == CERT_NAME_DNS || from->kind == CERT_NAME_EMAIL)
        ok = set_lower(run, n, from->value.at, from->value.len);
    else if (from->kind == CERT_NAME_URI)
        ok = prepare_uri(run, n, constraint);
    else if (from->kind == CERT_NAME_IP)
        prepare_subnet(n);
    else if (from->kind == CERT_NAME_DIRECTORY)
        ok = x500_name_parse(from->value, &run->arena, &n->dn) == NULL;
    return ok ? n : NULL;
}
