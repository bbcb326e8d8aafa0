/* SPDX-License-Identifier: Apache-2.0
 * Sessions of OpenSSL behind the engine's interface (tls/tls_engine.h). */
#ifndef TLS_ENGINE_OPENSSL_H
#define TLS_ENGINE_OPENSSL_H

#include "tls/tls_library.h"

extern const struct tls_library_ops tls_library_openssl;

#endif
