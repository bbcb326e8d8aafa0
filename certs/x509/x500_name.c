/* SPDX-License-Identifier: Apache-2.0
 * The canonical form of an X.500 name: what "the same name" means to the JDK. */
#include "certs/x509/x500_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>

#include "certs/x509/parse_text.h"

/* --- canonical form --- */
static void canon_value(struct text *out, const char *raw)
{
    bool white = false;
    size_t from = out->len;

    for (const char *p = raw; *p != '\0'; p++) {
        if ((p == raw && *p == '#') || strchr(",+<>;\"\\", *p) != NULL)
            text_put(out, "\\", 1);
        if (*p == ' ' && white)
            continue;
        white = *p == ' ';
        text_put(out, p, 1);
    }
    while (out->len > from && (unsigned char)out->at[out->len - 1] <= ' ')
        out->at[--out->len] = '\0';
    for (raw = out->at + from; *raw != '\0' && (unsigned char)*raw <= ' ';)
        raw++;
    memmove(out->at + from, raw, strlen(raw) + 1);
    out->len = from + strlen(out->at + from);
}

/* Upper case, lower case, NFKD; ASCII is done by hand because nearly every name is ASCII. */
static const char *fold(struct arena *a, char *s)
{
    bool ascii = true;
    uint8_t *up = NULL, *low = NULL, *norm = NULL;
    size_t n = strlen(s), m, len;
    char *out = s;

    errno = 0;
    for (size_t i = 0; i < n; i++) {
        ascii = ascii && (unsigned char)s[i] < 0x80;
        if (s[i] >= 'A' && s[i] <= 'Z')
            s[i] = (char)(s[i] + 32);
    }
    if (ascii)
        return s;
    up = u8_toupper((const uint8_t *)s, n, NULL, NULL, NULL, &m);
    if (up != NULL)
        low = u8_tolower(up, m, NULL, NULL, NULL, &len);
    if (low != NULL)
        norm = u8_normalize(UNINORM_NFKD, low, len, NULL, &m);
    if (norm != NULL) {
        out = arena_strndup(a, (const char *)norm, m);
    } else if (errno == ENOMEM) {
        a->failed = true;
        out = NULL;
    }
    free(up);
    free(low);
    free(norm);
    return out;
}

static const char *ava_canon(struct arena *a, const struct ava *v, bool *known)
{
    const struct ava_keyword *k = ava_keyword_of(v->oid);
    size_t room = 3 * v->value.all.len + 2 * v->value.body.len + DER_OID_TEXT_MAX + 8;
    struct text t = { arena_alloc(a, room), 0, room };
    struct text raw = { arena_alloc(a, room), 0, room };

    if (t.at == NULL || raw.at == NULL)
        return NULL;
    *known = k != NULL && k->rfc2253;
    if (*known) {
        text_puts(&t, k->word);
    } else {
        der_oid_text(v->oid, t.at, t.size);
        t.len = strlen(t.at);
    }
    text_puts(&t, "=");
    if (!*known || (v->value.tag != DER_PRINTABLE_STRING && v->value.tag != DER_UTF8_STRING)) {
        text_puts(&t, "#");
        text_hex(&t, v->value.all);
        return fold(a, t.at);
    }
    text_value(&raw, &v->value, true);
    canon_value(&t, raw.at);
    return fold(a, t.at);
}

struct canon_ava {
    const char *text;
    bool known;
};

static int by_keyword(const void *x, const void *y)
{
    const struct canon_ava *a = x, *b = y;

    if (a->known != b->known)
        return a->known ? -1 : 1;
    return strcmp(a->text, b->text);
}

static const char *rdn_canon(struct arena *a, struct der_span set, const char **out, size_t *n_avas)
{
    struct canon_ava *avas = NULL;
    size_t n = 0, room = 1;
    struct text t;

    while (set.len > 0) {
        struct canon_ava *slot;
        struct der seq;
        struct ava ava;
        const char *why = der_next(&set, &seq);

        if (why == NULL)
            why = ava_read(&seq, &ava);
        if (why != NULL)
            return why;
        slot = arena_append(a, &avas, &n, sizeof *avas);
        if (slot == NULL)
            return "no memory";
        slot->text = ava_canon(a, &ava, &slot->known);
        if (slot->text == NULL)
            return "no memory";
        room += strlen(slot->text) + 1;
    }
    if (n > 1)
        qsort(avas, n, sizeof *avas, by_keyword);
    *n_avas = n;
    t = (struct text){ arena_alloc(a, room), 0, room };
    if (t.at == NULL)
        return "no memory";
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            text_puts(&t, "+");
        text_puts(&t, avas[i].text);
    }
    *out = t.at;
    return NULL;
}

const char *x500_name_parse(struct der_span name, struct arena *a, struct x500_name *out)
{
    struct der seq, set;
    size_t room = 1, n_counts = 0;
    const char *why = der_next(&name, &seq);
    struct text t;

    memset(out, 0, sizeof *out);
    if (why != NULL)
        return why;
    if (seq.tag != DER_SEQUENCE)
        return "java.io.IOException: X500 RDN";
    for (out->empty = true; seq.body.len > 0;) {
        const char **rdn = arena_append(a, &out->rdns, &out->n, sizeof *rdn);
        size_t *count = arena_append(a, &out->n_avas, &n_counts, sizeof *count);

        why = der_next(&seq.body, &set);
        if (why == NULL && set.tag != DER_SET)
            why = "java.io.IOException: X500 RDN";
        if (why == NULL && (rdn == NULL || count == NULL))
            why = "no memory";
        if (why == NULL)
            why = rdn_canon(a, set.body, rdn, count);
        if (why != NULL)
            return why;
        out->empty = out->empty && *count == 0;
        room += strlen(*rdn) + 1;
    }
    t = (struct text){ arena_alloc(a, room), 0, room };
    for (size_t i = out->n; i > 0 && t.at != NULL; i--) {
        text_puts(&t, out->rdns[i - 1]);
        if (i > 1)
            text_puts(&t, ",");
    }
    out->canon = t.at;
    return t.at != NULL ? NULL : "no memory";
}

bool x500_name_same(const struct x500_name *a, const struct x500_name *b)
{
    return strcmp(a->canon, b->canon) == 0;
}

bool x500_name_equal(struct der_span a, struct der_span b)
{
    struct arena arena = { 0 };
    struct x500_name x, y;
    bool same = false;

    if (der_span_eq(a, b))
        return true;
    if (x500_name_parse(a, &arena, &x) == NULL && x500_name_parse(b, &arena, &y) == NULL)
        same = x500_name_same(&x, &y);
    arena_clear(&arena);
    return same;
}
