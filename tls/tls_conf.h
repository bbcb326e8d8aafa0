/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration: plain code points in, one immutable configuration of a TLS library
 * out, shared by any number of connections and threads. */
#ifndef TLS_TLS_CONF_H
#define TLS_TLS_CONF_H

#include "core/err.h"
#include "tls/tls_conf_params.h"

struct tls_conf;
/* NULL with the reason in `err`. */
struct tls_conf *tls_conf_new(const struct tls_conf_params *params, struct err *err);
void tls_conf_free(struct tls_conf *conf);

/* Start the crypto library and check it (tls_private_self_test); once, before any thread.
 * 0, or -1 with the reason. */
int tls_init(struct err *err);

#endif
