/* SPDX-License-Identifier: Apache-2.0
 * Shared by certs/audit*.c only. */
#ifndef CERTS_AUDIT_AUDIT_IMPL_H
#define CERTS_AUDIT_AUDIT_IMPL_H

#include "certs/audit/audit.h"

/* Note a finding. `cert` NULL: about the chain as a whole. -1 without memory. */
int audit_note(struct audit_report *report, const struct audit_subject *subject,
               enum audit_code code, const struct cert_facts *cert, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Would the custom domain let in the client whose certificate this is? -1 without memory. */
int audit_client(struct audit_report *report, const struct audit_options *o,
                 const struct audit_subject *subject, struct err *err);

#endif
