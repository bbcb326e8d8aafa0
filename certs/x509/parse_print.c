/* SPDX-License-Identifier: Apache-2.0
 * Facts as text: names as Java and as RFC 2253 print them, general names, hexadecimal. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "certs/x509/parse_impl.h"
#include "certs/x509/parse_text.h"

/* A value between quotes when Java would quote it.
 * source: JDK 17, AVA.toKeywordValueString (measured) */
static void java_value(struct text *out, const char *raw)
{
    static const char special[] = ",+=\n<>#;\\\"";
    size_t n = strlen(raw);
    bool quoted = n > 1 && raw[0] == '"' && raw[n - 1] == '"', need = false, white = false;

    for (size_t i = 0; i < n && !quoted; i++) {
        bool blank = raw[i] == ' ' || raw[i] == '\n';

        if (strchr(special, raw[i]) != NULL || (blank && (i == 0 || white || i == n - 1)))
            need = true;
        white = blank;
    }
    if (need)
        text_puts(out, "\"");
    for (size_t i = 0; i < n; i++) {
        if ((raw[i] == '"' || raw[i] == '\\') && !(quoted && (i == 0 || i == n - 1)))
            text_puts(out, "\\");
        text_put(out, raw + i, 1);
    }
    if (need)
        text_puts(out, "\"");
}

static void rfc2253_value(struct text *out, const char *raw)
{
    size_t n = strlen(raw), lead = 0, trail = n;

    while (lead < n && raw[lead] == ' ')
        lead++;
    while (trail > lead && raw[trail - 1] == ' ')
        trail--;
    for (size_t i = 0; i < n; i++) {
        if (i < lead || i >= trail || strchr(",=+<>#;\"\\", raw[i]) != NULL)
            text_puts(out, "\\");
        text_put(out, raw + i, 1);
    }
}

static void print_ava(struct text *out, const struct ava *v, enum cert_name_style style)
{
    const struct ava_keyword *k = ava_keyword_of(v->oid);
    char dotted[DER_OID_TEXT_MAX], value[2048];
    bool java = style == CERT_STYLE_JAVA, word = k != NULL && (java || k->rfc2253);

    if (word) {
        text_puts(out, k->word);
    } else {
        text_puts(out, java ? "OID." : "");
        text_puts(out, der_oid_text(v->oid, dotted, sizeof dotted));
    }
    text_puts(out, "=");
    if ((!java && !word) || !text_of_value(&v->value, value, sizeof value)) {
        text_puts(out, "#");
        text_hex(out, v->value.all);
    } else if (java) {
        java_value(out, value);
    } else {
        rfc2253_value(out, value);
    }
}

static void print_rdn(struct text *out, struct der_span set, enum cert_name_style style)
{
    struct der seq;
    struct ava ava;

    for (bool first = true; der_next(&set, &seq) == NULL && ava_read(&seq, &ava) == NULL;
         first = false) {
        if (!first)
            text_puts(out, style == CERT_STYLE_JAVA ? " + " : "+");
        print_ava(out, &ava, style);
    }
}

/* Names of more parts than this are printed from their most specific end on. */
#define RDNS_MAX 64

const char *cert_name_text(struct der_span name, enum cert_name_style style, char *out, size_t size)
{
    struct text t = { out, 0, size };
    struct der_span last[RDNS_MAX]; /* a ring of the last ones */
    struct der seq, set;
    size_t n = 0;

    if (size == 0)
        return out;
    out[0] = '\0';
    if (der_next(&name, &seq) != NULL)
        return out;
    while (der_next(&seq.body, &set) == NULL)
        last[n++ % RDNS_MAX] = set.body;
    for (size_t i = n; i > 0 && n - i < RDNS_MAX; i--) {
        if (i < n)
            text_puts(&t, style == CERT_STYLE_JAVA ? ", " : ",");
        print_rdn(&t, last[(i - 1) % RDNS_MAX], style);
    }
    return out;
}

/* The CN number `index`; or with `last` the first CN of the last part that has one. */
static bool find_cn(struct der_span name, size_t index, bool last, struct der *value)
{
    struct der seq, set, item;
    struct ava ava;
    bool found = false;

    if (der_next(&name, &seq) != NULL)
        return false;
    for (size_t at = 0; der_next(&seq.body, &set) == NULL;) {
        bool in_this = false;

        while (der_next(&set.body, &item) == NULL && ava_read(&item, &ava) == NULL) {
            if (!der_oid_is(ava.oid, "2.5.4.3") || (last ? in_this : at++ != index))
                continue;
            in_this = found = true;
            *value = ava.value;
            if (!last)
                return true;
        }
    }
    return found;
}

bool cert_name_last_cn(struct der_span name, struct der *value)
{
    return find_cn(name, 0, true, value);
}

bool cert_name_cn(struct der_span name, size_t index, char *out, size_t size)
{
    struct der value;

    return find_cn(name, index, false, &value) && text_of_value(&value, out, size);
}

const char *cert_general_name_text(const struct cert_general_name *name, char *out, size_t size)
{
    struct text t = { out, 0, size };
    char addr[INET6_ADDRSTRLEN];

    out[0] = '\0';
    switch (name->kind) {
    case CERT_NAME_EMAIL:
    case CERT_NAME_DNS:
    case CERT_NAME_URI:
        for (size_t i = 0; i < name->value.len; i++)
            text_code_point(&t, name->value.at[i] < 0x80 ? name->value.at[i] : 0xfffd);
        break;
    case CERT_NAME_IP:
        if ((name->value.len == 4 || name->value.len == 8) &&
            inet_ntop(AF_INET, name->value.at, addr, sizeof addr) != NULL)
            text_puts(&t, addr);
        else if ((name->value.len == 16 || name->value.len == 32) &&
                 inet_ntop(AF_INET6, name->value.at, addr, sizeof addr) != NULL)
            text_puts(&t, addr);
        break;
    case CERT_NAME_DIRECTORY:
        return cert_name_text(name->value, CERT_STYLE_RFC4514, out, size);
    case CERT_NAME_RID:
        return der_oid_text(name->value, out, size);
    case CERT_NAME_OTHER:
    case CERT_NAME_X400:
    case CERT_NAME_EDI:
        text_hex(&t, name->value);
        break;
    }
    return out;
}

const char *cert_hex(struct der_span bytes, char *out, size_t size)
{
    size_t used = 0;

    if (size > 0)
        out[0] = '\0';
    for (size_t i = 0; i < bytes.len && used + 3 < size; i++)
        used += (size_t)snprintf(out + used, size - used, i == 0 ? "%02X" : ":%02X", bytes.at[i]);
    return out;
}
