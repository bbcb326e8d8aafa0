/* SPDX-License-Identifier: Apache-2.0
 * What is wrong with a path: the first fault that a check finds. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certs/judge/trust_impl.h"

void fault_set(struct fault *f, enum verdict_code code, const struct cert_facts *cert,
               const char *fmt, ...)
{
    va_list ap;

    memset(f, 0, offsetof(struct fault, message));
    f->code = code;
    f->cert = cert;
    f->detail[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(f->message, sizeof f->message, fmt, ap);
    va_end(ap);
}

void fault_detail(struct fault *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(f->detail, sizeof f->detail, fmt, ap);
    va_end(ap);
}
