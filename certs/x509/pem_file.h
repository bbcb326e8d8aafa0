/* SPDX-License-Identifier: Apache-2.0
 * PEM text: read from files, put together block by block. */
#ifndef CERTS_X509_PEM_FILE_H
#define CERTS_X509_PEM_FILE_H

#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/der.h"
#include "core/err.h"
#include "core/file.h"

/* file_read() of at most 16 MiB; the reason begins with the path. Free with file_wipe(). */
char *pem_read(const char *path, size_t *len, struct err *err);
/* A path relative to `base_dir` (NULL: as it is); allocated. */
char *pem_path(const char *base_dir, const char *path);

/* Growing text for PEM blocks; zero-initialised is empty. A failed allocation sets `bad`. */
struct pem_text {
    char *at;
    size_t len, room;
    bool bad;
};
void pem_put(struct pem_text *t, const char *label, struct der_span der); /* "CERTIFICATE", … */
/* The private key, in its traditional form ("EC PRIVATE KEY", "RSA PRIVATE KEY"). */
void pem_put_key(struct pem_text *t, mbedtls_pk_context *key);
void pem_put_line(struct pem_text *t, const char *line); /* a comment between blocks */
void pem_text_clear(struct pem_text *t);                 /* wipes */

/* What mbedTLS says about a private key or certificate, as half a sentence ("is encrypted …"). */
const char *pem_reason(int mbedtls_error, char *out, size_t size);

#endif
