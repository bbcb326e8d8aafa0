/* SPDX-License-Identifier: Apache-2.0
 * What OpenSSL's archives call by name; nobody else does. */
#ifndef TLS_LIBC_SHIM_H
#define TLS_LIBC_SHIM_H

long __isoc23_strtol(const char *text, char **end, int base);
unsigned long __isoc23_strtoul(const char *text, char **end, int base);

#endif
