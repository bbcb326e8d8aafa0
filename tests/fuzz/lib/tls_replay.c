/* SPDX-License-Identifier: Apache-2.0
 * One hop against a recorded handshake that was changed on the wire. */
#include "tests/fuzz/lib/tls_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/lib/tls_bench.h"

#define GROWN_MAX 32768

void tls_replay(bool server, const uint8_t *data, size_t n)
{
    struct bytes script = bytes_of(data, n);
    uint8_t bits = bytes_u8(&script), how = bytes_u8(&script), changes = bytes_u8(&script);
    enum tls_library library = changes & 0x80 ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS;
    const struct bench_wire *recorded;
    bool secures, changed;
    static const int ends[] = { 0, -1, -1, ECONNRESET };
    struct bench_wire in = { .piece = how & 63, .end = ends[how >> 6] }, out = { 0 };
    struct bench_hop hop;
    static uint8_t stream[GROWN_MAX];
    size_t len;

    if (script.bad)
        return;
    bench_libraries(server ? TLS_LIBRARY_MBEDTLS : library, server ? library : TLS_LIBRARY_MBEDTLS);
    recorded = bench_recorded(!server, bits, &secures);
    len = recorded->n < GROWN_MAX ? recorded->n : GROWN_MAX;
    changes &= 0x7f;
    changed = changes > 0 || script.left > 0;
    memcpy(stream, recorded->at, len);
    while (changes-- > 0 && bench_edit(&script, stream, &len, sizeof stream))
        continue;
    bench_wire_put(&in, stream, len);
    if (!script.bad)
        bench_wire_put(&in, script.at, script.left);
    bench_hop_start(&hop, server, bits, &in, &out);
    (void)bench_hop_go(&hop);
    if (!changed && secures && !hop_tls_facts(hop.hop)->secured)
        abort(); /* or nothing that comes behind the first message is tried */
    bench_hop_end(&hop);
    bench_wire_clear(&in);
    bench_wire_clear(&out);
}
