/* SPDX-License-Identifier: Apache-2.0
 * Write one certificate, sound or flawed, exactly as described. */
#include "certs/lab/issue_cert.h"

#include <arpa/inet.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/der_write.h"
#include "certs/x509/parse.h"
#include "core/clock.h"

/* An identifier from the arc for examples (2.999), so that it can never come to mean something. */
#define OID_UNKNOWN "\x88\x37\x01"
/* 2.23.140.1.1, extended validation. Source: CA/Browser Forum, EV guidelines. */
#define OID_EV_POLICY "\x67\x81\x0c\x01\x01"

bool issue_name_add(char *name, size_t size, const char *attribute, const char *value)
{
    size_t used = strlen(name);
    int n = snprintf(name + used, size - used, "%s%s=", used == 0 ? "" : ",", attribute);

    if (n < 0 || (size_t)n >= size - used)
        return false;
    used += (size_t)n;
    for (const char *p = value; *p != '\0'; p++) {
        bool escape = strchr(",=+<>#;\"\\", *p) != NULL || (*p == ' ' && (p == value || !p[1]));

        if (used + 2 + escape > size)
            return false;
        if (escape)
            name[used++] = '\\';
        name[used++] = *p;
    }
    name[used] = '\0';
    return true;
}

/* mbedTLS wants times as fourteen digits. */
static int set_validity(mbedtls_x509write_cert *w, const struct issue_cert *c)
{
    char text[2][24], digits[2][15];

    clock_format_utc(c->not_before_utc, text[0], sizeof text[0]);
    clock_format_utc(c->not_after_utc, text[1], sizeof text[1]);
    for (size_t i = 0; i < 2; i++) {
        size_t n = 0;

        for (const char *p = text[i]; *p != '\0' && n < 14; p++) {
            if (*p >= '0' && *p <= '9')
                digits[i][n++] = *p;
        }
        digits[i][n] = '\0';
    }
    return mbedtls_x509write_crt_set_validity(w, digits[0], digits[1]);
}

/* Set an extension from what `o` holds. */
static int set_own(mbedtls_x509write_cert *w, const char *oid, size_t oid_len, bool critical,
                   const struct der_out *o)
{
    if (o->bad)
        return MBEDTLS_ERR_ASN1_BUF_TOO_SMALL;
    return mbedtls_x509write_crt_set_extension(w, oid, oid_len, critical, o->at, der_out_len(o));
}

/* Own DER: mbedTLS writes subjectAltName as not critical, which is wrong beside an empty subject
 * (RFC 5280, 4.1.2.6). */
static int set_critical_names(mbedtls_x509write_cert *w, const struct issue_cert *c)
{
    uint8_t buf[8192], address[16];
    struct der_out o = der_out_of(buf, sizeof buf);

    for (size_t i = c->n_names; i > 0; i--) {
        const char *name = c->names[i - 1];

        if (inet_pton(AF_INET, name, address) == 1)
            der_put_element(&o, 0x80 | CERT_NAME_IP, address, 4);
        else if (inet_pton(AF_INET6, name, address) == 1)
            der_put_element(&o, 0x80 | CERT_NAME_IP, address, 16);
        else
            der_put_element(&o, 0x80 | CERT_NAME_DNS, name, strlen(name));
    }
    der_wrap_since(&o, DER_SEQUENCE, o.end);
    return set_own(w, MBEDTLS_OID_SUBJECT_ALT_NAME, MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME),
                   true, &o);
}

static int set_names(mbedtls_x509write_cert *w, const struct issue_cert *c)
{
    mbedtls_x509_san_list *list = calloc(c->n_names, sizeof *list);
    uint8_t(*address)[16] = calloc(c->n_names, sizeof *address);
    int rc = MBEDTLS_ERR_X509_ALLOC_FAILED;

    if (list == NULL || address == NULL)
        goto out;
    for (size_t i = 0; i < c->n_names; i++) {
        mbedtls_x509_subject_alternative_name *node = &list[i].node;
        mbedtls_x509_buf *text = &node->san.unstructured_name;

        list[i].next = i > 0 ? &list[i - 1] : NULL; /* mbedTLS writes the last one first */
        if (inet_pton(AF_INET, c->names[i], address[i]) == 1 ||
            inet_pton(AF_INET6, c->names[i], address[i]) == 1) {
            node->type = MBEDTLS_X509_SAN_IP_ADDRESS;
            text->p = address[i];
            text->len = strchr(c->names[i], ':') != NULL ? 16 : 4;
        } else {
            node->type = MBEDTLS_X509_SAN_DNS_NAME;
            text->p = (unsigned char *)(uintptr_t)c->names[i]; /* mbedTLS only reads it */
            text->len = strlen(c->names[i]);
        }
    }
    rc = mbedtls_x509write_crt_set_subject_alternative_name(w, &list[c->n_names - 1]);
out:
    free(address);
    free(list);
    return rc;
}

/* Own DER: mbedTLS can write extendedKeyUsage only as critical, which public CAs do not. */
static int set_eku(mbedtls_x509write_cert *w, enum issue_eku eku)
{
    static const char server[] = MBEDTLS_OID_SERVER_AUTH, client[] = MBEDTLS_OID_CLIENT_AUTH;
    uint8_t buf[64];
    struct der_out o = der_out_of(buf, sizeof buf);

    if (eku == ISSUE_EKU_CLIENT || eku == ISSUE_EKU_BOTH)
        der_put_element(&o, DER_OID, client, sizeof client - 1);
    if (eku == ISSUE_EKU_SERVER || eku == ISSUE_EKU_BOTH)
        der_put_element(&o, DER_OID, server, sizeof server - 1);
    der_wrap_since(&o, DER_SEQUENCE, o.end);
    return set_own(w, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                   MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), false, &o);
}

/* One list of subtrees, [0] permitted or [1] excluded, with a single base: a DNS name, or an
 * address followed by a mask of all ones. */
static void put_subtrees(struct der_out *o, unsigned context, const char *base)
{
    const uint8_t *mark = o->at;
    uint8_t address[32];
    size_t n = 0;

    memset(address, 0xff, sizeof address);
    if (inet_pton(AF_INET, base, address) == 1)
        n = 8;
    else if (inet_pton(AF_INET6, base, address) == 1)
        n = 32;
    if (n > 0)
        der_put_element(o, 0x80 | CERT_NAME_IP, address, n);
    else
        der_put_element(o, 0x80 | CERT_NAME_DNS, base, strlen(base));
    der_wrap_since(o, DER_SEQUENCE, mark);
    der_wrap_since(o, 0xa0 | context, mark);
}

/* Own DER: mbedTLS has no writer for nameConstraints. */
static int set_name_constraints(mbedtls_x509write_cert *w, const struct issue_cert *c)
{
    uint8_t buf[1024];
    struct der_out o = der_out_of(buf, sizeof buf);

    if (c->nc_excluded != NULL)
        put_subtrees(&o, 1, c->nc_excluded);
    if (c->nc_permitted != NULL)
        put_subtrees(&o, 0, c->nc_permitted);
    der_wrap_since(&o, DER_SEQUENCE, o.end);
    return set_own(w, MBEDTLS_OID_NAME_CONSTRAINTS, MBEDTLS_OID_SIZE(MBEDTLS_OID_NAME_CONSTRAINTS),
                   c->nc_critical, &o);
}

/* Own DER: mbedTLS has no writer for certificatePolicies. One policy without qualifiers. */
static int set_ev_policy(mbedtls_x509write_cert *w)
{
    static const unsigned char value[] = "\x30\x09\x30\x07\x06\x05" OID_EV_POLICY;

    return mbedtls_x509write_crt_set_extension(w, MBEDTLS_OID_CERTIFICATE_POLICIES,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_CERTIFICATE_POLICIES),
                                               0, value, sizeof value - 1);
}

/* Own DER: an extension that nobody knows has no writer. Its value is a NULL. */
static int set_unknown_critical(mbedtls_x509write_cert *w)
{
    static const unsigned char value[] = { 0x05, 0x00 };

    return mbedtls_x509write_crt_set_extension(w, OID_UNKNOWN, sizeof OID_UNKNOWN - 1, 1, value,
                                               sizeof value);
}

static int set_extensions(mbedtls_x509write_cert *w, const struct issue_cert *c)
{
    int rc = 0;

    if (c->basic != ISSUE_BASIC_NONE)
        rc =
            mbedtls_x509write_crt_set_basic_constraints(w, c->basic == ISSUE_BASIC_CA, c->path_len);
    if (rc == 0 && c->usage != 0)
        rc = mbedtls_x509write_crt_set_key_usage(w, c->usage);
    if (rc == 0 && c->eku != ISSUE_EKU_NONE)
        rc = set_eku(w, c->eku);
    if (rc == 0 && c->key_ids)
        rc = mbedtls_x509write_crt_set_subject_key_identifier(w);
    if (rc == 0 && c->key_ids)
        rc = mbedtls_x509write_crt_set_authority_key_identifier(w);
    if (rc == 0 && c->n_names > 0)
        rc = c->subject[0] == '\0' ? set_critical_names(w, c) : set_names(w, c);
    if (rc == 0 && (c->nc_permitted != NULL || c->nc_excluded != NULL))
        rc = set_name_constraints(w, c);
    if (rc == 0 && c->ev_policy)
        rc = set_ev_policy(w);
    if (rc == 0 && c->unknown_critical)
        rc = set_unknown_critical(w);
    return rc;
}

static size_t room_for(const struct issue_cert *c)
{
    size_t room = 8192;

    for (size_t i = 0; i < c->n_names; i++)
        room += strlen(c->names[i]) + 20;
    return room;
}

static int fill(mbedtls_x509write_cert *w, const struct issue_cert *c)
{
    int rc = 0;

    mbedtls_x509write_crt_set_version(w, c->v1 ? MBEDTLS_X509_CRT_VERSION_1
                                               : MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(w, c->md);
    mbedtls_x509write_crt_set_subject_key(w, c->key);
    mbedtls_x509write_crt_set_issuer_key(w, c->issuer_key);
    /* mbedTLS only reads the serial number. */
    rc = mbedtls_x509write_crt_set_serial_raw(w, (unsigned char *)(uintptr_t)c->serial,
                                              c->serial_len);
    if (rc == 0 && c->subject[0] != '\0')
        rc = mbedtls_x509write_crt_set_subject_name(w, c->subject);
    if (rc == 0 && c->issuer[0] != '\0')
        rc = mbedtls_x509write_crt_set_issuer_name(w, c->issuer);
    if (rc == 0)
        rc = set_validity(w, c);
    if (rc == 0 && !c->bare)
        rc = set_extensions(w, c);
    return rc;
}

int issue_cert_write(const struct issue_cert *c, mbedtls_f_rng_t *rng, void *rng_arg,
                     const char *what, uint8_t **der, size_t *len, struct err *err)
{
    size_t room = room_for(c);
    uint8_t *buf = malloc(room);
    mbedtls_x509write_cert w;
    int rc = MBEDTLS_ERR_X509_ALLOC_FAILED;

    *der = NULL;
    mbedtls_x509write_crt_init(&w);
    if (buf == NULL)
        goto out;
    rc = fill(&w, c);
    if (rc == 0)
        rc = mbedtls_x509write_crt_der(&w, buf, room, rng, rng_arg);
    if (rc < 0)
        goto out;
    *len = (size_t)rc; /* mbedTLS writes at the end of the buffer */
    memmove(buf, buf + room - *len, *len);
    if (c->bad_signature)
        buf[*len - 1] ^= 1;
    *der = buf;
    buf = NULL;
    rc = 0;
out:
    mbedtls_x509write_crt_free(&w);
    free(buf);
    if (rc != 0) {
        err_set(err, rc == MBEDTLS_ERR_X509_ALLOC_FAILED ? ERR_NOMEM : ERR_CRYPTO,
                "cannot write certificate %s (subject '%s'): mbedTLS -0x%04x", what, c->subject,
                (unsigned)-rc);
        return -1;
    }
    return 0;
}
