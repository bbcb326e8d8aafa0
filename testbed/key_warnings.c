/* SPDX-License-Identifier: Apache-2.0
 * Private keys of a configuration that others on this machine can read. */
#include "testbed/key_warnings.h"

#include <stdio.h>

#include "certs/store/identity.h"
#include "testbed/sections.h"

static void look_at_key(const struct identity_cfg *k, key_warning_cb *say, void *user)
{
    char text[1024];

    if (k->identity == NULL || (k->identity->key_mode & 077) == 0)
        return;
    snprintf(text, sizeof text,
             "%s has mode %03o, so others on this machine can read the private key: chmod 600 %s",
             k->identity->key_path, k->identity->key_mode, k->identity->key_path);
    say(user, k->line, text);
}

void lab_config_key_warnings(const struct nlb_config *c, key_warning_cb *say, void *user)
{
    size_t n;
    const struct lab_target_cfg *targets = lab_config_targets(c, &n);

    for (size_t i = 0; i < c->n_listeners; i++) {
        for (size_t j = 0; j < c->listeners[i].n_certificates; j++)
            look_at_key(&c->listeners[i].certificates[j], say, user);
    }
    for (size_t i = 0; i < n; i++)
        look_at_key(&targets[i].certificate, say, user);
}
