/* SPDX-License-Identifier: Apache-2.0
 * How a user writes a certificate: a PEM file, or "lab:PROFILE/HOST". */
#ifndef CERTS_STORE_CERT_SPEC_H
#define CERTS_STORE_CERT_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* Is `spec` one for the lab ("lab:…")? */
bool cert_spec_is_lab(const char *spec);
/* Check "lab:PROFILE/HOST" without issuing: 0, or -1 with the nearest profile in `err`. Any other
 * spec is fine here. */
int cert_spec_check(const char *spec, struct err *err);
/* "lab:PROFILE/HOST" into its parts: PROFILE to `profile`, which has room for `size`.
 * returns  HOST, within `spec`; NULL with the reason in `err` */
const char *cert_spec_split(const char *spec, char *profile, size_t size, struct err *err);

#endif
