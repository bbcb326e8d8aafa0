/* SPDX-License-Identifier: Apache-2.0
 * A server's CertificateRequest (TLS 1.2) of any content, as a client hop reads it. The first octet
 * says whether the client has a certificate of its own, whether it is OpenSSL's, and the size of
 * the pieces. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/lib/tls_bench.h"
#include "tls/tls_params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define BITS (2 | BENCH_ASK) /* no signature has to be right before it comes */
#define MOST 16000           /* of one record */

/* How much of the recorded flight comes before the record that the message stands in. */
static size_t flight_before(const struct bench_wire *w)
{
    for (size_t at = 0; at + 6 < w->n; at += 5 + (size_t)(w->at[at + 3] << 8 | w->at[at + 4])) {
        if (w->at[at] == 22 && w->at[at + 5] == TLS_HANDSHAKE_certificate_request)
            return at;
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t bits = BITS | (n > 0 && (data[0] & 1) ? BENCH_CERT : 0);
    const struct bench_wire *recorded;
    struct bench_wire in = { .piece = n > 0 ? data[0] >> 2 : 0 }, out = { 0 };
    const struct tls_facts *f;
    struct bench_hop client;

    if (n == 0 || n > MOST)
        return 0;
    n--;
    bench_libraries(data[0] & 2 ? TLS_LIBRARY_OPENSSL : TLS_LIBRARY_MBEDTLS, TLS_LIBRARY_MBEDTLS);
    recorded = bench_recorded(true, bits, NULL);
    bench_wire_put(&in, recorded->at, flight_before(recorded));
    bench_wire_put(&in,
                   (uint8_t[]){ 22, 3, 3, (uint8_t)((n + 4) >> 8), (uint8_t)(n + 4),
                                TLS_HANDSHAKE_certificate_request, 0, (uint8_t)(n >> 8),
                                (uint8_t)n },
                   9);
    bench_wire_put(&in, data + 1, n);
    bench_hop_start(&client, false, bits, &in, &out);
    (void)bench_hop_go(&client);
    f = hop_tls_facts(client.hop);
    if ((n > 0 && !f->cert_requested) || f->cert_authorities > n / 2 || f->secured)
        abort();
    bench_hop_end(&client);
    bench_wire_clear(&in);
    bench_wire_clear(&out);
    return 0;
}
