/* SPDX-License-Identifier: Apache-2.0
 * Two paired sniffers fed with frames (direction, 16-bit length, bytes), whole and byte by byte:
 * both must see the same. */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "tls/tls_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_same(const struct tls_sniffer *a, const struct tls_sniffer *b)
{
    size_t len = 0, total = 0;
    const uint8_t *der;

    if (a->seen != b->seen || a->version != b->version || a->suite != b->suite ||
        a->group != b->group || a->alerts != b->alerts || a->alert_number != b->alert_number ||
        a->chain_len != b->chain_len || a->records != b->records || strcmp(a->alpn, b->alpn) != 0)
        abort();
    for (size_t i = 0; (der = tls_sniffer_cert(a, i, &len)) != NULL; i++) {
        for (size_t j = 0; j < len; j++)
            total += der[j];
    }
    if (total > (size_t)255 * (TLS_SNIFF_CHAIN_MAX + 65536))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct tls_sniffer whole[2], bytewise[2];
    struct bytes in = bytes_of(data, n);

    for (size_t i = 0; i < 2; i++) {
        tls_sniffer_init(&whole[i]);
        tls_sniffer_init(&bytewise[i]);
    }
    tls_sniffer_pair(&whole[0], &whole[1]);
    tls_sniffer_pair(&bytewise[0], &bytewise[1]);
    while (in.left > 3) {
        size_t side = bytes_u8(&in) & 1, len = bytes_u16(&in);
        struct bytes frame = bytes_take(&in, len < in.left ? len : in.left);

        (void)tls_sniffer_feed(&whole[side], frame.at, frame.left);
        for (size_t i = 0; i < frame.left; i++)
            (void)tls_sniffer_feed(&bytewise[side], frame.at + i, 1);
    }
    for (size_t i = 0; i < 2; i++)
        check_same(&whole[i], &bytewise[i]);
    for (size_t i = 0; i < 2; i++) {
        tls_sniffer_clear(&whole[i]);
        tls_sniffer_clear(&bytewise[i]);
    }
    return 0;
}
