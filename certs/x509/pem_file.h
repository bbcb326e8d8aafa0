/* SPDX-License-Identifier: Apache-2.0
 * Files with certificates and keys: read whole and wiped, written whole, private and atomically. */
#ifndef CERTS_X509_PEM_FILE_H
#define CERTS_X509_PEM_FILE_H

#include <mbedtls/pk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/x509/der.h"
#include "core/err.h"

/* Read a file of at most 16 MiB; `*len` without the terminating NUL that is always there. Free with
 * pem_wipe(). NULL: ERR_ENVIRONMENT when it cannot be read, ERR_FORMAT when it is too large. */
char *pem_read(const char *path, size_t *len, struct err *err);
/* Overwrite and free; NULL is fine. */
void pem_wipe(char *text, size_t len);
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

enum pem_write_flags {
    PEM_SECRET = 1,  /* mode 0600 instead of 0644 (before the umask) */
    PEM_REPLACE = 2, /* without it an existing file is refused */
    PEM_LAZY = 4,    /* what can be made again need not survive a power failure: no fsync */
};
/* Write a file whole: into a temporary one beside it, then under its name. */
int pem_write(const char *path, const void *data, size_t len, unsigned flags, struct err *err);

/* What mbedTLS says about a private key or certificate, as half a sentence ("is encrypted …"). */
const char *pem_reason(int mbedtls_error, char *out, size_t size);

#endif
