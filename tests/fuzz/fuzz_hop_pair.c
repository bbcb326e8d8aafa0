/* SPDX-License-Identifier: Apache-2.0
 * Two hops with TLS on them, one of which sends handshake messages that were changed before they
 * were encrypted. First the set-up (enum bench_bits), then whether the server's messages are
 * changed and the size of the pieces, then the changes. */
#include "tests/fuzz/lib/changes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct changes c = { .script = bytes_of(data, n) };
    uint8_t bits = bytes_u8(&c.script), side = bytes_u8(&c.script);
    struct bench_wire up = { .piece = side >> 2 }, down = { .piece = side >> 2 };

    if (c.script.bad)
        return 0;
    bench_libraries((side & 3) == 3 ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS,
                    (side & 3) == 2 ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS);
    bench_change(side & 1, changes_make, &c);
    (void)bench_pair_run(bits, &up, &down);
    bench_change(false, NULL, NULL);
    bench_wire_clear(&up);
    bench_wire_clear(&down);
    return 0;
}
