/* SPDX-License-Identifier: Apache-2.0
 * Make ClientHellos, and read the recorded ones of tests/fuzz/corpus. */
#include "tests/lib/hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/tls_params.h"

struct out {
    uint8_t *at;
    size_t n, size;
};

static void put(struct out *o, const void *data, size_t n)
{
    if (o->n + n > o->size)
        abort();
    if (n > 0)
        memcpy(o->at + o->n, data, n);
    o->n += n;
}

static void put_int(struct out *o, unsigned value, unsigned width)
{
    for (unsigned i = width; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> 8 * i);

        put(o, &byte, 1);
    }
}

/* Write the length of what follows later. */
static size_t open_vec(struct out *o, unsigned width)
{
    put_int(o, 0, width);
    return o->n;
}

static void close_vec(struct out *o, size_t start, unsigned width)
{
    size_t end = o->n;

    o->n = start - width;
    put_int(o, (unsigned)(end - start), width);
    o->n = end;
}

static void put_codes(struct out *o, const uint16_t *codes, unsigned width)
{
    size_t v = open_vec(o, width);

    while (*codes != 0)
        put_int(o, *codes++, 2);
    close_vec(o, v, width);
}

static void put_list(struct out *o, uint16_t type, const uint16_t *codes, unsigned width)
{
    size_t v;

    if (codes == NULL)
        return;
    put_int(o, type, 2);
    v = open_vec(o, 2);
    put_codes(o, codes, width);
    close_vec(o, v, 2);
}

static void put_shares(struct out *o, const uint16_t *groups)
{
    size_t ext, list;

    if (groups == NULL)
        return;
    put_int(o, TLS_EXT_key_share, 2);
    ext = open_vec(o, 2);
    list = open_vec(o, 2);
    while (*groups != 0) {
        put_int(o, *groups++, 2);
        put_int(o, 4, 2);
        put(o, "key.", 4);
    }
    close_vec(o, list, 2);
    close_vec(o, ext, 2);
}

static void put_sni(struct out *o, const char *name)
{
    size_t ext, list;

    if (name == NULL)
        return;
    put_int(o, TLS_EXT_server_name, 2);
    ext = open_vec(o, 2);
    list = open_vec(o, 2);
    put_int(o, 0, 1);
    put_int(o, (unsigned)strlen(name), 2);
    put(o, name, strlen(name));
    close_vec(o, list, 2);
    close_vec(o, ext, 2);
}

static void put_alpn(struct out *o, const char *const *names)
{
    size_t ext, list;

    if (names == NULL)
        return;
    put_int(o, TLS_EXT_application_layer_protocol_negotiation, 2);
    ext = open_vec(o, 2);
    list = open_vec(o, 2);
    for (; *names != NULL; names++) {
        put_int(o, (unsigned)strlen(*names), 1);
        put(o, *names, strlen(*names));
    }
    close_vec(o, list, 2);
    close_vec(o, ext, 2);
}

size_t hello_body(const struct hello_spec *spec, uint8_t *out, size_t size)
{
    struct out o = { out, 0, size };
    static const uint8_t random[32] = { 1, 2, 3 };
    size_t v;

    put_int(&o, spec->legacy_version == 0 ? TLS_1_2 : spec->legacy_version, 2);
    put(&o, random, sizeof random);
    put_int(&o, 0, 1);
    put_codes(&o, spec->suites, 2);
    put(&o, "\1\0", 2);
    if (spec->no_extensions)
        return o.n;
    v = open_vec(&o, 2);
    put_sni(&o, spec->sni);
    put_list(&o, TLS_EXT_supported_versions, spec->versions, 1);
    put_list(&o, TLS_EXT_supported_groups, spec->groups, 2);
    put_list(&o, TLS_EXT_signature_algorithms, spec->sigs, 2);
    put_shares(&o, spec->shares);
    put_alpn(&o, spec->alpn);
    put(&o, spec->extra, spec->extra_len);
    close_vec(&o, v, 2);
    return o.n;
}

size_t hello_records(const uint8_t *body, size_t n, size_t fragment, uint8_t *out, size_t size)
{
    struct out o = { out, 0, size };
    uint8_t *message = malloc(n + 4);

    if (message == NULL)
        abort();
    message[0] = 1;
    message[1] = (uint8_t)(n >> 16);
    message[2] = (uint8_t)(n >> 8);
    message[3] = (uint8_t)n;
    if (n > 0)
        memcpy(message + 4, body, n);
    for (size_t at = 0; at < n + 4; at += fragment) {
        size_t part = n + 4 - at < fragment ? n + 4 - at : fragment;

        put(&o, "\x16\x03\x01", 3);
        put_int(&o, (unsigned)part, 2);
        put(&o, message + at, part);
    }
    free(message);
    return o.n;
}

uint8_t *hello_corpus(const char *path, size_t *n)
{
    char full[512];
    FILE *f;
    uint8_t *data = malloc(65536);

    snprintf(full, sizeof full, "tests/fuzz/corpus/%s", path);
    f = fopen(full, "rb");
    if (f == NULL || data == NULL) {
        fprintf(stderr, "%s: cannot be read (run from the top of the tree)\n", full);
        abort();
    }
    *n = fread(data, 1, 65536, f);
    fclose(f);
    return data;
}
