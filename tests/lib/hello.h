/* SPDX-License-Identifier: Apache-2.0
 * Make ClientHellos, and read the recorded ones of tests/fuzz/corpus. */
#ifndef TESTS_LIB_HELLO_H
#define TESTS_LIB_HELLO_H

#include <stddef.h>
#include <stdint.h>

/* Lists end with 0. A NULL list: no such extension. */
struct hello_spec {
    uint16_t legacy_version; /* 0: 0x0303 */
    const uint16_t *versions, *suites, *groups, *shares, *sigs;
    const char *sni;
    const char *const *alpn; /* NULL-terminated */
    const uint8_t *extra;    /* more extensions, as on the wire */
    size_t extra_len;
    int no_extensions;
};

/* Body of the handshake message into `out`; returns its length. */
size_t hello_body(const struct hello_spec *spec, uint8_t *out, size_t size);
/* The message in records of at most `fragment` bytes; returns the length. */
size_t hello_records(const uint8_t *body, size_t n, size_t fragment, uint8_t *out, size_t size);
/* Content of tests/fuzz/corpus/PATH, malloc'ed; fails the test when it cannot be read. */
uint8_t *hello_corpus(const char *path, size_t *n);

#endif
