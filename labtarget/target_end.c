/* SPDX-License-Identifier: Apache-2.0
 * How a connection of a lab target ends, and what is said of it. */
#include "core/log.h"
#include "labtarget/target_impl.h"
#include "tls/tls_error.h"
#include "tls/tls_params.h"

void conn_log_end(struct conn *c, const char *how)
{
    struct hop_failure f = { 0 };
    char text[160];

    if (c->told)
        return;
    c->told = true;
    if (c->hop != NULL)
        c->hop->ops->failure(c->hop, &f);
    log_debug("target_end",
              "target=%s connection=%llu requests=%llu how=\"%s\" cause=%d tls=\"%s\"",
              c->target->info.name, (unsigned long long)c->number, (unsigned long long)c->request,
              how, (int)f.cause, tls_error_text(f.tls_error, text, sizeof text));
}

void conn_refuse(struct conn *c, uint8_t alert)
{
    log_debug("target_refuse", "target=%s connection=%llu alert=%s", c->target->info.name,
              (unsigned long long)c->number, tls_alert_name(alert));
    hop_tls_send_alert(c->hop, alert);
    c->stage = CONN_FLUSH_END;
}
