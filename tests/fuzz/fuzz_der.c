/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: any octets as a certificate or a PEM file, read and printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certs/x509/parse.h"
#include "certs/x509/x500_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_all(const struct cert_facts *f)
{
    char text[512];

    cert_name_text(f->subject, CERT_STYLE_JAVA, text, sizeof text);
    cert_name_text(f->issuer, CERT_STYLE_RFC4514, text, sizeof text);
    cert_name_cn(f->subject, 1, text, sizeof text);
    x500_name_equal(f->subject, f->issuer);
    for (size_t i = 0; i < f->n_sans; i++)
        cert_general_name_text(&f->sans[i], text, sizeof text);
    cert_hex(f->serial, text, sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cert_facts *f = cert_facts_new(data, size);
    struct cert_list list = { NULL, 0 };
    struct err err;

    if (f != NULL)
        print_all(f);
    cert_facts_free(f);
    cert_list_read(&list, (const char *)data, size, "fuzz", &err);
    cert_list_clear(&list);
    return 0;
}
