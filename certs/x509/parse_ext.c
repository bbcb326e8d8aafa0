/* SPDX-License-Identifier: Apache-2.0
 * Extensions that every path check looks at: constraints, usages, names, key identifiers.
 *
 * An extension that is not critical and cannot be read counts as absent; a critical one makes the
 * JDK refuse the certificate; one that comes twice too (source: measured beside JDK 17). */
#include "certs/x509/parse_ext.h"

#include <string.h>

static const char *basic_constraints(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_facts *f = &p->facts;
    struct der_span body;
    struct der d;
    int32_t limit = -1;
    bool ca = false;
    const char *why = ext_sequence(ext->value, &body);

    if (why != NULL)
        return why;
    if (body.len > 0) {
        why = der_next(&body, &d);
        if (why == NULL && d.tag == DER_BOOLEAN) {
            why = der_boolean(&d, &ca);
            limit = INT32_MAX;
            if (why == NULL && body.len > 0) {
                why = der_next(&body, &d);
                if (why == NULL && d.tag != DER_INTEGER)
                    why = "java.io.IOException: Invalid encoding of BasicConstraints";
                if (why == NULL)
                    why = der_int32(&d, &limit);
            }
        }
    }
    if (why != NULL)
        return why;
    f->has_basic_constraints = true;
    f->ca = ca;
    f->path_len = limit == INT32_MAX ? -1 : limit;
    p->details.java_bc = ca ? limit : -1;
    return NULL;
}

/* The first bits of a BIT STRING; bit n of the result is its n-th bit. */
static const char *bit_flags(struct der_span value, unsigned *out)
{
    struct der d;
    struct der_span octets;
    unsigned unused, flags = 0;
    const char *why = ext_whole(value, &d);

    if (why == NULL && d.tag != DER_BIT_STRING)
        why = "java.io.IOException: DerValue.getBitString, not a bit string";
    if (why == NULL)
        why = der_bits(&d, &octets, &unused);
    if (why != NULL)
        return why;
    for (size_t i = 0; i < octets.len * 8 - unused && i < 16; i++)
        flags |= (unsigned)(octets.at[i / 8] >> (7 - i % 8) & 1) << i;
    *out = flags;
    return NULL;
}

static const char *key_usage(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der_span value = ext->value;
    struct der d;
    const char *why;

    if (value.len == 0)
        return "java.lang.ArrayIndexOutOfBoundsException: Index 0 out of bounds for length 0";
    if (value.at[0] == DER_OCTET_STRING) {
        why = ext_whole(value, &d);
        if (why != NULL)
            return why;
        value = d.body;
    }
    why = bit_flags(value, &p->facts.key_usage);
    p->facts.has_key_usage = why == NULL;
    return why;
}

static const char *netscape_type(struct cert_parser *p, const struct cert_extension *ext)
{
    const char *why = bit_flags(ext->value, &p->facts.netscape_type);

    p->facts.has_netscape_type = why == NULL;
    return why;
}

static const char *extended_usage(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_facts *f = &p->facts;
    struct der_span body;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        struct der_span *slot = arena_append(&p->arena, &f->eku, &f->n_eku, sizeof *slot);
        struct der d;

        why = der_next(&body, &d);
        if (why == NULL && d.tag != DER_OID)
            why = "java.io.IOException: DerValue.getOID, not an OID";
        if (why == NULL)
            why = der_oid_check(d.body);
        if (why == NULL && slot != NULL)
            *slot = d.body;
    }
    f->has_eku = why == NULL;
    if (why != NULL)
        f->n_eku = 0;
    return why;
}

static const char *alt_name(struct cert_parser *p, const struct cert_extension *ext)
{
    struct cert_facts *f = &p->facts;
    struct der_span body;
    const char *why = ext_sequence(ext->value, &body);

    if (why == NULL)
        why = parse_general_names(p, body, &f->sans, &f->n_sans);
    if (why != NULL) {
        f->n_sans = 0;
        return why;
    }
    f->has_san = true;
    f->san_critical = ext->critical;
    p->details.san_value = ext->value;
    return NULL;
}

static const char *subject_key_id(struct cert_parser *p, const struct cert_extension *ext)
{
    struct der d;
    const char *why = ext_whole(ext->value, &d);

    if (why == NULL && (d.tag & ~0x20) != DER_OCTET_STRING)
        why = "java.io.IOException: DerValue.getOctetString, not an Octet String";
    if (why == NULL)
        p->facts.ski = d.body;
    return why;
}

static const char *authority_field(struct cert_parser *p, const struct der *d, bool seen[3])
{
    struct cert_general_name *names = NULL;
    size_t n = 0;
    unsigned kind = d->tag & 0x1f;

    if ((d->tag & 0xc0) != 0x80 || kind > 2 || der_is_constructed(d) != (kind == 1))
        return "java.io.IOException: Invalid encoding of AuthorityKeyIdentifierExtension.";
    if (seen[kind])
        return "java.io.IOException: Duplicate field in AuthorityKeyIdentifier.";
    seen[kind] = true;
    if (kind == 1)
        return parse_general_names(p, d->body, &names, &n);
    if (kind == 2 && d->body.len == 0)
        return "java.io.IOException: Invalid encoding: zero length Int value";
    if (kind == 0)
        p->facts.aki_key = d->body.at != NULL ? d->body : der_span_of("", 0);
    else
        p->details.aki_serial = d->body;
    return NULL;
}

static const char *authority_key_id(struct cert_parser *p, const struct cert_extension *ext)
{
    bool seen[3] = { false, false, false };
    struct der_span body;
    const char *why = ext_sequence(ext->value, &body);

    while (why == NULL && body.len > 0) {
        struct der d;

        why = der_next(&body, &d);
        if (why == NULL)
            why = authority_field(p, &d, seen);
    }
    if (why != NULL)
        p->facts.aki_key = p->details.aki_serial = der_span_of(NULL, 0);
    return why;
}

/* --- the table --- */
static const struct known {
    const char *oid;
    const char *(*read)(struct cert_parser *p, const struct cert_extension *ext);
} known[] = {
    { "2.5.29.14", subject_key_id },
    { "2.5.29.15", key_usage },
    { "2.5.29.16", ext_private_key_usage },
    { "2.5.29.17", alt_name },
    { "2.5.29.18", ext_general_names },
    { "2.5.29.19", basic_constraints },
    { "2.5.29.20", ext_number },
    { "2.5.29.21", ext_enumerated },
    { "2.5.29.27", ext_number },
    { "2.5.29.28", ext_issuing_point },
    { "2.5.29.29", ext_general_names },
    { "2.5.29.30", ext_name_constraints },
    { "2.5.29.31", ext_distribution_points },
    { "2.5.29.32", ext_policies },
    { "2.5.29.33", ext_policy_mappings },
    { "2.5.29.35", authority_key_id },
    { "2.5.29.36", ext_policy_constraints },
    { "2.5.29.37", extended_usage },
    { "2.5.29.46", ext_distribution_points },
    { "2.5.29.54", ext_inhibit_any_policy },
    { "1.3.6.1.5.5.7.1.1", ext_access },
    { "1.3.6.1.5.5.7.1.11", ext_access },
    { "1.3.6.1.5.5.7.48.1.5", ext_nothing },
    { "2.16.840.1.113730.1.1", netscape_type },
};
#define N_KNOWN (sizeof known / sizeof known[0])

/* An OCTET STRING in pieces (BER): the content of all of them. */
static const char *join_octets(struct cert_parser *p, struct der_span pieces, unsigned depth,
                               struct der_span *out)
{
    size_t room = pieces.len, n = 0;
    uint8_t *joined = arena_alloc(&p->arena, room + 1);
    const char *why = joined == NULL ? "no memory" : NULL;

    if (depth > 28)
        return "java.io.IOException: Nested OctetString limit reached (30).";
    while (why == NULL && pieces.len > 0) {
        struct der_span piece;
        struct der d;

        why = der_next(&pieces, &d);
        piece = d.body;
        if (why == NULL && (d.tag & ~0x20) != DER_OCTET_STRING)
            why = "java.io.IOException: DerValue.getOctetString, not an Octet String";
        if (why == NULL && d.tag != DER_OCTET_STRING)
            why = join_octets(p, d.body, depth + 1, &piece);
        if (why == NULL && piece.len > 0)
            memcpy(joined + n, piece.at, piece.len);
        n += piece.len;
    }
    *out = der_span_of(joined, why == NULL ? n : 0);
    return why;
}

static const char *read_extension(struct cert_parser *p, struct der_span body,
                                  struct cert_extension *out)
{
    struct der d;
    const char *why = der_next_oid(&body, &out->oid);

    if (why != NULL)
        return why;
    why = der_next(&body, &d);
    if (why == NULL && d.tag == DER_BOOLEAN) {
        why = der_boolean(&d, &out->critical);
        if (why == NULL)
            why = der_next(&body, &d);
    }
    if (why == NULL && (d.tag & ~0x20) != DER_OCTET_STRING)
        why = "java.io.IOException: DerValue.getOctetString, not an Octet String";
    out->value = d.body;
    if (why == NULL && d.tag != DER_OCTET_STRING)
        why = join_octets(p, d.body, 0, &out->value);
    return why;
}

/* Identifiers met so far, by hash: there may be thousands. */
struct ids {
    struct der_span *slots;
    size_t size; /* a power of two, more than there are extensions */
};

static bool is_double(struct ids *ids, struct der_span oid)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < oid.len; i++)
        h = (h ^ oid.at[i]) * 16777619u;
    for (size_t i = h & (ids->size - 1);; i = (i + 1) & (ids->size - 1)) {
        if (ids->slots[i].at == NULL) {
            ids->slots[i] = oid;
            return false;
        }
        if (der_span_eq(ids->slots[i], oid))
            return true;
    }
}

static const char *understand(struct cert_parser *p, struct cert_extension *ext, bool seen[N_KNOWN],
                              struct ids *ids)
{
    char dotted[DER_OID_TEXT_MAX];
    const char *why;

    der_oid_text(ext->oid, dotted, sizeof dotted);
    if (strcmp(dotted, "2.5.29.14") == 0)
        p->details.ski_value = ext->value;
    for (size_t i = 0; i < N_KNOWN; i++) {
        if (strcmp(known[i].oid, dotted) != 0)
            continue;
        if (seen[i]) { /* once more over the same facts would spoil them: look, but keep quiet */
            struct cert_parser spare = { .arena = p->arena, .details.java_bc = -1 };

            why = known[i].read(&spare, ext);
            p->arena = spare.arena;
        } else {
            why = known[i].read(p, ext);
        }
        if (why != NULL && !ext->critical) {
            ext->unparseable = true;
            return NULL;
        }
        if (why == NULL && seen[i])
            why = "java.io.IOException: Duplicate extensions not allowed";
        seen[i] = true;
        return why;
    }
    return is_double(ids, ext->oid) ? "java.io.IOException: Duplicate extensions not allowed"
                                    : NULL;
}

const char *parse_extensions(struct cert_parser *p, struct der_span rest)
{
    bool seen[N_KNOWN] = { false };
    struct ids ids = { NULL, 16 };
    struct der_span body;
    struct der seq, d;
    size_t n = 0;
    const char *why = der_next(&rest, &seq);

    if (why == NULL && seq.tag != DER_SEQUENCE)
        why = "java.io.IOException: Not the correct tag";
    for (body = seq.body; why == NULL && body.len > 0; n++)
        why = der_next(&body, &d); /* the JDK splits the list before it looks at an element */
    while (ids.size < 2 * n)
        ids.size *= 2;
    ids.slots = arena_alloc(&p->arena, ids.size * sizeof *ids.slots);
    if (ids.slots == NULL)
        return "no memory";
    for (body = seq.body; why == NULL && body.len > 0;) {
        struct cert_extension *ext =
            arena_append(&p->arena, &p->facts.extensions, &p->facts.n_extensions, sizeof *ext);

        why = der_next(&body, &d);
        if (why == NULL && ext == NULL)
            why = "no memory";
        if (why == NULL && d.tag != DER_SEQUENCE && d.tag != DER_SET)
            why = "java.io.IOException: toDerInputStream rejects tag type";
        if (why == NULL)
            why = read_extension(p, d.body, ext);
        if (why == NULL)
            why = understand(p, ext, seen, &ids);
    }
    return why;
}
