/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration of mbedTLS; see tls/tls_conf.h. */
#ifndef TLS_CONF_MBEDTLS_H
#define TLS_CONF_MBEDTLS_H

#include <mbedtls/ssl.h>

#include "tls/tls_library.h"

struct tls_conf *conf_mbedtls_new(const struct tls_conf_params *p);
void conf_mbedtls_free(struct tls_conf *conf);
const struct mbedtls_ssl_config *conf_mbedtls_ssl(const struct tls_conf *conf);
/* The same without a certificate of its own. */
const struct mbedtls_ssl_config *conf_mbedtls_anonymous(const struct tls_conf *conf);

#endif
