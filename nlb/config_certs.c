/* SPDX-License-Identifier: Apache-2.0
 * Load the certificates that listeners name, and check what only the loaded ones tell. */
#include <string.h>

#include "certs/lab/lab.h"
#include "certs/store/identity.h"
#include "certs/x509/parse.h"
#include "core/clock.h"
#include "nlb/config_impl.h"

#define CERTIFICATES                                                                               \
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"                             \
    "tls-listener-certificates.html"

/* Key types that NLB can serve. Source: NLB guide, "Server certificates". */
static const struct {
    enum cert_key_kind kind;
    unsigned bits;
    const char *curve;
} supported_keys[] = {
    { CERT_KEY_RSA, 1024, NULL },      { CERT_KEY_RSA, 2048, NULL },
    { CERT_KEY_RSA, 3072, NULL },      { CERT_KEY_EC, 256, "secp256r1" },
    { CERT_KEY_EC, 384, "secp384r1" }, { CERT_KEY_EC, 521, "secp521r1" },
};

static bool key_supported(const struct cert_facts *facts)
{
    for (size_t i = 0; i < sizeof supported_keys / sizeof supported_keys[0]; i++) {
        const char *curve = supported_keys[i].curve;

        if (facts->key != supported_keys[i].kind || facts->key_bits != supported_keys[i].bits)
            continue;
        if (curve == NULL || (facts->curve != NULL && strcmp(facts->curve, curve) == 0))
            return true;
    }
    return false;
}

static void load_certificate(struct nlb_config *c, const struct listener_cfg *l, struct cert_cfg *k,
                             struct problems *problems)
{
    struct err err = { .code = ERR_NONE };
    const struct cert_facts *leaf;

    k->cert = cert_load(k->spec, c->dir, c->lab, &err);
    if (k->cert == NULL) {
        problems_add(problems, k->line, "certificate = %s: %s", k->spec, err.text);
        return;
    }
    leaf = k->cert->leaf;
    if (!l->allow_unsupported_keys && !key_supported(leaf))
        problems_add(
            problems, k->line,
            "certificate = %s has a %s key of %u bits; NLB takes RSA 1024, 2048 and 3072 and "
            "ECDSA P-256, P-384 and P-521 (" CERTIFICATES "); to serve it all the same: "
            "allow_unsupported_keys = true",
            k->spec, leaf->key_algorithm, leaf->key_bits);
}

void config_load(struct nlb_config *c, struct problems *problems)
{
    struct err err = { .code = ERR_NONE };

    c->lab = cert_lab_new(c->nlb.lab_seed, clock_wall_us() / 1000000, &err);
    if (c->lab == NULL) {
        problems_add(problems, cfg_line(&c->nlb.obj, "lab_seed"), "%s", err.text);
        problems->environment = true;
        return;
    }
    for (size_t i = 0; i < c->n_listeners; i++) {
        struct listener_cfg *l = &c->listeners[i];

        for (size_t j = 0; l->protocol == PROTOCOL_TLS && j < l->n_certificates; j++)
            load_certificate(c, l, &l->certificates[j], problems);
    }
}

void config_check_specs(const struct nlb_config *c, struct problems *problems)
{
    struct err err;

    for (size_t i = 0; i < c->n_listeners; i++) {
        for (size_t j = 0; j < c->listeners[i].n_certificates; j++) {
            const struct cert_cfg *k = &c->listeners[i].certificates[j];

            if (cert_spec_is_lab(k->spec) && cert_spec_check(k->spec, &err) != 0)
                problems_add(problems, k->line, "certificate = %s: %s", k->spec, err.text);
        }
    }
}

void config_unload(struct nlb_config *c)
{
    for (size_t i = 0; i < c->n_listeners; i++) {
        for (size_t j = 0; j < c->listeners[i].n_certificates; j++)
            cert_unref(c->listeners[i].certificates[j].cert);
    }
    cert_lab_free(c->lab);
}
