/* SPDX-License-Identifier: Apache-2.0
 * One lab target as one configuration has it: prepared, shared by its connections, given back. */
#include <stdlib.h>

#include "labtarget/lab_target.h"
#include "labtarget/target_impl.h"

struct lab_target *lab_target_new(const struct lab_target_source *source,
                                  const struct lab_target_cfg *cfg, struct err *err)
{
    struct lab_target *t = calloc(1, sizeof *t);

    if (t == NULL) {
        err_set(err, ERR_NOMEM, "lab target '%s'", cfg->obj.name);
        return NULL;
    }
    t->refs = 1;
    t->owner = source->owner;
    t->unref_cb = source->unref_cb;
    source->ref_cb(source->owner);
    t->cfg = cfg;
    t->info.name = cfg->obj.name;
    t->info.protocol = cfg->protocol == LAB_HTTPS ? "HTTPS" : "HTTP";
    if ((cfg->fault == NULL || fault_parse(cfg->fault, &t->fault, err) == 0) &&
        (cfg->protocol != LAB_HTTPS || lab_target_tls_prepare(t, err) == 0))
        return t;
    lab_target_unref(t);
    return NULL;
}

void lab_target_unref(struct lab_target *t)
{
    if (t == NULL || --t->refs > 0)
        return;
    lab_target_tls_clear(t);
    t->unref_cb(t->owner);
    free(t);
}

bool lab_target_is_deaf(const struct lab_target *t)
{
    return t->fault.row != NULL && t->fault.row->point == FAULT_LISTEN;
}
