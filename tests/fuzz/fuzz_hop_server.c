/* SPDX-License-Identifier: Apache-2.0
 * A server hop with TLS on it, fed with a recorded handshake that was changed, or with anything. */
#include "tests/fuzz/lib/tls_replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tls_replay(true, data, n);
    return 0;
}
