/* SPDX-License-Identifier: Apache-2.0
 * Load the certificates that listeners name, and check what only the loaded ones tell. */
#include <string.h>

#include "certs/lab/lab.h"
#include "certs/lab/nlb_keys.h"
#include "certs/store/identity.h"
#include "certs/x509/parse.h"
#include "core/clock.h"
#include "nlb/config_impl.h"

#define CERTIFICATES                                                                               \
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/"                             \
    "tls-listener-certificates.html"

static void load_certificate(struct nlb_config *c, const struct listener_cfg *l,
                             struct identity_cfg *k, struct problems *problems)
{
    struct err err = { .code = ERR_NONE };
    const struct cert_facts *leaf;

    k->identity = identity_load(k->spec, c->dir, c->lab, &err);
    if (k->identity == NULL) {
        problems_add(problems, k->line, "certificate = %s: %s", k->spec, err.text);
        return;
    }
    leaf = k->identity->leaf;
    if (!l->allow_unsupported_keys && !nlb_takes_key(leaf))
        problems_add(problems, k->line,
                     "certificate = %s has a %s key of %u bits; NLB takes " NLB_KEYS_TEXT
                     " (" CERTIFICATES "); to serve it all the same: allow_unsupported_keys = true",
                     k->spec, leaf->key_algorithm, leaf->key_bits);
}

void config_load(struct nlb_config *c, struct problems *problems)
{
    struct err err = { .code = ERR_NONE };

    c->lab = cert_lab_new(c->nlb.lab_seed, clock_wall_s(), &err);
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
            const struct identity_cfg *k = &c->listeners[i].certificates[j];

            if (cert_spec_is_lab(k->spec) && cert_spec_check(k->spec, &err) != 0)
                problems_add(problems, k->line, "certificate = %s: %s", k->spec, err.text);
        }
    }
}

void config_unload(struct nlb_config *c)
{
    for (size_t i = 0; i < c->n_listeners; i++) {
        for (size_t j = 0; j < c->listeners[i].n_certificates; j++)
            identity_unref(c->listeners[i].certificates[j].identity);
    }
    cert_lab_free(c->lab);
}
