/* SPDX-License-Identifier: Apache-2.0
 * A script of changes to the handshake messages of a bench's side; see bench_change(). */
#ifndef TESTS_FUZZ_LIB_CHANGES_H
#define TESTS_FUZZ_LIB_CHANGES_H

#include "tests/fuzz/lib/tls_bench.h"

/* Each change: the type of a message, or 0x80 and more for the one of that number; what to do. */
struct changes {
    struct bytes script;
    uint8_t message; /* how many went by */
};
void changes_make(void *changes, uint8_t type, uint8_t *body, size_t *n, size_t room);

#endif
