/* SPDX-License-Identifier: Apache-2.0
 * PEM text: read from files, put together block by block. */
#include "certs/x509/pem_file.h"

#include <mbedtls/ecp.h>
#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX    ((size_t)16 << 20)
#define KEY_DER_MAX 8192

char *pem_read(const char *path, size_t *len, struct err *err)
{
    char *text = file_read(path, FILE_MAX, len, err);

    if (text == NULL)
        err_prefix(err, "%s: cannot read", path);
    return text;
}

char *pem_path(const char *base_dir, const char *path)
{
    char *joined = NULL;

    if (base_dir == NULL || base_dir[0] == '\0' || path[0] == '/')
        return strdup(path);
    if (asprintf(&joined, "%s/%s", base_dir, path) < 0)
        return NULL;
    return joined;
}

/* --- writing --- */

/* Room for `more` octets and a NUL; the old buffer is wiped, for it may hold a key. */
static char *grow(struct pem_text *t, size_t more)
{
    size_t room = t->room == 0 ? 2048 : t->room;
    char *bigger;

    while (room - t->len < more + 1)
        room *= 2;
    if (room == t->room)
        return t->at + t->len;
    bigger = malloc(room);
    if (bigger == NULL) {
        t->bad = true;
        return NULL;
    }
    if (t->len > 0)
        memcpy(bigger, t->at, t->len);
    file_wipe(t->at, t->len);
    t->at = bigger;
    t->room = room;
    return t->at + t->len;
}

void pem_put(struct pem_text *t, const char *label, struct der_span der)
{
    char begin[64], end[64];
    size_t room = der.len / 3 * 4 + der.len / 48 + 256, used = 0;
    char *at = grow(t, room);

    if (at == NULL)
        return;
    snprintf(begin, sizeof begin, "-----BEGIN %s-----\n", label);
    snprintf(end, sizeof end, "-----END %s-----\n", label);
    if (mbedtls_pem_write_buffer(begin, end, der.at, der.len, (unsigned char *)at, room, &used) !=
        0)
        t->bad = true;
    else
        t->len += used - 1; /* without the NUL */
}

void pem_put_key(struct pem_text *t, mbedtls_pk_context *key)
{
    uint8_t der[KEY_DER_MAX];
    int n = mbedtls_pk_write_key_der(key, der, sizeof der);

    if (n > 0)
        pem_put(t,
                mbedtls_pk_get_type(key) == MBEDTLS_PK_RSA ? "RSA PRIVATE KEY" : "EC PRIVATE KEY",
                der_span_of(der + sizeof der - (size_t)n, (size_t)n));
    else
        t->bad = true;
    mbedtls_platform_zeroize(der, sizeof der);
}

void pem_put_line(struct pem_text *t, const char *line)
{
    size_t n = strlen(line);
    char *at = grow(t, n + 1);

    if (at == NULL)
        return;
    memcpy(at, line, n);
    at[n] = '\n';
    t->len += n + 1;
}

void pem_text_clear(struct pem_text *t)
{
    file_wipe(t->at, t->len);
    memset(t, 0, sizeof *t);
}

const char *pem_reason(int error, char *out, size_t size)
{
    static const struct {
        int error;
        const char *text;
    } known[] = {
        { MBEDTLS_ERR_PK_PASSWORD_REQUIRED,
          "is encrypted, and nlbsim asks for no password ('openssl pkey' decrypts it)" },
        { MBEDTLS_ERR_PK_PASSWORD_MISMATCH, "is encrypted" },
        { MBEDTLS_ERR_PK_KEY_INVALID_FORMAT, "is not in a format that can be read" },
        { MBEDTLS_ERR_PK_UNKNOWN_PK_ALG, "is of a kind that mbedTLS does not know" },
        { MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE, "is on a curve that mbedTLS does not know" },
        { MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE, "is of a kind that mbedTLS cannot use" },
    };
    size_t n;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].error == error || known[i].error == -(-error & 0xff80)) {
            snprintf(out, size, "%s", known[i].text);
            return out;
        }
    }
    n = (size_t)snprintf(out, size, "cannot be used: mbedTLS -0x%04x, ", (unsigned)-error);
    if (n < size)
        mbedtls_strerror(error, out + n, size - n);
    return out;
}
