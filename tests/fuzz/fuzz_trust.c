/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: certificates one after the other, the last one trusted, judged both ways. Octets
 * between certificates are skipped, so a seed is simply a file of concatenated DER. */
#include <stdint.h>
#include <stdlib.h>

#include "certs/judge/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct der_span rest = der_span_of(data, size);
    struct cert_list list = { NULL, 0 };
    struct trust_anchors *anchors;
    struct verdict v;
    struct err err;
    struct der d;

    while (list.n < 12 && der_next(&rest, &d) == NULL) {
        struct cert_facts *f = cert_facts_new(d.all.at, d.all.len);

        if (f == NULL || cert_list_take(&list, f, &err) != 0)
            abort();
    }
    if (list.n == 0)
        return 0;
    anchors = trust_anchors_new(list.at + list.n - 1, 1, size % 2 == 0);
    for (int round = 0; round < 4 && anchors != NULL; round++) {
        struct trust_request req = { .chain = list.at,
                                     .chain_len = list.n > 1 ? list.n - 1 : 1,
                                     .anchors = anchors,
                                     .host = round % 2 == 0 ? "api.lab.test" : "127.0.0.1",
                                     .at_utc = 1767225600,
                                     .client = round % 2 == 0 ? TRUST_JDK : TRUST_APACHE,
                                     .insecure_skip = round >= 2 };
        char sentence[512];

        trust_judge(&req, &v);
        if (v.ok != (v.error[0] == '\0'))
            abort();
        verdict_what(&v, req.chain_len > 0 ? req.chain[0] : NULL, sentence, sizeof sentence);
    }
    trust_anchors_free(anchors);
    cert_list_clear(&list);
    return 0;
}
