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

static const char *edi(struct der_span v)
{
    unsigned n = 0;
    struct der d;

    for (; v.len > 0; n++) {
        const char *why = der_next(&v, &d);

        if (why == NULL && (d.tag == 0x80 || d.tag == 0x81)) {
            struct der_span body = d.body;

            why = der_next(&body, &d);
        }
        if (why != NULL)
            return why;
    }
    return n == 1 || n == 2 ? NULL : "java.io.IOException: Invalid encoding of EDIPartyName";
}

static const char *directory(struct cert_parser *p, struct der_span body,
                             struct cert_general_name *out)
{
    struct x500_name name;
    struct der d;
    struct der_span rest = body;
    const char *why = der_next(&rest, &d);

    if (why != NULL)
        return why;
    out->value = d.all;
    return x500_name_parse(d.all, &p->arena, &name);
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
        return edi(d->body);
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
