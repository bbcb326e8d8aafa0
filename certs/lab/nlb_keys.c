/* SPDX-License-Identifier: Apache-2.0
 * Which keys a TLS listener of a Network Load Balancer may have. */
#include "certs/lab/nlb_keys.h"

#include <stddef.h>
#include <string.h>

#include "certs/x509/parse.h"

static const struct {
    enum cert_key_kind kind;
    unsigned bits;
    const char *curve;
    bool nlb;
} rows[] = {
#define KEY(id, name, kind, bits, curve, nlb, help) { CERT_KEY_##kind, bits, curve, nlb },
#include "certs/lab/keys.def"
#undef KEY
};

bool nlb_takes_key(const struct cert_facts *facts)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *curve = rows[i].curve;

        if (facts->key == rows[i].kind && facts->key_bits == rows[i].bits &&
            (curve == NULL || (facts->curve != NULL && strcmp(facts->curve, curve) == 0)))
            return rows[i].nlb;
    }
    return false;
}
