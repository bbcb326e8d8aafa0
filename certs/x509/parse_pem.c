/* SPDX-License-Identifier: Apache-2.0
 * Lists of certificates from PEM text, in the order written. */
#include <mbedtls/base64.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/file_kind.h"
#include "certs/x509/parse.h"
#include "certs/x509/pem_file.h"

#define GLUED "----------BEGIN "

int cert_list_take(struct cert_list *list, struct cert_facts *facts, struct err *err)
{
    if ((list->n & (list->n - 1)) == 0) { /* zero or a power of two: full */
        struct cert_facts **grown =
            realloc(list->at, (list->n == 0 ? 1 : 2 * list->n) * sizeof *grown);

        if (grown == NULL) {
            err_set(err, ERR_NOMEM, "certificates");
            return -1;
        }
        list->at = grown;
    }
    list->at[list->n++] = facts;
    return 0;
}

void cert_list_clear(struct cert_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        cert_facts_free(list->at[i]);
    free(list->at);
    *list = (struct cert_list){ NULL, 0 };
}

int cert_list_add_der(struct cert_list *list, struct der_span der, struct err *err)
{
    struct cert_facts *facts = cert_facts_new(der.at, der.len);

    if (facts == NULL) {
        err_set(err, ERR_NOMEM, "certificate");
        return -1;
    }
    if (cert_list_take(list, facts, err) != 0) {
        cert_facts_free(facts);
        return -1;
    }
    return 0;
}

static const char *find(const char *at, const char *end, const char *word)
{
    return memmem(at, (size_t)(end - at), word, strlen(word));
}

static bool is_certificate(const char *label, size_t n)
{
    static const char *const labels[] = { "CERTIFICATE", "X509 CERTIFICATE",
                                          "TRUSTED CERTIFICATE" };

    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (n == strlen(labels[i]) && memcmp(label, labels[i], n) == 0)
            return true;
    }
    return false;
}

/* Base64 between the lines, white space left out. */
static int add_block(struct cert_list *list, const char *from, const char *to, const char *what,
                     struct err *err)
{
    size_t n = 0, len = 0;
    char *packed = malloc((size_t)(to - from) + 1);
    uint8_t *der = malloc((size_t)(to - from) + 1);
    int rc = -1;

    if (packed == NULL || der == NULL) {
        err_set(err, ERR_NOMEM, "%s: certificate", what);
        goto out;
    }
    for (const char *p = from; p < to; p++) {
        if (strchr(" \t\r\n", *p) == NULL || *p == '\0')
            packed[n++] = *p;
    }
    if (mbedtls_base64_decode(der, (size_t)(to - from), &len, (const uint8_t *)packed, n) != 0) {
        err_set(err, ERR_FORMAT, "%s: certificate %zu is not base64", what, list->n + 1);
        goto out;
    }
    rc = cert_list_add_der(list, der_span_of(der, len), err);
out:
    free(packed);
    free(der);
    return rc;
}

/* No PEM reader but this one would go on behind "-----END CERTIFICATE----------BEGIN …": OpenSSL
 * and with it nginx call it a bad end line. */
static int check_line_ends(const char *text, size_t len, const char *what, struct err *err)
{
    const char *glued = memmem(text, len, GLUED, strlen(GLUED));
    unsigned line = 1;

    if (glued == NULL)
        return 0;
    for (const char *at = text; at < glued; at++)
        line += *at == '\n';
    err_set(err, ERR_FORMAT,
            "%s: line %u: END and BEGIN stand on one line, which OpenSSL refuses: a file without a "
            "newline at its end was joined to another; put one between them",
            what, line);
    return -1;
}

static int refuse_file(const char *text, size_t len, const char *what, struct err *err)
{
    char kind[512];
    const char *why = file_kind(what, text, len, kind, sizeof kind);

    err_set(err, ERR_FORMAT, "%s: %s", what, why != NULL ? why : "no certificate in PEM form");
    return -1;
}

int cert_list_read(struct cert_list *list, const char *text, size_t len, const char *what,
                   struct err *err)
{
    const char *at = text, *end = text + len;
    size_t before = list->n;
    char kind[512];

    if (check_line_ends(text, len, what, err) != 0)
        return -1;
    if (len > 0 && ((uint8_t)text[0] == DER_SEQUENCE || text[0] == '{') &&
        file_kind(what, text, len, kind, sizeof kind) != NULL)
        return refuse_file(text, len, what, err);
    if (len > 0 && (uint8_t)text[0] == DER_SEQUENCE)
        return cert_list_add_der(list, der_span_of((const uint8_t *)text, len), err);
    while ((at = find(at, end, "-----BEGIN ")) != NULL) {
        const char *label = at + strlen("-----BEGIN "), *body, *stop;

        body = find(label, end, "-----");
        if (body == NULL)
            break;
        if (!is_certificate(label, (size_t)(body - label))) {
            at = body;
            continue;
        }
        body += strlen("-----");
        stop = find(body, end, "-----END ");
        if (stop == NULL) {
            err_set(err, ERR_FORMAT, "%s: certificate %zu has no END line", what, list->n + 1);
            return -1;
        }
        if (add_block(list, body, stop, what, err) != 0)
            return -1;
        at = stop + strlen("-----END ");
    }
    return list->n > before ? 0 : refuse_file(text, len, what, err);
}

int cert_list_load(struct cert_list *list, const char *path, struct err *err)
{
    size_t len = 0;
    char *text = pem_read(path, &len, err);
    int rc = text == NULL ? -1 : cert_list_read(list, text, len, path, err);

    file_wipe(text, len);
    return rc;
}
