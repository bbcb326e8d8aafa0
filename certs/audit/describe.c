/* SPDX-License-Identifier: Apache-2.0
 * Facts of certificates and revocation lists as JSON. */
#include "certs/audit/describe.h"

#include <mbedtls/x509_crl.h>
#include <stdio.h>
#include <string.h>

#include "certs/x509/x500_name.h"
#include "core/clock.h"
#include "core/foreign.h"

#define DAY_S 86400

static const char *const usages[] = { "digitalSignature", "nonRepudiation", "keyEncipherment",
                                      "dataEncipherment", "keyAgreement",   "keyCertSign",
                                      "cRLSign",          "encipherOnly",   "decipherOnly" };

/* Names of extensions and purposes. Source: RFC 5280, section 4.2, and RFC 6960, 6962, 7633. */
static const struct {
    const char *oid, *name;
} oid_names[] = {
    { "2.5.29.14", "subjectKeyIdentifier" },
    { "2.5.29.15", "keyUsage" },
    { "2.5.29.17", "subjectAltName" },
    { "2.5.29.18", "issuerAltName" },
    { "2.5.29.19", "basicConstraints" },
    { "2.5.29.30", "nameConstraints" },
    { "2.5.29.31", "cRLDistributionPoints" },
    { "2.5.29.32", "certificatePolicies" },
    { "2.5.29.33", "policyMappings" },
    { "2.5.29.35", "authorityKeyIdentifier" },
    { "2.5.29.36", "policyConstraints" },
    { "2.5.29.37", "extKeyUsage" },
    { "2.5.29.54", "inhibitAnyPolicy" },
    { "1.3.6.1.5.5.7.1.1", "authorityInfoAccess" },
    { "1.3.6.1.5.5.7.1.11", "subjectInfoAccess" },
    { "1.3.6.1.5.5.7.1.24", "tlsFeature" },
    { "1.3.6.1.4.1.11129.2.4.2", "signedCertificateTimestamps" },
    { "2.16.840.1.113730.1.1", "netscapeCertType" },
    { "1.3.6.1.5.5.7.3.1", "serverAuth" },
    { "1.3.6.1.5.5.7.3.2", "clientAuth" },
    { "1.3.6.1.5.5.7.3.3", "codeSigning" },
    { "1.3.6.1.5.5.7.3.4", "emailProtection" },
    { "1.3.6.1.5.5.7.3.8", "timeStamping" },
    { "1.3.6.1.5.5.7.3.9", "OCSPSigning" },
    { "2.5.29.37.0", "anyExtendedKeyUsage" },
};

static const char *oid_name(struct der_span oid, char *out, size_t size)
{
    der_oid_text(oid, out, size);
    for (size_t i = 0; i < sizeof oid_names / sizeof oid_names[0]; i++) {
        if (strcmp(oid_names[i].oid, out) == 0)
            return oid_names[i].name;
    }
    return out;
}

int64_t cert_days_left(const struct cert_facts *facts, int64_t now_s)
{
    int64_t left = facts->not_after_utc - now_s;

    return left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S);
}

const char *cert_short_name(const struct cert_facts *facts, char *out, size_t size)
{
    size_t n = 0;

    while (cert_name_cn(facts->subject, n, out, size))
        n++;
    if (n > 0 && cert_name_cn(facts->subject, n - 1, out, size))
        return out;
    cert_name_text(facts->subject, CERT_STYLE_JAVA, out, size);
    if (out[0] == '\0')
        snprintf(out, size, "(empty)");
    return out;
}

static json_t *time_json(int64_t utc_s)
{
    char text[24];

    clock_format_utc(utc_s, text, sizeof text);
    return json_sprintf("%s%s", text, text[0] == '-' ? "" : "Z");
}

static json_t *name_json(struct der_span name)
{
    char text[1024];

    cert_name_text(name, CERT_STYLE_JAVA, text, sizeof text);
    return foreign_json(text);
}

static json_t *hex_json(struct der_span bytes)
{
    char text[256];

    return json_string(cert_hex(bytes, text, sizeof text));
}

static json_t *names_json(const struct cert_facts *f)
{
    json_t *list = json_array();
    char text[512];

    for (size_t i = 0; i < f->n_sans; i++) {
        cert_general_name_text(&f->sans[i], text, sizeof text);
        json_array_append_new(list, foreign_json(text));
    }
    return list;
}

static json_t *usage_json(const struct cert_facts *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
        if ((f->key_usage >> i & 1U) != 0)
            json_array_append_new(list, json_string(usages[i]));
    }
    return list;
}

static json_t *purposes_json(const struct cert_facts *f)
{
    json_t *list = json_array();
    char oid[DER_OID_TEXT_MAX];

    for (size_t i = 0; i < f->n_eku; i++)
        json_array_append_new(list, json_string(oid_name(f->eku[i], oid, sizeof oid)));
    return list;
}

static json_t *extensions_json(const struct cert_facts *f)
{
    json_t *list = json_array();
    char oid[DER_OID_TEXT_MAX];

    for (size_t i = 0; i < f->n_extensions; i++)
        json_array_append_new(list, json_pack("{s:s, s:b}", "name",
                                              oid_name(f->extensions[i].oid, oid, sizeof oid),
                                              "critical", (int)f->extensions[i].critical));
    return list;
}

static void set_optional(json_t *out, const struct cert_facts *f)
{
    if (f->curve != NULL)
        json_object_set_new(out, "curve", json_string(f->curve));
    if (f->has_basic_constraints && f->path_len >= 0)
        json_object_set_new(out, "path_length", json_integer(f->path_len));
    if (f->has_key_usage)
        json_object_set_new(out, "key_usage", usage_json(f));
    if (f->has_eku)
        json_object_set_new(out, "extended_key_usage", purposes_json(f));
    if (f->ski.at != NULL)
        json_object_set_new(out, "subject_key_id", hex_json(f->ski));
    if (f->aki_key.at != NULL)
        json_object_set_new(out, "authority_key_id", hex_json(f->aki_key));
    if (f->refusal[0] != '\0')
        json_object_set_new(out, "refusal", foreign_json(f->refusal));
}

json_t *cert_describe(const struct cert_facts *f, int64_t now_s)
{
    /* Of one that could not be read as far as its dates there are none, rather than 1970. */
    bool dated = f->not_before_utc != 0 || f->not_after_utc != 0;
    json_t *out = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:i, s:s, s:o, s:o, s:i, s:b, s:b, s:o}", "subject",
        name_json(f->subject), "issuer", name_json(f->issuer), "names", names_json(f), "not_before",
        dated ? time_json(f->not_before_utc) : json_null(), "not_after",
        dated ? time_json(f->not_after_utc) : json_null(), "days_left",
        dated ? json_integer(cert_days_left(f, now_s)) : json_null(), "key", f->key_algorithm,
        "key_bits", (int)f->key_bits, "signature", f->sig_algorithm, "serial", hex_json(f->serial),
        "sha256", hex_json(der_span_of(f->sha256, sizeof f->sha256)), "version", f->version,
        "self_issued", (int)f->self_issued, "ca", (int)(f->has_basic_constraints && f->ca),
        "extensions", extensions_json(f));

    if (out != NULL)
        set_optional(out, f);
    return out;
}

/* --- revocation lists --- */

static json_t *crl_time(const mbedtls_x509_time *t)
{
    return t->year == 0 ? json_null()
                        : time_json(clock_utc_of(t->year, t->mon, t->day, t->hour, t->min, t->sec));
}

json_t *crl_describe(const char *text, size_t len, const char *what, struct err *err)
{
    mbedtls_x509_crl crl;
    json_t *revoked = json_array(), *out = NULL;
    int rc;

    mbedtls_x509_crl_init(&crl);
    rc = mbedtls_x509_crl_parse(&crl, (const unsigned char *)text, len + 1);
    if (rc == 0) {
        for (const mbedtls_x509_crl_entry *e = &crl.entry; e != NULL && e->serial.len > 0;
             e = e->next)
            json_array_append_new(revoked,
                                  json_pack("{s:o, s:o}", "serial",
                                            hex_json(der_span_of(e->serial.p, e->serial.len)),
                                            "revoked", crl_time(&e->revocation_date)));
        out = json_pack("{s:o, s:o, s:o, s:O}", "issuer",
                        name_json(der_span_of(crl.issuer_raw.p, crl.issuer_raw.len)), "this_update",
                        crl_time(&crl.this_update), "next_update", crl_time(&crl.next_update),
                        "revoked", revoked);
    }
    if (out == NULL)
        err_set(err, ERR_FORMAT, "%s: not a revocation list that can be read (mbedTLS -0x%04x)",
                what, (unsigned)-rc);
    mbedtls_x509_crl_free(&crl);
    json_decref(revoked);
    return out;
}

/* --- chains --- */

bool cert_names_issuer(const struct cert_facts *subject, const struct cert_facts *issuer)
{
    return x500_name_equal(subject->issuer, issuer->subject) &&
           (subject->aki_key.at == NULL || issuer->ski.at == NULL ||
            der_span_eq(subject->aki_key, issuer->ski));
}

static const struct cert_facts *
find_issuer(const struct cert_list *list, const struct cert_facts *of, const struct cert_path *path)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        bool used = false;

        for (size_t k = 0; k < path->n; k++)
            used |= der_span_eq(path->at[k]->der, list->at[i]->der);
        if (!used && cert_names_issuer(of, list->at[i]))
            return list->at[i];
    }
    return NULL;
}

static bool is_listed(const struct cert_list *list, const struct cert_facts *f)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        if (der_span_eq(list->at[i]->der, f->der))
            return true;
    }
    return false;
}

void cert_path_build(const struct cert_list *presented, const struct cert_list *anchors,
                     struct cert_path *path)
{
    const struct cert_facts *at = presented->n > 0 ? presented->at[0] : NULL;

    memset(path, 0, sizeof *path);
    while (at != NULL && path->n < CERT_PATH_MAX) {
        bool anchor = is_listed(anchors, at);

        path->from_anchors[path->n] = anchor;
        path->at[path->n++] = at;
        if (anchor || (anchors == NULL && at->self_issued)) {
            path->complete = true;
            return;
        }
        if (at->self_issued && path->n > 1)
            return;
        const struct cert_facts *next = find_issuer(anchors, at, path);

        at = next != NULL ? next : find_issuer(presented, at, path);
    }
}
