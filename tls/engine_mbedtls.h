/* SPDX-License-Identifier: Apache-2.0
 * Sessions of mbedTLS behind the engine's interface (tls/tls_engine.h). */
#ifndef TLS_ENGINE_MBEDTLS_H
#define TLS_ENGINE_MBEDTLS_H

#include "tls/tls_library.h"

extern const struct tls_library_ops tls_library_mbedtls;

#endif
