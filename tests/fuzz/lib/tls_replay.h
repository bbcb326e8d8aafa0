/* SPDX-License-Identifier: Apache-2.0
 * One hop against a recorded handshake that was changed on the wire. */
#ifndef TESTS_FUZZ_LIB_TLS_REPLAY_H
#define TESTS_FUZZ_LIB_TLS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of the input: the set-up (enum bench_bits); the size of the pieces (6 bits) and the end
 * (2 bits: none, FIN, FIN, RST); how many changes follow (7 bits) and whether the
 * hop is OpenSSL's; the changes; and what is appended. */
void tls_replay(bool server, const uint8_t *data, size_t n);

#endif
