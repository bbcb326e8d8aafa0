/* SPDX-License-Identifier: Apache-2.0
 * Private keys behind a certificate that can be read: taken, or refused with a reason that names
 * the file. The first octet chooses the certificate: 'r' the
 * one with an RSA key. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/store/identity.h"
#include "core/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The certificates of a seed of fuzz_pem, up to its key. */
static char *certificates_of(const char *path)
{
    struct err err = { 0 };
    size_t n;
    char *text = file_read(path, 65536, &n, &err),
         *key = text == NULL ? NULL : strstr(text, "PRIVATE KEY");

    while (key != NULL && key > text && memcmp(key, "-----BEGIN", 10) != 0)
        key--;
    if (key == NULL) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        abort();
    }
    *key = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char *certs[2];
    struct err err = { 0 };
    struct identity *identity;
    const char *cert;
    size_t len;
    char *text;

    if (certs[0] == NULL) {
        certs[0] = certificates_of("tests/fuzz/corpus/pem/ecdsa-384");
        certs[1] = certificates_of("tests/fuzz/corpus/pem/rsa-1024");
    }
    if (n == 0)
        return 0;
    cert = certs[data[0] == 'r'];
    len = strlen(cert);
    if ((text = malloc(len + n)) == NULL)
        return 0;
    memcpy(text, cert, len);
    memcpy(text + len, data + 1, n - 1);
    text[len + n - 1] = '\0';
    identity = identity_load_text("/nowhere/fuzz.pem", text, len + n - 1, &err);
    if (identity == NULL && strstr(err.text, "/nowhere/fuzz") == NULL)
        abort();
    identity_unref(identity);
    free(text);
    return 0;
}
