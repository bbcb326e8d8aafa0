/* SPDX-License-Identifier: Apache-2.0
 * What a file is that holds no certificate or key as this program reads them, and the way out. */
#ifndef CERTS_X509_FILE_KIND_H
#define CERTS_X509_FILE_KIND_H

#include <stddef.h>

/* Half a sentence with the command that converts it ("is a PKCS #12 file; …"), `path` in it; NULL
 * when nothing is known. `text` needs no NUL behind its `len` octets. */
const char *file_kind(const char *path, const char *text, size_t len, char *out, size_t size);
/* The same for the text of a private key that mbedTLS did not read. */
const char *file_kind_of_key(const char *path, const char *text, char *out, size_t size);
/* Of what somebody wrote where a file is wanted (an ARN, a URL, quotes); NULL: it may be a file. */
const char *file_kind_of_name(const char *name);

#endif
