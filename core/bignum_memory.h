/* SPDX-License-Identifier: Apache-2.0
 * Big numbers that run out of memory: GMP ends the process then; here the computation alone ends.
 */
#ifndef CORE_BIGNUM_MEMORY_H
#define CORE_BIGNUM_MEMORY_H

#include <stdbool.h>

/* Do `work`, which may use GMP and nettle but keeps nothing of theirs and holds no other resource.
 * False: memory was out, `work` was left in the middle and all its numbers are freed. */
bool bignum_guarded(void (*work)(void *arg), void *arg);

#endif
