/* SPDX-License-Identifier: Apache-2.0
 * The first bytes of a connection in any chunking, the ClientHello in them, and a policy's
 * answer to it. */
#include <stdlib.h>
#include <string.h>

#include "listeners/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct sni_index *certificates(void)
{
    static const char *const names[] = { "api.example.com", "*.example.com" };
    const struct sni_cert rsa = { .key = TLS_KEY_RSA, .bits = 2048, .hash = TLS_HASH_SHA256 };
    const struct sni_cert ec = {
        .key = TLS_KEY_ECDSA, .bits = 384, .group = TLS_GROUP_secp384r1, .hash = TLS_HASH_SHA256
    };
    struct sni_index *x = sni_index_empty(SNI_LATEST_END);

    if (x == NULL || sni_index_add(x, &rsa, NULL, 0) != 0 ||
        sni_index_add(x, &rsa, names, 2) != 0 || sni_index_add(x, &ec, names, 1) != 0 ||
        sni_index_ready(x) != 0)
        abort();
    return x;
}

static void check_offer(const struct tls_offer *o)
{
    const uint8_t *name;
    size_t at = 0, len, walked = 0;

    while (tls_offer_alpn_next(o, &at, &name, &len))
        walked += len + 1;
    if (walked != o->alpn_bytes || (o->sni != NULL && strlen(o->sni) > TLS_OFFER_SNI_MAX))
        abort();
    if ((o->sni_state == TLS_SNI_NAME) && o->sni == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct sni_index *certs;
    struct tls_hello_reader whole, bytewise;
    enum tls_first verdict, other = TLS_FIRST_MORE;
    struct tls_offer offer;
    struct choice choice;
    size_t n_policies;
    const struct policy *policies = policy_all(&n_policies);

    if (certs == NULL)
        certs = certificates();
    tls_hello_reader_init(&whole);
    tls_hello_reader_init(&bytewise);
    verdict = tls_hello_reader_feed(&whole, data, n);
    for (size_t i = 0; i < n && other == TLS_FIRST_MORE; i++)
        other = tls_hello_reader_feed(&bytewise, data + i, 1);
    if (verdict != other)
        abort();
    if (verdict == TLS_FIRST_HELLO) {
        if (whole.body_len != bytewise.body_len ||
            (whole.body_len > 0 && memcmp(whole.body, bytewise.body, whole.body_len) != 0))
            abort();
        (void)tls_offer_parse(&offer, whole.body, whole.body_len);
        check_offer(&offer);
        /* One policy; all of them, for each input, would be most of the time spent. */
        negotiate(&choice, &policies[(n + data[n - 1]) % n_policies], alpn_find("HTTP2Preferred"),
                  certs, &offer, TLS_USE_AUTO);
        if (choice.here.result == NEGOTIATE_OK && (choice.here.suite == 0 || choice.aws.suite == 0))
            abort();
        tls_offer_clear(&offer);
    }
    tls_hello_reader_clear(&whole);
    tls_hello_reader_clear(&bytewise);
    return 0;
}
