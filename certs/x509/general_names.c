/* SPDX-License-Identifier: Apache-2.0
 * GeneralNames: what the JDK's GeneralName classes accept. */
#include <string.h>

#include "certs/x509/parse_impl.h"
#include "certs/x509/parse_uri.h"

static const char *email(struct der_span v)
{
    const uint8_t *at = v.len > 0 ? memchr(v.at, '@', v.len) : NULL;
    size_t from = at != NULL ? (size_t)(at - v.at) + 1 : 0;

    if (v.len == 0)
        return "java.io.IOException: RFC822Name may not be null or empty";
    if (from == v.len)
        return "java.io.IOException: RFC822Name may not end with @";
    if (v.at[from] == '.' && from + 1 == v.len)
        return "java.io.IOException: RFC822Name domain may not be just .";
    return NULL;
}

static const char *uri(struct der_span v, bool constraint)
{
    struct uri_parts parts;
    const char *s = (const char *)v.at;
    uint8_t address[16];
    char host[256];

    if (!uri_parse(v.len > 0 ? s : "", v.len, &parts))
        return "java.io.IOException: invalid URI name";
    if (constraint) {
        size_t skip = parts.specific_len > 0 && s[0] == '.' ? 1 : 0;

        if (parts.has_scheme)
            return "java.io.IOException: invalid URI name constraint (should not include scheme)";
        return dns_name_strict(s + skip, parts.specific_len - skip)
                   ? NULL
                   : "java.io.IOException: invalid URI name constraint";
    }
    if (!parts.has_scheme)
        return "java.io.IOException: URI name must include scheme";
    if (parts.host == NULL || dns_name_strict(parts.host, parts.host_len))
        return NULL;
    if (parts.host_len >= sizeof host)
        return "java.io.IOException: invalid URI name";
    memcpy(host, parts.host, parts.host_len);
    host[parts.host_len] = '\0';
    if (host[0] == '[') { /* brackets off */
        host[parts.host_len - 1] = '\0';
        return ip_from_text(host + 1, address) != 0 ? NULL
                                                    : "java.io.IOException: invalid URI name";
    }
    return ip_from_text(host, address) == 4 ? NULL : "java.io.IOException: invalid URI name";
}

static const char *other(struct der_span v)
{
    struct der d;
    const char *why = der_next(&v, &d);

    if (why == NULL && d.tag != DER_OID)
        why = "java.io.IOException: DerValue.getOID, not an OID";
    if (why == NULL)
        why = der_oid_check(d.body);
    if (why == NULL)
        why = der_next(&v, &d);
    return why;
}

/* Is the element one of the types that the JDK takes for text? */
static bool is_text(uint8_t tag)
{
    return tag == DER_UTF8_STRING || tag == DER_PRINTABLE_STRING || tag == DER_T61_STRING ||
           tag == DER_IA5_STRING || tag == DER_UNIVERSAL_STRING || tag == DER_BMP_STRING ||
           tag == DER_GENERAL_STRING;
}

/* [0] nameAssigner or [1] partyName, read as IMPLICIT ones that hold an element all the same: an
 * explicit [1], as RFC 5280 means it, is not seen. `*d` becomes what was in it. */
static const char *edi_field(struct der *d, uint8_t tag, bool *there, const char *twice)
{
    struct der_span body = d->body;
    const char *why;

    if (d->tag != tag)
        return NULL;
    if (*there)
        return twice;
    why = der_next(&body, d);
    *there = why == NULL && is_text(d->tag);
    return why;
}

static const char *edi(struct der_span v, struct cert_general_name *out)
{
    bool assigner = false, party = false;
    unsigned n = 0;
    struct der_span all = v;
    struct der d;

    for (; all.len > 0; n++) {
        const char *why = der_next(&all, &d);

        if (why != NULL)
            return why;
    }
    if (n != 1 && n != 2)
        return "java.io.IOException: Invalid encoding of EDIPartyName";
    while (v.len > 0) {
        const char *why = der_next(&v, &d);

        if (why == NULL)
            why = edi_field(&d, 0x80, &assigner,
                            "java.io.IOException: Duplicate nameAssigner found in EDIPartyName");
        if (why == NULL)
            why = edi_field(&d, 0x81, &party,
                            "java.io.IOException: Duplicate partyName found in EDIPartyName");
        if (why != NULL)
            return why;
    }
    out->not_encodable = !party;
    return NULL;
}

/* A SEQUENCE of elements that can be told apart? */
static bool is_sequence_of(struct der_span v, struct der *out)
{
    struct der_span body;
    struct der d;

    if (der_next(&v, out) != NULL || out->tag != DER_SEQUENCE)
        return false;
    for (body = out->body; body.len > 0;) {
        if (der_next(&body, &d) != NULL)
            return false;
    }
    return true;
}

/* The Name in [4]; without its SEQUENCE, as under an IMPLICIT tag, the JDK reads it too. */
static const char *directory(struct cert_parser *p, struct der_span body,
                             struct cert_general_name *out)
{
    struct x500_name name;
    struct der d;

    if (is_sequence_of(body, &d)) {
        out->value = d.all;
    } else {
        uint8_t *all = arena_alloc(&p->arena, body.len + DER_HEAD_MAX);
        size_t n;

        if (all == NULL)
            return "no memory";
        n = der_head(DER_SEQUENCE, body.len, all);
        if (body.len > 0)
            memcpy(all + n, body.at, body.len);
        out->value = der_span_of(all, n + body.len);
    }
    return x500_name_parse(out->value, &p->arena, &name);
}

/* Must the element be constructed? By GeneralName's context tag. */
static const bool constructed[] = { true, false, false, true, true, true, false, false, false };

const char *parse_general_name(struct cert_parser *p, const struct der *d, bool constraint,
                               struct cert_general_name *out)
{
    unsigned kind = d->tag & 0x1f;

    if (kind > 8)
        return "java.io.IOException: Unrecognized GeneralName tag";
    if ((d->tag & 0xc0) != 0x80 || der_is_constructed(d) != constructed[kind])
        return "java.io.IOException: Invalid encoding of a GeneralName";
    *out = (struct cert_general_name){ .kind = (enum cert_name_kind)kind, .value = d->body };
    switch (out->kind) {
    case CERT_NAME_OTHER:
        return other(d->body);
    case CERT_NAME_EMAIL:
        return email(d->body);
    case CERT_NAME_DNS:
    case CERT_NAME_X400:
        return NULL;
    case CERT_NAME_DIRECTORY:
        return directory(p, d->body, out);
    case CERT_NAME_EDI:
        return edi(d->body, out);
    case CERT_NAME_URI:
        return uri(d->body, constraint);
    case CERT_NAME_IP:
        if (d->body.len == 4 || d->body.len == 8 || d->body.len == 16 || d->body.len == 32)
            return NULL;
        return "java.io.IOException: Invalid IPAddressName";
    case CERT_NAME_RID:
        return der_oid_check(d->body);
    }
    return NULL;
}

const char *parse_general_names(struct cert_parser *p, struct der_span body,
                                struct cert_general_name **names, size_t *n)
{
    if (body.len == 0)
        return "java.io.IOException: No data available in passed DER encoded value.";
    while (body.len > 0) {
        struct cert_general_name *slot = arena_append(&p->arena, (void **)names, n, sizeof *slot);
        struct der d;
        const char *why = der_next(&body, &d);

        if (why == NULL && slot == NULL)
            why = "no memory";
        if (why == NULL)
            why = parse_general_name(p, &d, false, slot);
        if (why != NULL)
            return why;
    }
    return NULL;
}
