/* SPDX-License-Identifier: Apache-2.0
 * Which keys a TLS listener may have: kind, size and curve. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "certs/lab/nlb_keys.h"
#include "certs/x509/parse.h"

static void kind_size_and_curve(void **state)
{
    static const struct {
        enum cert_key_kind key;
        unsigned bits;
        const char *curve;
        bool taken;
    } cases[] = {
        { CERT_KEY_RSA, 1024, NULL, true },       { CERT_KEY_RSA, 2048, NULL, true },
        { CERT_KEY_RSA, 3072, NULL, true },       { CERT_KEY_RSA, 4096, NULL, false },
        { CERT_KEY_RSA, 2047, NULL, false },      { CERT_KEY_EC, 256, "secp256r1", true },
        { CERT_KEY_EC, 384, "secp384r1", true },  { CERT_KEY_EC, 521, "secp521r1", true },
        { CERT_KEY_EC, 256, "secp256k1", false }, { CERT_KEY_EC, 224, "secp224r1", false },
        { CERT_KEY_EC, 256, NULL, false },        { CERT_KEY_ED25519, 256, NULL, false },
        { CERT_KEY_RSA_PSS, 2048, NULL, false },  { CERT_KEY_UNKNOWN, 0, NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct cert_facts facts = { .key = cases[i].key,
                                          .key_bits = cases[i].bits,
                                          .curve = cases[i].curve };

        assert_int_equal(nlb_takes_key(&facts), cases[i].taken);
    }
}

/* What is said to people is what the table says. */
static void the_text_names_every_row(void **state)
{
    (void)state;
#define KEY(id, name, kind, bits, curve, nlb, help)                                                \
    assert_int_equal(strstr(NLB_KEYS_TEXT, #bits) != NULL, nlb);
#include "certs/lab/keys.def"
#undef KEY
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_size_and_curve),
        cmocka_unit_test(the_text_names_every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
