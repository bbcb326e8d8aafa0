/* SPDX-License-Identifier: Apache-2.0
 * Random bytes, one generator per thread. */
#ifndef TLS_TLS_RANDOM_H
#define TLS_TLS_RANDOM_H

#include <stddef.h>

/* Fill with random bytes from this thread's generator; mbedTLS's f_rng shape (0 is success). */
int tls_random(void *unused, unsigned char *out, size_t n);
/* Free what this thread's generator holds; call before a thread that used TLS ends. */
void tls_thread_done(void);

#endif
