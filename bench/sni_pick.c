/* SPDX-License-Identifier: Apache-2.0
 * How long it takes to find the certificate for a server name among 10 to 10,000: one line each. */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "listeners/sni.h"

#define PICKS 1000000U

static double measure(size_t n)
{
    struct sni_index *index = sni_index_empty(SNI_LATEST_END);
    uint64_t begin, sum = 0;
    char name[64];
    const char *names[] = { name };

    for (size_t i = 0; index != NULL && i < n; i++) {
        const struct sni_cert cert = { .key = TLS_KEY_ECDSA,
                                       .bits = 256,
                                       .group = TLS_GROUP_secp256r1,
                                       .hash = TLS_HASH_SHA256,
                                       .not_after_utc = 4000000000,
                                       .position = i };

        snprintf(name, sizeof name, i % 7 == 6 ? "*.w%zu.example.com" : "host%zu.example.com", i);
        if (sni_index_add(index, &cert, names, 1) != 0)
            return -1;
    }
    if (index == NULL || sni_index_ready(index) != 0)
        return -1;
    begin = clock_mono_us();
    for (unsigned k = 0; k < PICKS; k++) {
        size_t i = k * 2654435761U % n;

        snprintf(name, sizeof name, i % 7 == 6 ? "a.w%zu.example.com" : "host%zu.example.com", i);
        sum += sni_pick(index, name, NULL, NULL, NULL, NULL)->position;
    }
    begin = clock_mono_us() - begin;
    sni_index_free(index);
    if (sum == 0 && n > 10)
        return -1; /* nothing but the default was found */
    return (double)begin * 1000.0 / PICKS;
}

int main(void)
{
    static const size_t sizes[] = { 10, 100, 1000, 10000 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        double ns = measure(sizes[i]);

        if (ns < 0)
            return 1;
        printf("%5zu certificates: %.0f ns a pick (printing the name included)\n", sizes[i], ns);
    }
    return 0;
}
