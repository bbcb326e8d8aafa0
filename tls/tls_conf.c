/* SPDX-License-Identifier: Apache-2.0
 * A prepared TLS configuration, made by the library that it names; the start of both libraries. */
#include "tls/tls_conf.h"

#include <psa/crypto.h>

#include "tls/engine_mbedtls.h"
#include "tls/engine_openssl.h"
#include "tls/mbedtls_private.h"
#include "tls/tls_library.h"

static const struct tls_library_ops *const tls_libraries[] = {
    [TLS_LIBRARY_MBEDTLS] = &tls_library_mbedtls,
    [TLS_LIBRARY_OPENSSL] = &tls_library_openssl,
};

int tls_init(struct err *err)
{
    if (psa_crypto_init() != PSA_SUCCESS) {
        err_set(err, ERR_CRYPTO, "mbedTLS cannot start its crypto core (no entropy?)");
        return -1;
    }
    return tls_private_self_test(err);
}

struct tls_conf *tls_conf_new(const struct tls_conf_params *p, struct err *err)
{
    const struct tls_library_ops *library = tls_libraries[p->library];
    struct tls_conf *conf = library->conf_new(p);

    if (conf == NULL) {
        err_set(err, ERR_CRYPTO, "%s does not take this TLS configuration", library->name);
        return NULL;
    }
    conf->library = library;
    conf->server = p->server;
    conf->own = p->own_chain;
    return conf;
}

void tls_conf_free(struct tls_conf *conf)
{
    if (conf != NULL)
        conf->library->conf_free(conf);
}
