/* SPDX-License-Identifier: Apache-2.0
 * How many file descriptors this process may have. */
#ifndef CORE_DESCRIPTORS_H
#define CORE_DESCRIPTORS_H

#include <stdint.h>

/* As many as the system lets it have without asking anybody (RLIMIT_NOFILE: the hard limit). */
void descriptors_raise(void);
uint64_t descriptors_limit(void);

#endif
